#include "train/kept_survey.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "data/hash.h"
#include "data/sources.h"

namespace shoestring::train {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr size_t kMostKept = 16, kMostBytes = 8 << 20;
constexpr std::string_view kBegin = "survey-";

std::string path_of(const std::string& folder, const std::string& key) {
  return fmt::format("{}/{}{:08x}.json", folder, kBegin, data::crc32_of(key));
}

json to_json(const FileStamp& s) { return {s.path, s.bytes, s.modified, s.changed, s.device, s.inode}; }
FileStamp stamp_from(const json& j) { return {j.at(0), j.at(1), j.at(2), j.at(3), j.at(4), j.at(5)}; }

json to_json(const Survey& s) {
  return {{"rows", s.rows},           {"split_rows", s.split_rows},
          {"raw_bytes", s.raw_bytes}, {"encoded_bytes", s.encoded_bytes},
          {"row_bytes", s.row_bytes}, {"sample_rows", s.sample_rows}};
}
Survey survey_from(const json& j) {
  return {j.at("rows"),          j.at("split_rows"), j.at("raw_bytes"),
          j.at("encoded_bytes"), j.at("row_bytes"),  j.at("sample_rows")};
}

// The newest stay.
void forget_old(const std::string& folder) {
  std::vector<std::pair<fs::file_time_type, fs::path>> kept;
  std::error_code ec;
  for (const auto& file : fs::directory_iterator(folder, ec))
    if (file.path().filename().string().starts_with(kBegin))
      kept.emplace_back(file.last_write_time(ec), file.path());
  std::ranges::sort(kept, std::greater{});
  for (size_t i = kMostKept; i < kept.size(); ++i) fs::remove(kept[i].second, ec);
}

}  // namespace

std::string survey_key(const DataFiles& files, const task::Recipe& recipe, const StreamBuffers& buffers,
                       uint64_t seed) {
  task::Recipe looked_at = recipe;  // what is looked at hangs on neither of these
  looked_at.trainer = {};
  looked_at.budget = {};
  looked_at.notes = {};
  std::string key = fmt::format("{}|{}|{}|{}|{}|{}", SHOESTRING_VERSION, seed, buffers.text_bytes,
                                buffers.batches, buffers.sample, files.format);
  for (const std::string* path :
       {&files.dataset, &files.training_set, &files.validation_set, &files.test_set})
    key += "|" + data::absolute_source(*path);
  return key + "\n" + task::render(looked_at);
}

std::optional<KeptSurvey> find_survey(const std::string& folder, const std::string& key) {
  const auto text = read_file(path_of(folder, key));
  if (!text) return std::nullopt;
  try {
    const json all = json::parse(*text);
    if (all.at("key") != key) return std::nullopt;
    KeptSurvey kept;
    for (const json& stamp : all.at("files")) {
      kept.surveyed.stamps.push_back(stamp_from(stamp));
      if (stamp_of(kept.surveyed.stamps.back().path) != kept.surveyed.stamps.back()) return std::nullopt;
    }
    kept.surveyed.found = survey_from(all.at("found"));
    auto fits = task::fits_from_json(all.at("fits").get<std::string>());
    if (!fits) return std::nullopt;
    kept.surveyed.fits = std::move(*fits);
    for (const json& one : all.at("told"))
      kept.told.emplace_back(static_cast<LogLevel>(one.at(0).get<int>()), one.at(1).get<std::string>());
    return kept;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

void keep_survey(const std::string& folder, const std::string& key, const KeptSurvey& survey) {
  json files = json::array(), told = json::array();
  for (const FileStamp& stamp : survey.surveyed.stamps) files.push_back(to_json(stamp));
  for (const auto& [level, text] : survey.told) told.push_back({static_cast<int>(level), text});
  json all = {{"key", key},
              {"files", std::move(files)},
              {"found", to_json(survey.surveyed.found)},
              {"told", std::move(told)},
              {"fits", task::to_json(survey.surveyed.fits)}};
  const std::string text = all.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > kMostBytes || !make_folders(folder)) return;
  if (write_file(path_of(folder, key), text, false)) forget_old(folder);
}

}  // namespace shoestring::train
