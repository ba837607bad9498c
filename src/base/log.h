// Where the library's words go. The library never prints: it tells a sink, and src/cli decides.
#pragma once

#include <functional>
#include <string_view>

namespace shoestring {

enum class LogLevel { debug, info, note, warning };  // note: a decision the user should know of

using LogSink = std::function<void(LogLevel, std::string_view message)>;

}  // namespace shoestring
