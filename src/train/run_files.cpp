#include "train/run_files.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/text.h"
#include "data/sources.h"
#include "train/run_folder.h"

namespace shoestring::train {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json metrics(const Metrics& m) { return Json::parse(to_json(m)); }

// Calls take(line) with each line of metrics.jsonl, one after the other: a long run has many.
template <class Take>
void for_each_line(const Position& position, Take&& take) {
  const std::string_view history = position.history;
  for (size_t at = 0; at < history.size();) {
    const size_t end = std::min(history.find('\n', at), history.size());
    take(history.substr(at, end - at));
    at = end + 1;
  }
}

}  // namespace

std::string to_json(const Description& d, const Dataset& dataset, const Estimate& estimate) {
  Json files = Json::array();
  for (const auto& file : d.files)
    files.push_back({{"path", data::absolute_source(file.path)},
                     {"bytes", file.bytes},
                     {"rows", file.rows},
                     {"crc32", file.crc32}});
  const Target target = native_target();
  const Json out = {{"version", SHOESTRING_VERSION},
                    {"data",
                     {{"dataset", data::absolute_source(d.data.dataset)},
                      {"training_set", data::absolute_source(d.data.training_set)},
                      {"validation_set", data::absolute_source(d.data.validation_set)},
                      {"test_set", data::absolute_source(d.data.test_set)},
                      {"format", d.data.format}}},
                    {"model_load_path", data::absolute_source(d.load)},
                    {"files", std::move(files)},
                    {"rows",
                     {{"training", dataset.count(task::SplitName::training)},
                      {"validation", dataset.count(task::SplitName::validation)},
                      {"test", dataset.count(task::SplitName::test)}}},
                    {"random_seed", d.seed},
                    {"eval_split", name_of(d.eval_split)},
                    {"machine", {{"instructions", to_string(target.isa)}, {"threads", target.threads}}},
                    {"planned",
                     {{"parameters", estimate.parameters},
                      {"states_bytes", estimate.states_bytes},
                      {"arena_bytes", estimate.arena_bytes},
                      {"best_model_bytes", estimate.best_bytes},
                      {"data_bytes", estimate.data_bytes},
                      {"seconds_rough", estimate.seconds}}}};
  return out.dump(2) + "\n";
}

Result<Description> read_description(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return fail(text.error());
  try {
    const Json json = Json::parse(*text);
    const Json& data = json.at("data");
    Description d;
    d.data = {.dataset = data.at("dataset"),
              .training_set = data.at("training_set"),
              .validation_set = data.at("validation_set"),
              .test_set = data.at("test_set"),
              .format = data.at("format")};
    for (const Json& file : json.at("files"))
      d.files.push_back({file.at("path"), file.at("bytes"), file.at("rows"), file.at("crc32")});
    d.load = json.at("model_load_path");
    d.seed = json.at("random_seed");
    for (const auto split : {task::SplitName::training, task::SplitName::validation})
      if (json.value("eval_split", "") == name_of(split)) d.eval_split = split;
    return d;
  } catch (const Json::exception&) {
    return fail(ErrorKind::data, "the run's description cannot be read", path, "train anew");
  }
}

Status same_files(const Description& then, const std::vector<SourceFile>& now) {
  const auto changed = [](const std::string& what, const std::string& where) {
    return fail(ErrorKind::data, "the data is not what the run began with: " + what, where,
                "give the same files, or train anew");
  };
  if (then.files.size() != now.size())
    return changed(fmt::format("{} then, {} now", count_of(std::ssize(then.files), "file"), now.size()),
                   now.front().path);
  for (size_t i = 0; i < now.size(); ++i) {
    if (then.files[i].bytes != now[i].bytes)
      return changed(fmt::format("{} bytes then, {} now", then.files[i].bytes, now[i].bytes), now[i].path);
    if (then.files[i].rows != now[i].rows)
      return changed(fmt::format("{} then, {} now", count_of(then.files[i].rows, "row"), now[i].rows),
                     now[i].path);
    if (then.files[i].crc32 != now[i].crc32) return changed("as many bytes, but others", now[i].path);
  }
  return {};
}

