#include "runtime/settings/toml_nesting.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/settings/toml.hpp"

namespace symphony::runtime {
namespace {

// Bytes from `text` (which starts with `quote`) to behind the end of the string.
std::size_t string_bytes(std::string_view text, char quote) {
  const std::string triple(3, quote);
  const bool multi_line = text.starts_with(triple);
  const std::string end = multi_line ? triple : std::string(1, quote);
  std::size_t at = end.size();
  while (at < text.size()) {
    if (quote == '"' && text[at] == '\\') {
      at += 2;
    } else if (text.substr(at).starts_with(end)) {
      at += end.size();
      // Up to two quotes may stand before the closing three.
      for (int extra = 0; multi_line && extra < 2 && at < text.size() && text[at] == quote; ++extra)
        ++at;
      return at;
    } else if (!multi_line && text[at] == '\n') {
      return at;
    } else {
      ++at;
    }
  }
  return text.size();
}

TomlPlace place_of(std::string_view text, std::size_t offset) {
  TomlPlace place{1, 1};
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
      ++place.column;
    }
  }
  return place;
}

}  // namespace

std::string nesting_message() {
  return "tables and lists are nested more than " + std::to_string(kMaxTomlDepth) + " deep";
}

std::optional<TomlPlace> find_excessive_nesting(std::string_view text, std::size_t max_depth) {
  std::vector<std::size_t> open;  // for each open bracket, how deep its opening leads
  std::size_t depth = 0;          // the sum of `open`
  std::size_t dots = 0;           // in the key or header being read
  std::size_t key_dots = 0;       // in the key whose value is being read
  for (std::size_t at = 0; at < text.size();) {
    std::size_t step = 1;
    switch (text[at]) {
      case '"':
      case '\'':
        step = string_bytes(text.substr(at), text[at]);
        break;
      case '#':
        step = std::min(text.find('\n', at), text.size()) - at;
        break;
      case '[':
      case '{':
        open.push_back(key_dots + 1);
        depth += open.back();
        dots = key_dots = 0;
        break;
      case ']':
      case '}':
        if (!open.empty()) {
          depth -= open.back();
          open.pop_back();
        }
        dots = key_dots = 0;
        break;
      case '.':
        ++dots;
        break;
      case '=':
        key_dots = std::exchange(dots, 0);
        break;
      case '\n':
      case ',':
        dots = key_dots = 0;
        break;
      default:
        break;
    }
    if (depth + dots > max_depth) return place_of(text, at);
    at += step;
  }
  return std::nullopt;
}

}  // namespace symphony::runtime
