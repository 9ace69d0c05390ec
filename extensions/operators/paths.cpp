#include "extensions/operators/paths.hpp"

#include <cstdint>
#include <cstring>

#include "messages/utf8.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::extensions {

std::size_t utf8_sequence_length(std::string_view text, std::size_t at) noexcept {
  return at < text.size() ? symphony::utf8_sequence_length(text.substr(at)) : 0;
}

namespace {

// How many bytes from `at` on are ASCII, in steps of eight.
std::size_t ascii_run(std::string_view text, std::size_t at) noexcept {
  std::size_t i = at;
  while (i + 8 <= text.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    if (word & 0x8080808080808080ULL) break;
    i += 8;
  }
  while (i < text.size() && static_cast<unsigned char>(text[i]) < 0x80) ++i;
  return i - at;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  std::size_t i = 0;
  while ((i += ascii_run(text, i)) < text.size()) {
    const std::size_t length = utf8_sequence_length(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string to_utf8_lossy(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t ascii = ascii_run(text, i);
    out.append(text.substr(i, ascii));
    i += ascii;
    if (i >= text.size()) break;
    const std::size_t length = utf8_sequence_length(text, i);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      ++i;
    } else {
      out.append(text.substr(i, length));
      i += length;
    }
  }
  return out;
}

std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes) noexcept {
  if (text.size() <= max_bytes) return text;
  std::size_t end = max_bytes;
  while (end > 0 && max_bytes - end < 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;
  return text.substr(0, end);
}

std::string encode_path(std::string_view raw) { return runtime::encode_path(raw); }
std::string decode_path(std::string_view text) { return runtime::decode_path(text); }

std::string join_path(std::string_view root, std::string_view relative) {
  if (root.empty() || (!relative.empty() && relative.front() == '/')) return std::string(relative);
  if (relative.empty()) return std::string(root);
  std::string joined(root);
  if (joined.back() != '/') joined += '/';
  return joined.append(relative);
}

}  // namespace symphony::extensions
