#include "runtime/log/log_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "messages/utf8.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::runtime {
namespace {

constexpr std::array<std::string_view, 6> kLevelNames{"trace", "debug", "info",
                                                      "warn",  "error", "off"};
constexpr std::array<std::string_view, 6> kLevelColours{"\x1b[90m", "\x1b[36m",   "\x1b[32m",
                                                        "\x1b[33m", "\x1b[1;31m", ""};
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kPlain = "\x1b[0m";

std::tm utc_of(std::int64_t seconds) {
  std::tm parts{};
  const auto at = static_cast<std::time_t>(seconds);
  ::gmtime_r(&at, &parts);
  return parts;
}

struct SplitTime {
  std::int64_t seconds;
  std::int64_t nanos;  // 0 to 999,999,999, before 1970 too
};
SplitTime split(std::int64_t wall_ns) {
  SplitTime time{wall_ns / 1'000'000'000, wall_ns % 1'000'000'000};
  if (time.nanos < 0) {
    time.nanos += 1'000'000'000;
    --time.seconds;
  }
  return time;
}

void append_json_string(std::string& line, std::string_view text) {
  line += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        line += "\\\"";
        break;
      case '\\':
        line += "\\\\";
        break;
      case '\n':
        line += "\\n";
        break;
      case '\r':
        line += "\\r";
        break;
      case '\t':
        line += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
          line += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
          line += c;
    }
  }
  line += '"';
}

void append_json_member(std::string& line, std::string_view key, std::string_view text) {
  line += ",\"";
  line += key;
  line += "\":";
  append_json_string(line, text);
}

void append_json_value(std::string& line, const LogValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return append_json_string(line, *text);
  if (const auto* number = std::get_if<double>(&value); number && !std::isfinite(*number)) {
    line += fmt::format("\"{}\"", *number);
    return;
  }
  std::visit(
      [&](const auto& plain) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(plain)>, std::string>)
          line += fmt::format("{}", plain);
      },
      value);
}

// What a terminal would act upon becomes visible; all else stays.
void append_visible(std::string& line, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(1, utf8_sequence_length(text));
    if (text.front() == '\\')
      line += '\\';
    else
      line += display_path(text.substr(0, length));
    text.remove_prefix(length);
  }
}

void append_text_value(std::string& line, const LogValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return append_json_value(line, value);
  if (text->empty() || text->find_first_of(" \"=\n\t") != std::string::npos)
    append_json_string(line, *text);
  else
    append_visible(line, *text);
}

}  // namespace

std::string_view to_string(LogLevel level) noexcept {
  return kLevelNames[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> parse_log_level(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i)
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  return std::nullopt;
}

std::string format_json(const LogRecord& record) {
  const SplitTime time = split(record.wall_ns);
  const std::tm utc = utc_of(time.seconds);
  std::string line = fmt::format(
      "{{\"time\":\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z\",\"seq\":{},\"level\":\"{}\"",
      utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
      time.nanos / 1000, record.sequence, to_string(record.level));
  append_json_member(line, "node", record.node);
  append_json_member(line, "component", record.component);
  if (!record.trace.is_nil()) append_json_member(line, "trace", to_string(record.trace));
  if (record.span != 0) append_json_member(line, "span", fmt::format("{:016x}", record.span));
  append_json_member(line, "message", record.message);
  if (!record.fields.empty()) {
    line += ",\"fields\":{";
    for (std::size_t i = 0; i < record.fields.size(); ++i) {
      if (i > 0) line += ',';
      append_json_string(line, record.fields[i].first);
      line += ':';
      append_json_value(line, record.fields[i].second);
    }
    line += '}';
  }
  line += '}';
  return line;
}

std::string format_text(const LogRecord& record, bool colours) {
  const auto painted = [&](std::string_view colour) { return colours ? colour : ""; };
  const SplitTime time = split(record.wall_ns);
  const std::tm utc = utc_of(time.seconds);
  std::string line =
      fmt::format("{}{:02}:{:02}:{:02}.{:03}{} {}{:<5}{} ", painted(kDim), utc.tm_hour, utc.tm_min,
                  utc.tm_sec, time.nanos / 1'000'000, painted(kPlain),
                  painted(kLevelColours[static_cast<std::size_t>(record.level)]),
                  to_string(record.level), painted(kPlain));
  append_visible(line, record.component);
  line += "  ";
  append_visible(line, record.message);
  if (record.fields.empty() && record.trace.is_nil()) return line;
  line += ' ';
  line += painted(kDim);
  for (const auto& [key, value] : record.fields) {
    line += ' ';
    append_visible(line, key);
    line += '=';
    append_text_value(line, value);
  }
  if (!record.trace.is_nil()) line += " trace=" + to_string(record.trace);
  line += painted(kPlain);
  return line;
}

}  // namespace symphony::runtime
