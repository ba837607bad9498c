// Small words about names and numbers that every layer says: nearest spellings for errors, sizes and
// durations for people.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shoestring {

// The candidate nearest to `word` by edit distance (adjacent swaps count one), or "" if none is near
// enough to be a likely slip of the keyboard.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

// "a, b, c and 1234 more": the first twelve of them.
std::string listed(std::span<const std::string> names);

// ASCII letters in lower case.
std::string lowered(std::string_view text);

// "90s", "1.5min", "2h", "500ms", or a bare number of seconds; nothing where it is no such time above 0.
std::optional<double> parse_seconds(std::string_view text);

// "512MiB", "2GiB", "500MB", "1.5G", or a bare number of bytes: M and MB are 10^6, Mi and MiB 2^20. Nothing
// where it is no such size above 0.
std::optional<int64_t> parse_bytes(std::string_view text);

std::string count_of(int64_t count, std::string_view thing);  // "3 rows", "1 row"
std::string human_bytes(int64_t bytes);                       // "1.5 MiB"
std::string human_seconds(double seconds);                    // "1.2 s", "340 ms", "2 min 05 s"
std::string human_count(double count);                        // "1.2 M"
std::string human_metric(double value);  // "0.3072", "13481.5", "4.8280e+09", "–" if it is none

}  // namespace shoestring
