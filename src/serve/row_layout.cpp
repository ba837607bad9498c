#include "serve/row_layout.h"

#include <algorithm>
#include <cstring>

namespace shoestring::serve {
namespace {

constexpr size_t kWord = sizeof(uint32_t);

}  // namespace

RowLayout::RowLayout(const task::NetworkSpec& spec) {
  const auto& inputs = spec.recipe.inputs;
  numbers = task::number_columns(spec);
  words = numbers;
  int64_t number = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (task::port_of(inputs[i]).empty()) {
      offsets.push_back(number++);
      continue;
    }
    own.push_back({i, words, task::port_type(spec, i, 1).elements()});
    offsets.push_back(words);
    words += own.back().width;
  }
}

int64_t RowLayout::width_of(size_t input) const {
  const auto found = std::ranges::find(own, input, &Own::input);
  return found == own.end() ? 1 : found->width;
}

void RowLayout::to_ports(const uint32_t* rows, int64_t count, int64_t first,
                         const train::Ports& ports) const {
  for (int64_t r = 0; r < count; ++r, rows += words) {
    if (ports.numbers)
      std::memcpy(ports.numbers + (first + r) * numbers, rows, static_cast<size_t>(numbers) * kWord);
    for (const Own& o : own)
      if (void* port = ports.inputs[o.input])
        std::memcpy(static_cast<uint32_t*>(port) + (first + r) * o.width, rows + o.offset,
                    static_cast<size_t>(o.width) * kWord);
  }
}

void RowLayout::repeat_last(int64_t filled, int64_t plan_rows, const train::Ports& ports) const {
  const auto repeat = [&](void* port, int64_t width) {
    auto* const values = static_cast<uint32_t*>(port);
    for (int64_t r = filled; port && r < plan_rows; ++r)
      std::memcpy(values + r * width, values + (filled - 1) * width, static_cast<size_t>(width) * kWord);
  };
  repeat(ports.numbers, numbers);
  for (const Own& o : own) repeat(ports.inputs[o.input], o.width);
}

}  // namespace shoestring::serve
