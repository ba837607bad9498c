// plan: what train with the same flags would take.
#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "cli/console.h"
#include "cli/stop.h"
#include "cli/train_flags.h"
#include "cli/verbs.h"

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
    stages.push_back(
        {"  " + stage.name + (stage.apart ? " (a process of its own)" : ""), mebibytes(stage.bytes)});
  stages.push_back({"  train, in all", mebibytes(m.total_bytes)});
  return table(lines) + "\n" + table(stages);
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

std::string rest_text(const budget::Ledger& ledger, bool budget_is_short) {
  std::string text = fmt::format("\ndisk    {} at the peak\n", human_bytes(ledger.disk_bytes));
  if (ledger.money_usd)
    text += wrapped(fmt::format("money   {:.2g} USD{}, an estimate by the price of {}", *ledger.money_usd,
                                ledger.usd_per_1000_predictions
                                    ? fmt::format(", and {:.1g} USD for 1,000 predictions",
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
  text += "\nto need less\n";
  for (const auto& way : ledger.ways_out)
    text += wrapped(fmt::format("  {}: {} in all{}{}", way.change, way.gives,
                                way.price.empty() ? "" : "; price: " + way.price,
                                way.fits || !budget_is_short ? "" : "; not enough by itself"),
                    reading_columns(), 6) +
            "\n";
  return text;
}

}  // namespace

int plan(Arguments arguments) {
  TrainFlags flags;
  if (const auto done = options_of("plan", flags).read(arguments)) return *done;
  if (auto ok = complete(flags); !ok) return report(ok.error());
  flags.request.stop = stop_flag();
  flags.request.started = process_started();
  Console console(flags.quiet || flags.json, false, true);
  const auto planned = train::plan(flags.request, {.log = console.sink()});
  if (!planned) return report(planned.error());
  const budget::Ledger& ledger = planned->ledger;
  print(flags.json ? to_json(ledger) + "\n"
                   : memory_text(ledger.memory) + time_text(ledger.time) + rest_text(ledger, !planned->fits));
  return planned->fits ? 0 : report(planned->fits.error());
}

}  // namespace shoestring::cli
