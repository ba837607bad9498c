// plan: what train with the same flags would take.
#include <algorithm>
#include <cmath>
#include <sstream>

#include "base/clock.h"
#include "base/text.h"
#include "cli/console.h"
#include "cli/stop.h"
#include "cli/train_flags.h"
#include "cli/verbs.h"
#include "train/sweep.h"

namespace shoestring::cli {
namespace {

std::string mebibytes(int64_t bytes) { return fmt::format("{:.2f}", static_cast<double>(bytes) / (1 << 20)); }

std::string memory_text(const budget::Memory& m) {
  std::vector<std::vector<std::string>> lines{{"memory", "MiB", ""}}, stages{{"at its peak", "MiB"}};
  for (const auto& line : m.lines)
    if (line.bytes > 0)
      lines.push_back(
          {"  " + line.name, mebibytes(line.bytes),
           fmt::format("{}{}{}", name_of(line.certainty), line.about.empty() ? "" : ": ", line.about)});
  for (const auto& stage : m.stages)
    if (!stage.apart) stages.push_back({"  " + stage.name, mebibytes(stage.bytes)});
  stages.push_back({"  train, in all", mebibytes(m.total_bytes)});
  for (const auto& stage : m.stages)
    if (stage.apart)
      stages.push_back({"  " + stage.name, mebibytes(stage.bytes),
                        stage.certainty == budget::Certainty::unverified
                            ? "an estimate: 'plan serve' tells it exactly"
                            : "a process of its own"});
  return table(lines) + "\n" + table(stages);
}

// Only where it matters: another machine than this one.
std::string machine_text(const budget::Machine& m) {
  if (m.here) return {};
  return wrapped(fmt::format("for     {}: {}, rates {}; by the formula, as nothing can be rehearsed here",
                             m.name, count_of(m.threads, "thread"),
                             m.measured.empty() ? "built in" : "measured " + m.measured),
                 reading_columns(), 8) +
         "\n\n";
}

std::string time_text(const budget::Time& t) {
  if (t.stages.empty()) return {};
  std::vector<std::vector<std::string>> lines{{"time", "as a rule", "in 9 of 10"}};
  for (const auto& stage : t.stages)
    if (stage.p90_s > 0)
      lines.push_back({"  " + stage.name, human_seconds(stage.p50_s), human_seconds(stage.p90_s)});
  lines.push_back({"  train, in all", human_seconds(t.p50_s), human_seconds(t.p90_s)});
  return "\n" + table(lines);
}

std::string rest_text(const budget::Ledger& ledger) {
  std::string text = fmt::format("\ndisk    {} at the peak\n", human_bytes(ledger.disk_bytes));
  if (ledger.seconds_per_1000_predictions)
    text += fmt::format("answers {} for 1,000 rows of a long table\n",
                        human_seconds(*ledger.seconds_per_1000_predictions));
  if (ledger.money_usd)
    text += wrapped(fmt::format("money   {:.2g} USD{}, an estimate by the price of {}", *ledger.money_usd,
                                ledger.usd_per_1000_predictions
                                    ? fmt::format(", and {:.2g} USD for 1,000 predictions",
                                                  *ledger.usd_per_1000_predictions)
                                    : "",
                                ledger.priced_as),
                    reading_columns(), 8) +
            "\n";
  if (ledger.energy_wh)
    text += fmt::format("energy  {:.2g} Wh{}, an estimate\n", *ledger.energy_wh,
                        ledger.co2_g ? fmt::format(", {:.2g} g of CO2", *ledger.co2_g) : "");
  text += wrapped("binds   " + ledger.binding, reading_columns(), 8) + "\n";
  for (const auto& choice : ledger.choices)
    text += wrapped(fmt::format("chosen  {}{}{}", choice.change,
                                choice.saved_bytes ? ": saves " + human_bytes(choice.saved_bytes) : "",
                                choice.price.empty() ? "" : "; price: " + choice.price),
                    reading_columns(), 8) +
            "\n";
  if (ledger.ways_out.empty()) return text;
  const budget::Resource of = ledger.ways_out.front().of;
  text += fmt::format("\nto need less {}\n", name_of(of));
  for (const auto& way : ledger.ways_out)
    text += wrapped(fmt::format("  {}: {}{}{}{}", way.change, way.gives,
                                way.of == budget::Resource::time ? "" : " in all",
                                way.price.empty() ? "" : "; price: " + way.price,
                                way.fits ? "" : "; not enough by itself"),
                    reading_columns(), 6) +
            "\n";
  return text;
}

std::string budget_text(const train::SweepRange& range, double budget) {
  return range.key == train::SweepRange::Key::memory ? human_bytes(std::llround(budget))
                                                     : human_seconds(budget);
}

// A line for each budget; below it what was changed for it.
std::string sweep_text(const train::Swept& swept) {
  const bool memory = swept.range.key == train::SweepRange::Key::memory;
  std::vector<std::vector<std::string>> cells{{memory ? "memory" : "time", memory ? "taken" : "memory",
                                               "as a rule", "in 9 of 10", "steps", "epochs"}};
  for (const train::SweepRow& row : swept.rows) {
    cells.push_back({budget_text(swept.range, row.budget)});
    if (!row.fits || row.same) continue;
    cells.back().insert(
        cells.back().end(),
        {human_bytes(row.total_bytes), human_seconds(row.seconds), human_seconds(row.slow_seconds),
         row.steps < row.steps_wanted ? fmt::format("{} of {}", row.steps, row.steps_wanted)
                                      : std::to_string(row.steps),
         fmt::format("{:.3g}", row.epochs)});
  }
  std::istringstream lines(table(cells));
  std::string line, text;
  std::getline(lines, line);
  text = line + "\n";
  std::string before;
  for (const train::SweepRow& row : swept.rows) {
    std::getline(lines, line);
    const std::string budget = budget_text(swept.range, row.budget);
    if (!row.fits)
      line = wrapped(fmt::format("{}  no: {}", line, row.fits.error().what), reading_columns(), 14);
    else if (row.same)
      line += fmt::format("  buys nothing that {} does not", before);
    else
      before = budget;
    text += line + "\n";
    if (row.same || !row.fits) continue;
    for (const budget::Choice& choice : row.choices)
      text += wrapped(fmt::format("            {}{}", choice.change,
                                  choice.price.empty() || choice.price == "none" ? "" : ": " + choice.price),
                      reading_columns(), 14) +
              "\n";
  }
  return text;
}

int sweep(TrainFlags& flags, const LogSink& log) {
  const auto range = train::parse_sweep(flags.sweep);
  if (!range) return report(range.error());
  const auto swept = train::sweep(flags.request, *range, {.log = log});
  if (!swept) return report(swept.error());
  print(flags.json ? to_json(*swept) + "\n" : machine_text(swept->machine) + sweep_text(*swept));
  const bool any = std::ranges::any_of(swept->rows, [](const auto& row) { return row.fits.has_value(); });
  return any ? 0 : static_cast<int>(ErrorKind::budget);
}

}  // namespace

int plan(Arguments arguments) {
  if (!arguments.empty() && arguments[0] == "serve") return plan_serve(arguments.subspan(1));
  TrainFlags flags;
  if (const auto done = options_of("plan", flags).read(arguments)) return *done;
  if (auto ok = complete(flags); !ok) return report(ok.error());
  flags.request.stop = stop_flag();
  flags.request.started = process_started();
  Console console(flags.quiet || flags.json, false, true);
  train::TrainEvents events{.log = console.sink()};
  report::Reporter reporter(flags.report_level);  // its share is in the plan
  reporter.watch(flags.request, events);
  if (!flags.sweep.empty()) return sweep(flags, console.sink());
  const auto planned = train::plan(flags.request, events);
  if (!planned) return report(planned.error());
  const budget::Ledger& ledger = planned->ledger;
  print(flags.json ? to_json(ledger) + "\n"
                   : machine_text(ledger.machine) + memory_text(ledger.memory) + time_text(ledger.time) +
                         rest_text(ledger));
  return planned->fits ? 0 : report(planned->fits.error());
}

}  // namespace shoestring::cli
