#include "budget/ledger.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace shoestring::budget {
namespace {

using Json = nlohmann::ordered_json;

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json to_json(const Memory& m) {
  Json lines = Json::array(), stages = Json::array();
  for (const MemoryLine& line : m.lines)
    lines.push_back({{"name", line.name}, {"bytes", line.bytes}, {"certainty", name_of(line.certainty)}});
  for (const MemoryStage& stage : m.stages)
    stages.push_back({{"name", stage.name},
                      {"bytes", stage.bytes},
                      {"apart", stage.apart},
                      {"certainty", name_of(stage.certainty)}});
  return {{"total_bytes", m.total_bytes},
          {"arena_bytes", m.arena_bytes},
          {"address_space_bytes", m.address_space_bytes},
          {"lines", std::move(lines)},
          {"stages", std::move(stages)}};
}

Json to_json(const Time& t) {
  Json stages = Json::array();
  for (const TimeStage& stage : t.stages)
    stages.push_back({{"name", stage.name}, {"p50_s", stage.p50_s}, {"p90_s", stage.p90_s}});
  return {{"p50_s", t.p50_s}, {"p90_s", t.p90_s}, {"stages", std::move(stages)}};
}

}  // namespace

std::string_view name_of(Certainty certainty) {
  constexpr std::string_view kNames[] = {"exact", "cap", "measured", "bound", "not measured"};
  return kNames[static_cast<size_t>(certainty)];
}

std::string_view name_of(Resource resource) {
  constexpr std::string_view kNames[] = {"memory", "time", "disk", "money"};
  return kNames[static_cast<size_t>(resource)];
}

int64_t Memory::of_line(std::string_view name) const {
  const auto line = std::ranges::find(lines, name, &MemoryLine::name);
  return line == lines.end() ? 0 : line->bytes;
}

std::string to_json(const Ledger& ledger, int indent) {
  Json ways = Json::array(), choices = Json::array();
  for (const WayOut& way : ledger.ways_out)
    ways.push_back({{"change", way.change},
                    {"gives", way.gives},
                    {"price", way.price},
                    {"of", name_of(way.of)},
                    {way.of == Resource::time ? "seconds" : "bytes",
                     way.of == Resource::time ? Json(way.total) : Json(std::llround(way.total))},
                    {"fits", way.fits}});
  for (const Choice& choice : ledger.choices)
    choices.push_back(
        {{"change", choice.change}, {"price", choice.price}, {"saved_bytes", choice.saved_bytes}});
  const Json machine = {{"name", ledger.machine.name},
                        {"here", ledger.machine.here},
                        {"measured", ledger.machine.measured},
                        {"threads", ledger.machine.threads}};
  const Json out = {{"machine", machine},
                    {"memory", to_json(ledger.memory)},
                    {"time", to_json(ledger.time)},
                    {"disk_bytes", ledger.disk_bytes},
                    {"money", number(ledger.money_usd)},
                    {"priced_as", ledger.priced_as},
                    {"energy_wh", number(ledger.energy_wh)},
                    {"co2_g", number(ledger.co2_g)},
                    {"money_per_1000_predictions", number(ledger.usd_per_1000_predictions)},
                    {"seconds_per_1000_predictions", number(ledger.seconds_per_1000_predictions)},
                    {"binds", name_of(ledger.binds)},
                    {"binding", ledger.binding},
                    {"choices", std::move(choices)},
                    {"ways_out", std::move(ways)}};
  return out.dump(indent);
}

}  // namespace shoestring::budget
