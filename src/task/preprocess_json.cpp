// Fits as JSON, for the model file.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "task/preprocess.h"
#include "task/recipe.h"

namespace shoestring::task {
namespace {

using Json = nlohmann::ordered_json;

constexpr Normalization kNormalizations[] = {Normalization::none,   Normalization::zscore,
                                             Normalization::minmax, Normalization::log1p,
                                             Normalization::iq,     Normalization::robust};
constexpr MissingValues kStrategies[] = {MissingValues::fill_with_const, MissingValues::fill_with_mode,
                                         MissingValues::fill_with_mean,  MissingValues::fill_with_false,
                                         MissingValues::fill_with_true,  MissingValues::bfill,
                                         MissingValues::ffill,           MissingValues::drop_row};

// Thrown by the readers below and caught in fits_from_json, beside the exceptions of the library.
struct Malformed {
  std::string what;
};

template <class E, size_t N>
E from_name(const E (&values)[N], const std::string& name) {
  for (const E value : values)
    if (name_of(value) == name) return value;
  throw Malformed{fmt::format("unknown word '{}'", name)};
}

double finite(const Json& json, const char* key) {
  const double value = json.at(key).get<double>();
  if (!std::isfinite(value)) throw Malformed{fmt::format("'{}' is not finite", key)};
  return value;
}

Json write(const NumberFit& fit) {
  Json json{{"type", "number"},
            {"normalization", name_of(fit.normalization)},
            {"shift", fit.shift},
            {"scale", fit.scale},
            {"missing_value_strategy", name_of(fit.strategy)},
            {"fill", fit.fill},
            {"usual", fit.usual},
            {"minimum", fit.minimum},
            {"maximum", fit.maximum},
            {"mean", fit.mean}};
  if (fit.outlier_strategy)
    json["outliers"] = {{"strategy", name_of(*fit.outlier_strategy)},
                        {"fill", fit.outlier_fill},
                        {"low", fit.low},
                        {"high", fit.high}};
  if (!fit.edges.empty()) json["edges"] = fit.edges;
  return json;
}

Json write(const BinaryFit& fit) {
  return {{"type", "binary"},
          {"true_label", fit.true_label},
          {"false_label", fit.false_label},
          {"usual_words", fit.usual_words},
          {"missing_value_strategy", name_of(fit.strategy)},
          {"fill", fit.fill},
          {"usual", fit.usual},
          {"true_rows", fit.true_rows},
          {"false_rows", fit.false_rows}};
}

Json write(const CategoryFit& fit) {
  Json json{{"type", "category"},
            {"vocabulary", fit.vocabulary},
            {"counts", fit.counts},
            {"lowercase", fit.lowercase},
            {"missing_value_strategy", name_of(fit.strategy)},
            {"fill", fit.fill},
            {"unknown", fit.unknown}};
  if (!fit.rare.empty()) json["rare"] = fit.rare;
  if (fit.buckets > 0) json["buckets"] = fit.buckets;
  if (const TargetTable& t = fit.targets; t.folds > 0)
    json["targets"] = {{"folds", t.folds}, {"width", t.width}, {"seed", t.seed}, {"means", t.means}};
  return json;
}

Json write(const VectorFit& fit) {
  Json json{{"type", "vector"},
            {"size", fit.size},
            {"missing_value_strategy", name_of(fit.strategy)},
            {"fill", fit.fill},
            {"usual", fit.usual}};
  if (!fit.scale.empty()) json["shift"] = fit.shift, json["scale"] = fit.scale;
  return json;
}

Json write(const WordsFit& fit) {
  return {{"type", "words"},        {"vocabulary", fit.vocabulary},
          {"counts", fit.counts},   {"lowercase", fit.lowercase},
          {"repeats", fit.repeats}, {"missing_value_strategy", name_of(fit.strategy)},
          {"fill", fit.fill},       {"usual", fit.usual},
          {"unknown", fit.unknown}, {"width", fit.width}};
}

Json write(const DateFit& fit) {
  return {{"type", "date"},
          {"day_first", fit.order == data::DateOrder::day_first},
          {"missing_value_strategy", name_of(fit.strategy)},
          {"fill", fit.fill},
          {"usual", fit.usual},
          {"year_shift", fit.year_shift},
          {"year_scale", fit.year_scale}};
}

Json write(const PictureFit& fit) {
  Json json{{"type", "picture"},
            {"height", fit.height},
            {"width", fit.width},
            {"channels", fit.channels},
            {"crop_or_pad", fit.resize == Resize::crop_or_pad},
            {"missing_value_strategy", name_of(fit.strategy)},
            {"fill", fit.fill},
            {"shift", fit.shift},
            {"scale", fit.scale}};
  if (!fit.whitening.empty()) json["whitening"] = fit.whitening;
  if (!fit.mode.empty()) json["mode"] = encode_base64(std::as_bytes(std::span(fit.mode)));
  return json;
}

NumberFit read_number(const Json& json) {
  NumberFit fit{.normalization = from_name(kNormalizations, json.at("normalization")),
                .shift = finite(json, "shift"),
                .scale = finite(json, "scale"),
                .strategy = from_name(kStrategies, json.at("missing_value_strategy")),
                .fill = finite(json, "fill"),
                .usual = finite(json, "usual"),
                .minimum = finite(json, "minimum"),
                .maximum = finite(json, "maximum"),
                .mean = finite(json, "mean")};
  if (fit.scale <= 0) throw Malformed{"a scale is not above 0"};
  fit.outlier_fill = fit.fill;
  fit.edges = json.value("edges", std::vector<double>());
  for (size_t i = 0; i < fit.edges.size(); ++i)
    if (!std::isfinite(fit.edges[i]) || fit.edges.size() < 2 || (i > 0 && fit.edges[i] <= fit.edges[i - 1]))
      throw Malformed{"the edges of bins are damaged"};
  if (const auto outliers = json.find("outliers"); outliers != json.end()) {
    fit.outlier_strategy = from_name(kStrategies, outliers->at("strategy"));
    fit.outlier_fill = finite(*outliers, "fill");
    fit.low = finite(*outliers, "low"), fit.high = finite(*outliers, "high");
  }
  return fit;
}

BinaryFit read_binary(const Json& json) {
  return {.true_label = json.at("true_label"),
          .false_label = json.at("false_label"),
          .usual_words = json.at("usual_words"),
          .strategy = from_name(kStrategies, json.at("missing_value_strategy")),
          .fill = json.at("fill"),
          .usual = json.at("usual"),
          .true_rows = json.at("true_rows"),
          .false_rows = json.at("false_rows")};
}

CategoryFit read_category(const Json& json) {
  CategoryFit fit{.vocabulary = json.at("vocabulary"),
                  .counts = json.at("counts"),
                  .lowercase = json.at("lowercase"),
                  .strategy = from_name(kStrategies, json.at("missing_value_strategy")),
                  .fill = json.at("fill"),
                  .unknown = json.at("unknown"),
                  .buckets = json.value("buckets", int64_t{0}),
                  .rare = json.value("rare", std::vector<std::string>())};
  std::sort(fit.rare.begin(), fit.rare.end());
  if (const auto targets = json.find("targets"); targets != json.end()) {
    TargetTable& t = fit.targets;
    t.folds = targets->at("folds"), t.width = targets->at("width"), t.seed = targets->at("seed");
    t.means = targets->at("means").get<std::vector<float>>();
    const auto words = static_cast<int64_t>(fit.vocabulary.size());
    if (t.folds < 1 || t.folds > 100 || t.width < 1 || t.width > kMostLayerOutputs ||
        std::ssize(t.means) != (t.folds + 1) * words * t.width ||
        !std::all_of(t.means.begin(), t.means.end(), [](float v) { return std::isfinite(v); }))
      throw Malformed{"the means of the targets are damaged"};
  }
  if (fit.buckets < 0 || fit.buckets > 100'000'000 || fit.size() == 0 ||
      fit.counts.size() != fit.vocabulary.size() || fit.unknown < 0 || fit.unknown >= fit.size())
    throw Malformed{"a vocabulary is damaged"};
  return fit;
}

VectorFit read_vector(const Json& json) {
  VectorFit fit{.size = json.at("size"),
                .strategy = from_name(kStrategies, json.at("missing_value_strategy")),
                .fill = json.at("fill"),
                .usual = json.at("usual"),
                .shift = json.value("shift", std::vector<double>()),
                .scale = json.value("scale", std::vector<double>())};
  const auto whole = [&](const auto& values) {
    return static_cast<int64_t>(values.size()) == fit.size &&
           std::all_of(values.begin(), values.end(), [](auto v) { return std::isfinite(v); });
  };
  const bool scaled = !fit.shift.empty() || !fit.scale.empty();
  if (fit.size < 1 || fit.size > kMostLayerOutputs || !whole(fit.fill) || !whole(fit.usual) ||
      (scaled && (!whole(fit.shift) || !whole(fit.scale) ||
                  std::any_of(fit.scale.begin(), fit.scale.end(), [](double v) { return v <= 0; }))))
    throw Malformed{"the size of vectors is damaged"};
  return fit;
}

WordsFit read_words(const Json& json) {
  WordsFit fit{.vocabulary = json.at("vocabulary"),
               .counts = json.at("counts"),
               .lowercase = json.at("lowercase"),
               .repeats = json.at("repeats"),
               .strategy = from_name(kStrategies, json.at("missing_value_strategy")),
               .fill = json.at("fill"),
               .usual = json.at("usual"),
               .unknown = json.at("unknown"),
               .width = json.at("width")};
  const auto fits = [&](const std::vector<int32_t>& numbers) {
    return static_cast<int64_t>(numbers.size()) <= fit.width &&
           std::all_of(numbers.begin(), numbers.end(),
                       [&](int32_t n) { return n >= 0 && n < static_cast<int32_t>(fit.size()); });
  };
  if (fit.size() == 0 || fit.counts.size() != fit.vocabulary.size() || fit.width < 1 ||
      fit.width > kMostLayerOutputs || fit.unknown < -1 || fit.unknown >= fit.size() || !fits(fit.fill) ||
      !fits(fit.usual))
    throw Malformed{"a vocabulary is damaged"};
  return fit;
}

DateFit read_date(const Json& json) {
  const bool day_first = json.at("day_first");
  const DateFit fit{.order = day_first ? data::DateOrder::day_first : data::DateOrder::month_first,
                    .strategy = from_name(kStrategies, json.at("missing_value_strategy")),
                    .fill = json.at("fill"),
                    .usual = json.at("usual"),
                    .year_shift = finite(json, "year_shift"),
                    .year_scale = finite(json, "year_scale")};
  constexpr int64_t kFirst = -62'135'596'800, kEnd = 253'402'300'800;  // the years 1 to 9999
  for (const int64_t seconds : {fit.fill, fit.usual})
    if (seconds < kFirst || seconds > kEnd) throw Malformed{"a date is out of range"};
  if (fit.year_scale <= 0) throw Malformed{"a scale is not above 0"};
  return fit;
}

PictureFit read_picture(const Json& json) {
  const bool crops = json.at("crop_or_pad");
  PictureFit fit{.height = json.at("height"),
                 .width = json.at("width"),
                 .channels = json.at("channels"),
                 .resize = crops ? Resize::crop_or_pad : Resize::interpolate,
                 .strategy = from_name(kStrategies, json.at("missing_value_strategy")),
                 .fill = json.at("fill"),
                 .shift = json.at("shift"),
                 .scale = json.at("scale")};
  const auto within = [](int64_t value, int64_t most) { return value >= 1 && value <= most; };
  if (!within(fit.height, kMostPictureSide) || !within(fit.width, kMostPictureSide) ||
      !within(fit.channels, kMostPictureChannels) || fit.fill < 0 || fit.fill > 255)
    throw Malformed{"a picture's size is out of range"};
  const auto of_channels = [&](const std::vector<double>& values) {
    return std::ssize(values) == fit.channels &&
           std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
  };
  if (!of_channels(fit.shift) || !of_channels(fit.scale) ||
      std::ranges::any_of(fit.scale, [](double v) { return v <= 0; }))
    throw Malformed{"the scale of pixels is damaged"};
  fit.whitening = json.value("whitening", std::vector<double>());
  if (!fit.whitening.empty() &&
      (std::ssize(fit.whitening) != 32 * fit.channels * fit.channels ||
       !std::ranges::all_of(fit.whitening, [](double v) { return std::isfinite(v); })))
    throw Malformed{"the filters of a picture are damaged"};
  if (json.contains("mode")) {
    const auto pixels = decode_base64(json.at("mode").get_ref<const std::string&>());
    if (!pixels || std::ssize(*pixels) != fit.form().bytes())
      throw Malformed{"the most frequent picture is damaged"};
    fit.mode.assign(pixels->begin(), pixels->end());
  }
  return fit;
}

Fit read_fit(const Json& json) {
  const std::string type = json.at("type");
  if (type == "number") return read_number(json);
  if (type == "binary") return read_binary(json);
  if (type == "category") return read_category(json);
  if (type == "vector") return read_vector(json);
  if (type == "words") return read_words(json);
  if (type == "date") return read_date(json);
  if (type == "picture") return read_picture(json);
  throw Malformed{fmt::format("unknown type '{}'", type)};
}

Json write_all(const std::vector<Fit>& fits) {
  Json list = Json::array();
  for (const Fit& fit : fits) list.push_back(std::visit([](const auto& one) { return write(one); }, fit));
  return list;
}

std::vector<Fit> read_all(const Json& list) {
  if (!list.is_array()) throw Malformed{"no list of fits"};
  std::vector<Fit> fits;
  for (const Json& json : list) fits.push_back(read_fit(json));
  return fits;
}

}  // namespace

std::string to_json(const Fits& fits) {
  const Json json{{"inputs", write_all(fits.inputs)}, {"outputs", write_all(fits.outputs)}};
  // A word of the data may be no UTF-8; what is written always is.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Fits> fits_from_json(std::string_view text) {
  const auto damaged = [](std::string_view what) {
    return fail(ErrorKind::data, fmt::format("the preprocessing of the model is damaged ({})", what), {},
                "take the model file from its source again");
  };
  try {
    const Json json = Json::parse(text);
    return Fits{read_all(json.at("inputs")), read_all(json.at("outputs"))};
  } catch (const Malformed& error) {
    return damaged(error.what);
  } catch (const Json::exception& error) {
    return damaged(error.what());
  }
}

}  // namespace shoestring::task
