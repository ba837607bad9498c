// What is asked of a feature's fit whatever its type.
#include <fmt/format.h>

#include "base/overloaded.h"
#include "task/preprocess.h"

namespace shoestring::task {
namespace {

bool has_strategy(const Fit& fit, MissingValues strategy) {
  const auto* number = std::get_if<NumberFit>(&fit);
  return std::visit([&](const auto& one) { return one.strategy == strategy; }, fit) ||
         (number && number->outlier_strategy == strategy);
}

bool drops(MissingValues strategy) { return strategy == MissingValues::drop_row; }

}  // namespace

int64_t size_of(const Fit& fit) {
  return std::visit(
      Overloaded{[](const CategoryFit& f) { return f.size(); }, [](const WordsFit& f) { return f.size(); },
                 [](const VectorFit& f) { return f.size; }, [](const auto&) { return int64_t{1}; }},
      fit);
}

int64_t width_of(const Fit& fit) {
  const auto* words = std::get_if<WordsFit>(&fit);
  return words ? words->width : 1;
}

std::string_view cell_of(FeatureType type) {
  constexpr std::string_view kCells[] = {"a number",        "true or false",   "a word", "a list of numbers",
                                         "a list of words", "a list of words", "a date", "a picture"};
  return kCells[static_cast<size_t>(type)];
}

std::string cell_of(const Fit& fit) {
  const auto of_type = [](FeatureType type) { return std::string(cell_of(type)); };
  return std::visit(
      Overloaded{[&](const NumberFit&) { return of_type(FeatureType::number); },
                 [&](const BinaryFit&) { return of_type(FeatureType::binary); },
                 [&](const CategoryFit&) { return of_type(FeatureType::category); },
                 [&](const VectorFit& f) { return fmt::format("a list of {} numbers", f.size); },
                 [&](const WordsFit&) { return of_type(FeatureType::set); },
                 [&](const DateFit& f) {
                   const bool day_first = f.order == data::DateOrder::day_first;
                   return of_type(FeatureType::date) + (day_first ? " with the day first" : "");
                 },
                 [&](const PictureFit&) { return of_type(FeatureType::image); }},
      fit);
}

bool looks_ahead(const Fit& fit) { return has_strategy(fit, MissingValues::bfill); }
bool looks_around(const Fit& fit) { return looks_ahead(fit) || has_strategy(fit, MissingValues::ffill); }

bool drops_missing(const InputFeature& feature) {
  // Of pictures those that are broken in any case.
  return feature.type() == FeatureType::image ||
         std::visit([](const auto& spec) { return drops(spec.preprocessing.missing_value_strategy); },
                    feature.spec);
}
bool drops_missing(const OutputFeature& feature) {
  return std::visit([](const auto& spec) { return drops(spec.preprocessing.missing_value_strategy); },
                    feature.spec);
}

}  // namespace shoestring::task
