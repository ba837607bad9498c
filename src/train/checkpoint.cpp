#include "train/checkpoint.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/tensor_file.h"

namespace shoestring::train {
namespace {

using nlohmann::json;

// JSON has no NaN: an absent number stands for it.
json number(double value) { return std::isfinite(value) ? json(value) : json(); }
double number(const json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

json to_json(const Position& p) {
  json out = {{"step", p.step},
              {"skipped", p.skipped},
              {"skipped_in_a_row", p.skipped_in_a_row},
              {"loss_sum", number(p.loss_sum)},
              {"loss_rows", p.loss_rows},
              {"evaluated_step", p.evaluated_step},
              {"schedule",
               {{"factor", p.schedule.factor},
                {"best", number(p.schedule.best)},
                {"without_improvement", p.schedule.without_improvement},
                {"reductions", p.schedule.reductions}}},
              {"best",
               {{"value", number(p.best.value)},
                {"step", p.best.step},
                {"evaluations_since", p.best.evaluations_since}}}};
  if (p.fitted)
    out["fitted"] = {{"schedule_steps", p.fitted->schedule_steps},
                     {"total_steps", p.fitted->total_steps},
                     {"steps_per_evaluation", p.fitted->steps_per_evaluation},
                     {"seconds_used", p.fitted->seconds_used},
                     {"refit_step", p.schedule.step},
                     {"refit_place", p.schedule.place},
                     {"refit_pace", p.schedule.pace}};
  return out;
}

Position from_json(const json& j) {
  Position p;
  p.step = j.at("step").get<int64_t>();
  p.skipped = j.at("skipped").get<int64_t>();
  p.skipped_in_a_row = j.at("skipped_in_a_row").get<int64_t>();
  p.loss_sum = number(j.at("loss_sum"));
  p.loss_rows = j.at("loss_rows").get<int64_t>();
  p.evaluated_step = j.at("evaluated_step").get<int64_t>();
  const json& schedule = j.at("schedule");
  p.schedule = {schedule.at("factor").get<double>(), number(schedule.at("best")),
                schedule.at("without_improvement").get<int64_t>(), schedule.at("reductions").get<int64_t>()};
  const json& best = j.at("best");
  p.best = {number(best.at("value")), best.at("step").get<int64_t>(),
            best.at("evaluations_since").get<int64_t>()};
  if (const auto fitted = j.find("fitted");
      fitted != j.end()) {  // absent too in checkpoints from before there was one
    p.fitted = {fitted->at("schedule_steps").get<int64_t>(), fitted->at("total_steps").get<int64_t>(),
                std::max<int64_t>(fitted->at("steps_per_evaluation").get<int64_t>(), 1),
                fitted->at("seconds_used").get<double>()};
    p.schedule.step = fitted->at("refit_step").get<int64_t>();
    p.schedule.place = fitted->at("refit_place").get<double>();
    p.schedule.pace = fitted->at("refit_pace").get<double>();
  }
  return p;
}

constexpr std::string_view kBest = "best/";
constexpr std::string_view kHistory = "run/history";  // no name of a state has a slash

// Every tensor into the engine or the best model; neither may lack one.
Status load(std::span<const model::TensorView> tensors, Engine& engine, BestModel& best) {
  size_t of_engine = 0, of_best = 0;
  for (const auto& tensor : tensors) {
    if (tensor.name == kHistory) continue;
    const bool is_best = tensor.name.starts_with(kBest);
    const std::string_view name = std::string_view(tensor.name).substr(is_best ? kBest.size() : 0);
    ++(is_best ? of_best : of_engine);
    auto ok =
        is_best ? best.load(name, tensor.type, tensor.bytes) : engine.load(name, tensor.type, tensor.bytes);
    if (!ok) return ok;
  }
  if (of_engine == engine.layout().slots().size() && (of_best == 0 || of_best == best.slots().size()))
    return {};
  return fail(ErrorKind::data, "the checkpoint belongs to another model", {},
              "resume with the recipe and the seed of the run, or train anew");
}

// What decides the last bits of results.
std::string machine(const Engine& engine) {
  const CompileOptions& options = engine.options();
  return fmt::format("{}, {} threads{}", to_string(options.target.isa), options.target.threads,
                     options.precision.products == DType::bf16 ? ", bf16 products" : "");
}

}  // namespace

Status write_checkpoint(const std::string& path, const Engine& engine, const BestModel& best,
                        const Position& position, uint64_t seed) {
  std::vector<model::TensorView> tensors;
  for (const StateSlot& slot : engine.layout().slots())
    tensors.push_back({slot.info.name, slot.info.type, engine.bytes(slot), slot.info.layout});
  for (size_t i = 0; best.captured() && i < best.slots().size(); ++i) {
    const StateInfo& info = best.slots()[i].info;
    tensors.push_back({std::string(kBest) + info.name, info.type, best.bytes(i), info.layout});
  }
  if (!position.history.empty())  // it grows long: as a tensor it is written from where it is
    tensors.push_back({std::string(kHistory),
                       {DType::u8, {static_cast<int64_t>(position.history.size())}},
                       std::as_bytes(std::span(position.history))});
  return model::write_tensors(path,
                              {{"kind", "checkpoint"},
                               {"best_step", fmt::format("{}", best.step())},
                               {"position", to_json(position).dump()},
                               {"seed", fmt::format("{}", seed)},
                               {"machine", machine(engine)}},
                              tensors);
}

Result<Restored> read_checkpoint(const std::string& path, Engine& engine, BestModel& best, uint64_t seed) {
  const auto file = model::read_tensors(path);
  if (!file) return fail(file.error());
  std::map<std::string, std::string> text;
  for (const char* key : {"position", "best_step", "seed", "machine"}) {
    auto value = file->text(key, path);
    if (!value) return fail(value.error());
    text[key] = std::move(*value);
  }
  if (text["seed"] != fmt::format("{}", seed))
    return fail(ErrorKind::usage, fmt::format("the run's seed is {}, not {}", text["seed"], seed), path,
                "resume with the recipe and the seed of the run, or train anew");
  if (auto ok = load(file->tensors, engine, best); !ok) {
    ok.error().where = path;
    return fail(ok.error());
  }
  Restored restored;
  const json position = json::parse(text["position"], nullptr, false);
  try {
    restored.position = from_json(position);
    best.loaded(json::parse(text["best_step"]).get<int64_t>());
  } catch (const json::exception&) {
    return fail(ErrorKind::data, "the position in the checkpoint cannot be read", path, "train anew");
  }
  if (const model::TensorView* history = file->find(kHistory))
    restored.position.history.assign(reinterpret_cast<const char*>(history->bytes.data()),
                                     history->bytes.size());
  if (text["machine"] != machine(engine))
    restored.note = fmt::format("the run began on {}, this is {}: the last bits of results may differ",
                                text["machine"], machine(engine));
  return restored;
}

}  // namespace shoestring::train
