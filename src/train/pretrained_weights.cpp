#include "train/pretrained_weights.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/text.h"

namespace shoestring::train {
namespace {

constexpr size_t kPiece = 64 << 10;  // bytes that are read at once

// One line of Python that makes what is read of what torch.save has written.
std::string as_safetensors(const std::string& path) {
  return fmt::format(
      "save it as safetensors: python3 -c \"import sys, torch, safetensors.torch as s; "
      "s.save_file({{k: v.contiguous() for k, v in torch.load(sys.argv[1], "
      "weights_only=True).items()}}, sys.argv[1] + '.safetensors')\" '{}'",
      path);
}

bool is_pickled(const std::string& name) {
  return name.ends_with(".pth") || name.ends_with(".pt") || name.ends_with(".bin");
}

// The network's file in a folder: its name, with or without more words behind a '-'.
Result<std::string> file_in(const std::string& folder, const task::PretrainedEncoder& encoder) {
  const std::string where = encoder.key + ".model_cache_dir";
  std::vector<std::string> found, pickled;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ec)) {
    const std::string name = entry.path().filename().string(), stem = entry.path().stem().string();
    if (stem != encoder.network && !stem.starts_with(encoder.network + "-")) continue;
    if (name.ends_with(".safetensors")) found.push_back(entry.path().string());
    if (is_pickled(name)) pickled.push_back(entry.path().string());
  }
  if (ec)
    return fail(ErrorKind::data, fmt::format("'{}' cannot be looked into: {}", folder, ec.message()), where,
                "name a folder, or a file with pretrained_weights");
  if (found.size() == 1) return found[0];
  std::ranges::sort(found);
  if (!found.empty())
    return fail(
        ErrorKind::data,
        fmt::format("'{}' has several files of {}: {}", folder, encoder.network, fmt::join(found, ", ")),
        where, "name one with pretrained_weights");
  if (!pickled.empty())
    return fail(
        ErrorKind::data,
        fmt::format("'{}' has {} as Python's pickle, which can hold programs", folder, encoder.network),
        where, as_safetensors(pickled[0]));
  return fail(ErrorKind::data, fmt::format("'{}' has no {}.safetensors", folder, encoder.network), where,
              "put it there, or name a file with pretrained_weights");
}

}  // namespace

Result<PretrainedWeights> PretrainedWeights::find(const task::Recipe& recipe) {
  PretrainedWeights out;
  for (task::PretrainedEncoder& encoder : task::pretrained_encoders(recipe)) {
    const auto& named = encoder.from.pretrained_weights;
    const auto path = named ? Result<std::string>(*named) : file_in(*encoder.from.model_cache_dir, encoder);
    if (!path) return fail(path.error());
    auto tensors = model::ForeignTensors::open(*path);
    std::error_code none;
    if (!tensors) {
      Error error = tensors.error();
      error.fix = fmt::format("{}.{} is to name weights of {} as safetensors", encoder.key,
                              named ? "pretrained_weights" : "model_cache_dir", encoder.network);
      if (is_pickled(*path) && std::filesystem::is_regular_file(*path, none)) {
        error.what = "is a file of torch.save, a pickle of Python, and only safetensors is read";
        error.fix = as_safetensors(*path);
      }
      return fail(std::move(error));
    }
    out.files_.push_back({std::move(encoder), std::move(*tensors), {}});
  }
  return out;
}

Status PretrainedWeights::match(const task::NetworkSpec& spec) {
  if (files_.empty()) return {};
  const std::vector<model::Parameter> parameters = task::parameters_of(spec);
  // Again, as the pictures' size is known now.
  const std::vector<task::PretrainedEncoder> encoders = task::pretrained_encoders(spec.recipe);
  for (size_t i = 0; i < files_.size(); ++i) {
    File& file = files_[i];
    if (i < encoders.size()) file.encoder.patches = encoders[i].patches;
    file.states.clear();
    const auto find = [&](std::string_view name) { return file.tensors.find(name); };
    for (const std::string& prefix : file.encoder.prefixes) {
      auto states =
          model::vision::match_foreign(find, file.tensors.path(), parameters, prefix, file.encoder.patches);
      if (!states) {
        Error error = states.error();
        error.fix = fmt::format("give the weights of {}, which {} is, for pictures of its size",
                                file.encoder.network, file.encoder.key);
        return fail(std::move(error));
      }
      std::ranges::move(*states, std::back_inserter(file.states));
    }
  }
  return {};
}

Status PretrainedWeights::read_into(Engine& engine, const LogSink& log) const {
  std::vector<std::byte> buffer(kPiece);
  for (const File& file : files_) {
    int64_t numbers = 0;
    std::string resized;
    for (const model::vision::ForeignState& state : file.states) {
      if (const auto& [rows, columns] = state.from; rows > 0)
        resized =
            fmt::format("; its table of places is for pictures of {} x {} patches and is resized to {} x {}",
                        rows, columns, state.to.rows, state.to.columns);
      auto read = engine.change(state.state, [&](std::span<float> values) -> Status {
        numbers += std::ssize(values);
        if (auto ok = model::vision::read_foreign(file.tensors, state, values, buffer); !ok) return ok;
        if (!std::ranges::all_of(values, [](float v) { return std::isfinite(v); }))
          return fail(ErrorKind::data, fmt::format("the weights for {} are not all numbers", state.state),
                      file.tensors.path(), "give the weights of a training that ended well");
        return {};
      });
      if (!read) return read;
    }
    if (log)
      log(LogLevel::note,
          fmt::format("{} begins with {}: {} in {}{}", file.encoder.key, file.tensors.path(),
                      count_of(numbers, "number"), count_of(std::ssize(file.states), "tensor"), resized));
  }
  return {};
}

}  // namespace shoestring::train
