// One thing that was logged, and how it is written: as a line of text for people or of JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/ids/uuid7.hpp"

namespace symphony::runtime {

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kOff };

// "trace", "debug", "info", "warn", "error", "off".
std::string_view to_string(LogLevel level) noexcept;
std::optional<LogLevel> parse_log_level(std::string_view name) noexcept;

using LogValue = std::variant<bool, std::int64_t, std::uint64_t, double, std::string>;

struct LogRecord {
  std::uint64_t sequence = 0;  // 1, 2, ... of this log, without gaps
  std::int64_t wall_ns = 0;
  LogLevel level = LogLevel::kInfo;
  std::string node;
  std::string component;
  Uuid trace;              // nil: none
  std::uint64_t span = 0;  // 0: none
  std::string message;     // valid UTF-8, like all texts of a record
  std::vector<std::pair<std::string, LogValue>> fields;
};

// {"time":"2026-01-01T00:00:00.000000Z","seq":1,"level":"info","node":"alpha","component":"/pit/pool",
//  "trace":"…","span":"00000000000000ff","message":"…","fields":{"key":1}} without a line end.
//  `trace`,
// `span` and `fields` are left out when there are none.
std::string format_json(const LogRecord& record);

// "00:00:00.000 info  /pit/pool  message  key=1 trace=…" without a line end, in UTC. Control
// characters are escaped, so that a record is one line and cannot act upon the terminal.
std::string format_text(const LogRecord& record, bool colours);

}  // namespace symphony::runtime
