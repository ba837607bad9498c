#include "serve/row_layout.h"

#include <algorithm>
#include <cstring>

namespace shoestring::serve {
namespace {

constexpr int64_t kWord = sizeof(uint32_t);

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
    const int64_t bytes = task::port_type(spec, i, 1).bytes();
    own.push_back({i, words, (bytes + kWord - 1) / kWord, bytes});
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
      std::memcpy(ports.numbers + (first + r) * numbers, rows, static_cast<size_t>(numbers * kWord));
    for (const Own& o : own)
      if (void* port = ports.inputs[o.input])
        std::memcpy(static_cast<std::byte*>(port) + (first + r) * o.bytes, rows + o.offset,
                    static_cast<size_t>(o.bytes));
  }
}

void RowLayout::repeat_last(int64_t filled, int64_t plan_rows, const train::Ports& ports) const {
  const auto repeat = [&](void* port, int64_t bytes) {
    auto* const values = static_cast<std::byte*>(port);
    for (int64_t r = filled; port && r < plan_rows; ++r)
      std::memcpy(values + r * bytes, values + (filled - 1) * bytes, static_cast<size_t>(bytes));
  };
  repeat(ports.numbers, numbers * kWord);
  for (const Own& o : own) repeat(ports.inputs[o.input], o.bytes);
}

}  // namespace shoestring::serve