std::string metrics_line(const Evaluation& e) {
  Json line = {{"step", e.step},
               {"epoch", e.epoch},
               {"learning_rate", e.learning_rate},
               {"gradient_norm", number(e.gradient_norm)},
               {"loss", number(e.loss)}};
  if (e.skipped > 0) line["skipped"] = e.skipped;
  if (e.training) line["training"] = metrics(*e.training);
  if (e.validation) {
    line["validation"] = metrics(*e.validation);
    line["best"] = e.best;
  }
  return line.dump() + "\n";
}

Course course(const Position& position) {
  Course c{.best_step = position.best.step};
  for_each_line(position, [&](std::string_view text) {
    const Json line = Json::parse(text);
    const int64_t step = line.at("step");
    if (step == 0 && line.at("loss").is_number()) c.untrained = line.at("loss");
    if (step < c.best_step || !line.contains("validation") || !line.at("loss").is_number()) return;
    const Json& validation = line.at("validation").at("combined").at("loss");
    if (!validation.is_number()) return;
    c.last_step = step;
    c.last_training = line.at("loss");
    c.last_validation = validation;
    if (step == c.best_step) c.best_training = c.last_training, c.best_validation = c.last_validation;
  });
  return c;
}

Status write_training_statistics(const std::string& path, const TrainOutcome& outcome,
                                 const Position& position) {
  Json out = {{"ending", to_string(outcome.ending)},
              {"steps", outcome.steps},
              {"best_step", outcome.best_step},
              {"skipped_steps", outcome.skipped},
              {"seconds", outcome.seconds},
              {"samples_per_second", outcome.samples_per_second},
              {"peak_memory_bytes", peak_resident_bytes()}};
  if (outcome.training) out["training"] = metrics(*outcome.training);
  if (outcome.validation) out["validation"] = metrics(*outcome.validation);
  if (outcome.test) out["test"] = metrics(*outcome.test);
  auto file = AtomicFile::create(path);
  if (!file) return fail(file.error());
  // The evaluations, of which a long run has many, go from text to text.
  std::string text = out.dump(2);
  text.resize(text.size() - std::string_view("\n}").size());
  text += ",\n  \"evaluations\": [";
  std::string_view between = "\n    ";
  Status written;
  for_each_line(position, [&](std::string_view line) {
    constexpr size_t kAtOnce = 64 << 10;
    text.append(between).append(line);
    between = ",\n    ";
    if (text.size() < kAtOnce || !written) return;
    written = file->write(text);
    text.clear();
  });
  text += "\n  ]\n}\n";
  if (written) written = file->write(text);
  return written ? file->commit(false) : written;
}

std::optional<Metrics> training_metrics_of(const std::string& model_path) {
  const auto model = find_model(model_path);
  if (!model) return std::nullopt;
  const auto run = std::filesystem::path(*model).parent_path().parent_path();
  const auto text = read_file((run / "training_statistics.json").string());
  const Json all = text ? Json::parse(*text, nullptr, false) : Json();
  if (!all.is_object() || !all.contains("training") || !all["training"].is_object()) return std::nullopt;
  Metrics out;
  for (const auto& [name, values] : all["training"].items()) {
    if (!values.is_object()) continue;
    auto& output = out.outputs.emplace_back();
    output.name = name;
    for (const std::string_view metric :
         {"accuracy", "jaccard", "mean_absolute_error"})  // what remarks compare
      if (const auto value = values.find(metric); value != values.end() && value->is_number())
        output.values.push_back({metric, value->get<double>()});
  }
  return out;
}

std::string_view to_string(Ending ending) {
  switch (ending) {
    case Ending::finished:
      return "finished";
    case Ending::early_stopped:
      return "stopped early";
    case Ending::out_of_time:
      return "out of time";
    case Ending::interrupted:
      return "interrupted";
    case Ending::diverged:
      return "diverged";
  }
  return "";
}

}  // namespace shoestring::train
