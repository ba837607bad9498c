#include "report/visualize.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/text.h"
#include "report/facts.h"
#include "report/page.h"

namespace shoestring::report {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

// What a comparison does not show.
void shorten(Json& facts) {
  for (const char* key : {"columns", "data_findings", "remarks", "inputs"}) facts[key] = Json::array();
  if (!facts.contains("quality")) return;
  for (Json& output : facts["quality"]["outputs"])
    for (const char* key : {"mistakes", "subgroups", "parts", "confusion", "number"}) output.erase(key);
}

// '<' begins nothing in a page's script but a tag.
std::string for_a_page(const Json& facts) {
  const std::string text = facts.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string safe;
  for (const char c : text) {
    if (c == '<')
      safe += "\\u003c";
    else
      safe += c;
  }
  return safe;
}

Result<Json> read(const std::string& run, std::string& path) {
  std::error_code ec;
  path = fs::is_directory(run, ec) ? run + "/report.json" : run;
  if (!fs::exists(run, ec))
    return fail(ErrorKind::data, "no such run", run, "give a run folder, or its report.json");
  if (!fs::exists(path, ec))
    return fail(ErrorKind::data, "there is no report.json in this folder", run,
                "train without --skip_save_report and --report none, or measure its model with evaluate");
  const auto text = read_file(path);
  if (!text) return fail(text.error());
  Json facts = Json::parse(*text, nullptr, false);
  if (!facts.is_object() || !facts.contains("format") || !facts.contains("metrics") ||
      !facts.contains("outputs"))
    return fail(ErrorKind::data, "this is no report", path, "give a run folder, or its report.json");
  if (facts["format"] != kFormat)
    return fail(
        ErrorKind::data,
        fmt::format("the report is of format {}, and this program reads {}", facts["format"].dump(), kFormat),
        path, "evaluate or train anew with this version");
  // What train --remedy tried stands beside it.
  if (const auto remedy = read_file((fs::path(path).parent_path() / "remedy.json").string())) {
    Json tried = Json::parse(*remedy, nullptr, false);
    if (tried.is_object() && tried.contains("tried")) facts["remedy"] = std::move(tried);
  }
  return facts;
}

}  // namespace

Result<std::string> visualize(const std::vector<std::string>& runs, std::string output) {
  if (runs.size() > kMostCompared)
    return fail(ErrorKind::usage, fmt::format("{} runs are more than a page can compare", runs.size()), {},
                fmt::format("give {} at most", kMostCompared));
  std::vector<std::string> facts;
  for (const std::string& run : runs) {
    std::string path;
    auto read_facts = read(run, path);
    if (!read_facts) return fail(read_facts.error());
    if (runs.size() > 1) {
      if (read_facts->contains("folds"))
        return fail(ErrorKind::usage, "the report of a cross-validation cannot be compared", path,
                    "compare the runs of its folds: give the folders fold_1, fold_2, …");
      shorten(*read_facts);
      (*read_facts)["title"] = fs::path(run).lexically_normal().string();
    }
    facts.push_back(for_a_page(*read_facts));
    if (output.empty() && runs.size() == 1) output = (fs::path(path).parent_path() / "report.html").string();
  }
  if (output.empty()) output = "comparison.html";
  if (auto ok = write_page(output, facts); !ok) return fail(ok.error());
  return output;
}

}  // namespace shoestring::report
