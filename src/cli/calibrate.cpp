// calibrate: what this machine does in a second, measured and kept for plans.
#include "budget/calibrate.h"

#include <fmt/format.h>

#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/text.h"
#include "budget/machine_profile.h"
#include "budget/machine_rates.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/stop.h"
#include "cli/verbs.h"

namespace shoestring::cli {
namespace {

using budget::Rate;

// A group of several rates is a row of its own names; the others stand in one table, with what they are.
std::string tables(const MachineProfile& p) {
  std::vector<std::vector<std::string>> single{{"rate", "", "of"}};
  std::string text;
  std::vector<std::string> names, head;
  std::vector<std::vector<std::string>> group;
  for (const Rate& rate : budget::rates()) {
    if (rate.name.empty()) {
      single.push_back({rate.key(), budget::human_rate(rate.in(p), rate.unit), std::string(rate.about)});
      continue;
    }
    if (group.empty() || group.back().front() != rate.group) {
      // "f32_products" and "bf16_products" share a head, as do "read" and "copy".
      if (!head.empty() && rate.name != head[1]) {
        group.insert(group.begin(), head);
        text += table(group) + "\n";
        group.clear();
        head.clear();
      }
      if (head.empty()) head = {"one thread"};
      group.push_back({std::string(rate.group)});
    }
    if (group.size() == 1) head.emplace_back(rate.name);
    group.back().push_back(budget::human_rate(rate.in(p), rate.unit));
  }
  group.insert(group.begin(), head);
  text += table(group) + "\n";
  std::vector<std::vector<std::string>> threads{{"threads", "arithmetic", "memory"}};
  for (const ThreadScaling& s : p.scaling)
    threads.push_back({fmt::format("{}", s.threads), fmt::format("{:.2f} x", s.arithmetic),
                       fmt::format("{:.2f} x", s.memory)});
  return text + table(threads) + "\n" + table(single);
}

void show(const MachineProfile& p, const std::string& from) {
  print(wrapped(budget::to_string(p.machine), reading_columns(), 2) + "\n" + from + "\n\n" + tables(p));
}

}  // namespace

int calibrate(Arguments arguments) {
  bool only_show = false, json = false, quiet = false;
  std::string output, machine;
  const Options options{
      "calibrate",
      "measures this machine, for plans and their times",
      {{"show", "", "", "show what is known and measure nothing", &only_show},
       {"machine", "", "FILE", "with --show: the machine of this profile", &machine},
       {"output", "o", "FILE",
        "write the profile there too; plans for this machine can then be made on another", &output},
       {"json", "", "", "print the profile as it is kept", &json},
       {"quiet", "q", "", "say nothing but errors", &quiet}},
      "  shoestring calibrate\n"
      "  shoestring calibrate --show\n\n"
      "It takes some seconds; other work on the machine makes it slower than it is. The\n"
      "profile is kept in $SHOESTRING_CACHE, else $XDG_CACHE_HOME/shoestring, else\n"
      "~/.cache/shoestring, and counts until the CPU, the cores, the memory or the\n"
      "kernel change. Until then rates that are usual of the instruction set are taken."};
  if (const auto done = options.read(arguments)) return *done;
  if (!machine.empty() && !only_show)
    return report({ErrorKind::usage, "--machine names a profile to be shown", "calibrate",
                   "add --show, or leave it out to measure this machine"});
  const Target target = native_target();
  const std::string folder = budget::cache_folder();
  Console console(quiet || json, false, true);
  MachineProfile profile;
  std::string from;
  if (!machine.empty()) {
    auto read = budget::read_profile(machine);
    if (!read) return report(read.error());
    profile = std::move(*read);
    from = fmt::format("measured {}, {}", profile.measured, machine);
  } else if (only_show) {
    const budget::KnownMachine known = budget::load_or_built_in(target, folder);
    profile = *known.profile;
    from = known.path.empty() ? "not measured yet: rates that are usual of these instructions"
                              : fmt::format("measured {}, {}", profile.measured, known.path);
    if (!known.note.empty()) console.paragraph(known.note);
  } else {
    const SteadyClock clock;
    const double begun = clock.seconds();
    const auto* stop = stop_flag();
    auto measured = budget::calibrate({.target = target,
                                       .folder = folder,
                                       .stopped = [stop] { return stop->load(std::memory_order_relaxed); }},
                                      [&](LogLevel level, std::string_view text) {
                                        if (level == LogLevel::info)
                                          console.progress({std::string(text)});
                                        else
                                          console.paragraph(text);
                                      });
    if (!measured) return report(measured.error());
    profile = std::move(measured->profile);
    from = fmt::format("measured in {}", human_seconds(clock.seconds() - begun));
    // Measuring again is cheap: a profile that cannot be kept is worth a word, not a failure.
    const std::string path = folder.empty() ? "" : budget::cached_profile(folder, profile.machine);
    const auto kept =
        measured->built_in > 0 ? Status(fail(ErrorKind::machine, "not all of it could be measured", {},
                                             "run it again when nothing else runs"))
        : path.empty()         ? Status(fail(ErrorKind::machine, "there is no home to keep it in", {},
                                             "set SHOESTRING_CACHE to a folder"))
                       : make_folders(folder).and_then([&] { return budget::write_profile(path, profile); });
    if (kept)
      from += ", kept in " + path;
    else
      console.paragraph("the profile is not kept: " + kept.error().message());
  }
  if (!output.empty())
    if (auto ok = budget::write_profile(output, profile); !ok) return report(ok.error());
  if (json)
    print(budget::to_json(profile));
  else if (!quiet)
    show(profile, from);
  return 0;
}

}  // namespace shoestring::cli
