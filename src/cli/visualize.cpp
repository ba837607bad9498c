// visualize: the page of a run made again, or one that compares several runs.
#include "report/visualize.h"

#include <algorithm>

#include "base/atomic_file.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs.h"

namespace shoestring::cli {

int visualize(Arguments arguments) {
  std::string joined, output;
  bool quiet = false;
  const Options options{
      "visualize",
      "makes the page of a run again, or one that compares several",
      {{"model-path", "m", "FILES", "run folders, or their report.json", &joined},
       {"output", "o", "FILE", "the page (report.html in the run folder; of several runs comparison.html)",
        &output},
       {"quiet", "q", "", "say nothing but errors", &quiet}},
      "  shoestring visualize --model_path results/experiment_run\n"
      "  shoestring visualize --model_path results/experiment_run results/experiment_run_0"};
  if (const auto done = options.read(arguments)) return *done;
  std::vector<std::string> runs;
  for (size_t at = 0; at < joined.size();) {
    const size_t end = std::min(joined.find(',', at), joined.size());
    if (end > at) runs.push_back(joined.substr(at, end - at));
    at = end + 1;
  }
  if (runs.empty())
    return report({ErrorKind::usage, "no run is named", "visualize", "give --model_path FOLDER, or several"});
  const auto page = shoestring::report::visualize(runs, output);
  if (!page) return report(page.error());
  Console(quiet, false).sentence("report: " + *page);
  return 0;
}

}  // namespace shoestring::cli
