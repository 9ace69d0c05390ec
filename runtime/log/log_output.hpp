// Where log lines go.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "messages/result.hpp"

namespace symphony::runtime {

enum class LogFormat { kText, kColouredText, kJson };

// Takes finished lines (without line end) from one thread. A failing sink keeps silent: there is
// nobody left to tell.
class LogSink {
 public:
  LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;
  virtual ~LogSink() = default;
  virtual void write(std::string_view line) = 0;
  virtual void flush() = 0;
};

struct LogOutput {
  std::unique_ptr<LogSink> sink;
  LogFormat format = LogFormat::kJson;
};

// Text on a terminal, JSON elsewhere; colours unless NO_COLOR is set to anything but ""
// (no-color.org) or TERM is "dumb" or not set. Null: the variable is not set.
LogFormat console_format(bool is_terminal, const char* no_color, const char* term) noexcept;

// Standard error, in the format that suits it.
LogOutput console_output();

// JSON lines in `path`, which is renamed to path.1, path.2, ... (before its extension) when it
// would grow beyond `size_max_bytes`; at most `files_max` files besides the current one are kept.
// Fails with notFound when the directory it would be in does not exist (a slip of the pen should
// not make one), and with resourceExhausted when the file cannot be opened.
Result<LogOutput> file_output(const std::string& path, std::size_t size_max_bytes,
                              std::size_t files_max);

}  // namespace symphony::runtime
