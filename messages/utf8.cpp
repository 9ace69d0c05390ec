#include "messages/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace symphony {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t i) noexcept {
  return static_cast<std::uint8_t>(text[i]);
}

// Most text is ASCII: eight bytes at a time.
bool begins_with_eight_ascii(std::string_view text) noexcept {
  std::uint64_t eight;
  if (text.size() < sizeof eight) return false;
  std::memcpy(&eight, text.data(), sizeof eight);
  return (eight & 0x8080808080808080u) == 0;
}

}  // namespace

std::size_t utf8_sequence_length(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const std::uint8_t first = byte_at(text, 0);
  if (first < 0x80) return 1;
  // The second byte is what rules out overlong forms, surrogates and what lies above U+10FFFF.
  // (The Unicode Standard 15, table 3-7.)
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xbf;
  std::size_t length = 0;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    length = 3;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
  }
  if (length == 0 || text.size() < length) return 0;
  if (byte_at(text, 1) < low || byte_at(text, 1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i)
    if (byte_at(text, i) >> 6 != 2) return 0;
  return length;
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = begins_with_eight_ascii(text) ? 8 : utf8_sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string valid_text(std::string_view text, std::size_t bytes_max) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (text.size() <= bytes_max && is_utf8(text)) return std::string{text};
  std::string valid;
  valid.reserve(std::min(text.size(), bytes_max));
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    if (valid.size() + std::max<std::size_t>(length, 4) > bytes_max && text.size() > length) {
      valid += "…";
      break;
    }
    if (length == 0)
      valid.append("\\x").append({kDigits[byte_at(text, 0) >> 4], kDigits[byte_at(text, 0) & 15]});
    else
      valid.append(text, 0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return valid;
}

std::string shortened(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string{text};
  std::size_t end = bytes_max;
  // A sequence has at most three bytes behind its first.
  for (int back = 0; back < 3 && end > 0 && byte_at(text, end) >> 6 == 2; ++back) --end;
  return std::string{text.substr(0, end)} + "…";
}

}  // namespace symphony
