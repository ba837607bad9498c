#include "report/importance.h"

#include <algorithm>
#include <cmath>

#include "base/overloaded.h"
#include "base/philox.h"
#include "task/network.h"

namespace shoestring::report {
namespace {

constexpr size_t kMostRows = 2'048;
constexpr int kShuffles = 3;

// The mean over the rows of the weighted losses; of one input, or of none (-1), the values of other rows.
class Judge {
 public:
  Judge(const train::Dataset& data, const DataSample& sample, std::span<const uint32_t> rows,
        train::Runner& runner)
      : data_(&data), sample_(&sample), rows_(rows), runner_(&runner) {
    int next = 0;
    for (const auto& input : data.spec.recipe.inputs)
      column_.push_back(task::port_of(input).empty() ? next++ : -1);
  }

  double loss(int input, std::span<const uint32_t> others) const {
    const auto batch = static_cast<size_t>(runner_->rows());
    const train::Ports& ports = runner_->ports();
    double sum = 0;
    for (size_t begin = 0; begin < rows_.size(); begin += batch) {
      const size_t count = std::min(batch, rows_.size() - begin);
      train::gather({&sample_->inputs(), &sample_->targets(), rows_.subspan(begin, count)}, runner_->rows(),
                    ports);
      if (input >= 0) replace(static_cast<size_t>(input), others.subspan(begin, count), ports);
      runner_->run({});
      for (size_t o = 0; o < ports.losses.size(); ++o)
        for (size_t i = 0; i < count; ++i)
          sum += data_->spec.recipe.outputs[o].loss_weight() * static_cast<double>(ports.losses[o][i]);
    }
    return sum / static_cast<double>(rows_.size());
  }

 private:
  void replace(size_t input, std::span<const uint32_t> others, const train::Ports& ports) const {
    const train::EncodedInputs& inputs = sample_->inputs();
    if (column_[input] >= 0) {
      const int width = inputs.numbers.width();
      for (size_t i = 0; i < others.size(); ++i)
        ports.numbers[i * static_cast<size_t>(width) + static_cast<size_t>(column_[input])] =
            inputs.numbers.row(others[i])[column_[input]];
      return;
    }
    if (input < inputs.features.size() && ports.features[input]) {
      inputs.features[input].gather(others, ports.features[input]);
      return;
    }
    void* const out = ports.inputs[input];
    if (!out) return;
    std::visit(Overloaded{[](const std::monostate&) {},
                          [&](const data::CodeColumn& c) { c.gather(others, static_cast<int32_t*>(out)); },
                          [&](const data::PixelRows& p) { p.gather(others, static_cast<uint8_t*>(out)); },
                          [&](const auto& floats) { floats.gather(others, static_cast<float*>(out)); }},
               inputs.columns[input]);
  }

  const train::Dataset* data_;
  const DataSample* sample_;
  std::span<const uint32_t> rows_;
  train::Runner* runner_;
  std::vector<int> column_;  // of each input in the numbers; -1: it has its own port
};

}  // namespace

Importances importances(const train::Dataset& data, const DataSample& sample, task::SplitName split,
                        train::Runner& evaluation, const std::function<double()>& seconds_left) {
  const auto& all = sample.rows(split);
  const std::span<const uint32_t> rows(all.data(), std::min(all.size(), kMostRows));
  if (rows.size() < 2) return {};
  const double at_first = seconds_left();
  const Judge judge(data, sample, rows, evaluation);
  const double usual = judge.loss(-1, {});
  Philox random(0, 0xFFFFFF04);
  std::vector<std::vector<uint32_t>> orders(kShuffles, std::vector<uint32_t>(rows.begin(), rows.end()));
  for (auto& order : orders)
    for (size_t i = order.size() - 1; i > 0; --i)
      std::swap(order[i], order[random.below(static_cast<uint32_t>(i + 1))]);
  Importances out{.rows = std::ssize(rows)};
  double of_one = kShuffles * (at_first - seconds_left());  // seconds
  for (size_t i = 0; i < data.spec.recipe.inputs.size(); ++i) {
    const double left = seconds_left();
    constexpr double kMargin = 1.5;
    if (left < kMargin * of_one) break;
    double sum = 0, squares = 0;
    for (const auto& order : orders) {
      const double more = judge.loss(static_cast<int>(i), order) - usual;
      sum += more, squares += more * more;
    }
    const double mean = sum / kShuffles;
    out.columns.push_back({data.spec.recipe.inputs[i].name, mean,
                           std::sqrt(std::max(0.0, (squares - sum * mean) / (kShuffles - 1)))});
    of_one = std::max(of_one, left - seconds_left());
  }
  std::stable_sort(out.columns.begin(), out.columns.end(),
                   [](const auto& a, const auto& b) { return a.more_loss > b.more_loss; });
  return out;
}

}  // namespace shoestring::report
