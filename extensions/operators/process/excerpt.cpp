#include "extensions/operators/process/excerpt.hpp"

#include <algorithm>

#include "extensions/operators/paths.hpp"

namespace symphony::extensions {
namespace {

constexpr std::string_view kBlank = " \t\r\n\f\v";

std::string_view trimmed_end(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

// At most so many bytes from the beginning, whole lines if there is the end of one.
std::string_view first_lines(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  text = text.substr(0, bytes_max);
  const auto newline = text.rfind('\n');
  return newline == std::string_view::npos ? text : text.substr(0, newline + 1);
}

std::string_view last_lines(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  const bool at_line = text[text.size() - bytes_max - 1] == '\n';
  text = text.substr(text.size() - bytes_max);
  const auto newline = text.find('\n');
  if (at_line || newline == std::string_view::npos || newline + 1 == text.size()) return text;
  return text.substr(newline + 1);
}

}  // namespace

std::string excerpt(const Output& output) {
  const std::string_view end = trimmed_end(output.tail.empty() ? output.text : output.tail);
  if (end.empty() && trimmed_end(output.text).empty()) return "";
  const bool whole = output.tail.empty() && end.size() <= kExcerptHeadBytes + kExcerptTailBytes;
  if (whole) {
    const bool line = end.find('\n') == std::string_view::npos && end.size() <= kExcerptLineBytes;
    return (line ? ": " : ":\n") + to_utf8_lossy(end);
  }
  const std::string_view head = first_lines(output.text, kExcerptHeadBytes);
  std::string_view rest = end;
  if (output.tail.empty()) rest.remove_prefix(head.size());
  const std::string_view tail = last_lines(rest, kExcerptTailBytes);
  const std::size_t trimmed = (output.tail.empty() ? output.text : output.tail).size() - end.size();
  const std::uint64_t total =
      std::max<std::uint64_t>(output.total_bytes, output.text.size() + output.tail.size());
  const std::uint64_t left_out =
      total - std::min<std::uint64_t>(total, head.size() + tail.size() + trimmed);
  std::string text = ":\n" + to_utf8_lossy(head);
  if (!text.ends_with('\n')) text += '\n';
  return text + "[... " + std::to_string(left_out) + " bytes left out ...]\n" + to_utf8_lossy(tail);
}

}  // namespace symphony::extensions
