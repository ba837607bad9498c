// Texts taken apart into tokens, by rules that need no vocabulary or model. The tokens are views of the text.
#pragma once

#include <string_view>
#include <vector>

namespace shoestring::data {

enum class Tokenizer {
  space,        // at spaces
  space_punct,  // runs of letters and digits, and each other sign on its own
  characters,   // each character (of UTF-8) on its own
  underscore,   // at underscores, spaces around them dropped
  comma,        // at commas, spaces around them dropped
  untokenized,  // the text is one token
  stripped,     // the same without spaces at its ends
};

// The tokens of a text in order; none is empty.
std::vector<std::string_view> tokenize(std::string_view text, Tokenizer tokenizer);

}  // namespace shoestring::data
