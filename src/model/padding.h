// Pixels around pictures other than zeros, as PyTorch's padding_mode has them: nodes of slice, broadcast and
// concat, so that they have gradients and are exported as these are.
#pragma once

#include <array>
#include <cstdint>

namespace shoestring {
class Value;
}

namespace shoestring::model {

// 0; the picture's own, mirrored at its edge without it; its edge's; those of its other side.
enum class PaddingMode { zeros, reflect, replicate, circular };

// The most that one side may have in a picture of so many pixels: one fewer where it is reflected, as many
// where it goes around.
int64_t most_padding(PaddingMode mode, int64_t size);

// [b,h,w,c] -> [b,top+h+bottom,left+w+right,c]; padding is top, left, bottom, right, each at most
// most_padding(), else an error of the graph. Not for zeros, which convolutions have of their own.
Value padded(Value x, const std::array<int64_t, 4>& padding, PaddingMode mode);

}  // namespace shoestring::model
