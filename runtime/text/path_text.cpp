#include "runtime/text/path_text.hpp"

#include <cstdint>

#include "messages/utf8.hpp"

namespace symphony::runtime {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

std::uint8_t byte_at(std::string_view text, std::size_t i) noexcept {
  return static_cast<std::uint8_t>(text[i]);
}

// U+F780..U+F7FF are EF 9E 80..BF and EF 9F 80..BF.
bool begins_with_escape(std::string_view text) noexcept {
  return text.size() >= 3 && byte_at(text, 0) == 0xef &&
         (byte_at(text, 1) == 0x9e || byte_at(text, 1) == 0x9f) && (byte_at(text, 2) >> 6) == 2;
}

void append_escape(std::string& text, std::uint8_t byte) {
  text += '\xef';
  text += static_cast<char>(byte < 0xc0 ? 0x9e : 0x9f);
  text += static_cast<char>(0x80 | (byte & 0x3f));
}

void append_hex(std::string& text, std::uint8_t byte) {
  text += "\\x";
  text += kHex[byte >> 4];
  text += kHex[byte & 15];
}

// C1 controls (U+0080..U+009F) are two bytes of valid UTF-8 that terminals act upon.
bool is_c1_control(std::string_view sequence) noexcept {
  return sequence.size() == 2 && byte_at(sequence, 0) == 0xc2 && byte_at(sequence, 1) < 0xa0;
}

}  // namespace

std::string encode_path(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    std::size_t length = utf8_sequence_length(bytes);
    if (length == 0 || begins_with_escape(bytes)) {
      length = length == 0 ? 1 : length;
      for (std::size_t i = 0; i < length; ++i) append_escape(text, byte_at(bytes, i));
    } else {
      text.append(bytes, 0, length);
    }
    bytes.remove_prefix(length);
  }
  return text;
}

std::string decode_path(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (!text.empty()) {
    if (begins_with_escape(text)) {
      const int page = byte_at(text, 1) == 0x9e ? 0x80 : 0xc0;
      bytes += static_cast<char>(page | (byte_at(text, 2) & 0x3f));
      text.remove_prefix(3);
    } else {
      bytes += text.front();
      text.remove_prefix(1);
    }
  }
  return bytes;
}

std::string display_path(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = utf8_sequence_length(bytes);
    const std::string_view sequence = bytes.substr(0, length == 0 ? 1 : length);
    const char first = bytes.front();
    if (first == '\n')
      text += "\\n";
    else if (first == '\t')
      text += "\\t";
    else if (first == '\r')
      text += "\\r";
    else if (first == '\\')
      text += "\\\\";
    else if (length == 0 || (length == 1 && (byte_at(bytes, 0) < 0x20 || first == 0x7f)) ||
             is_c1_control(sequence))
      for (const char c : sequence) append_hex(text, static_cast<std::uint8_t>(c));
    else
      text += sequence;
    bytes.remove_prefix(sequence.size());
  }
  return text;
}

}  // namespace symphony::runtime
