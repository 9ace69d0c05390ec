// ASCII letters and blank-separated word lists, as the tables of languages use them.
#pragma once

#include <cstddef>
#include <string_view>

namespace symphony::extensions {

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr char to_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

// Calls visit(word) for every word of `words`.
template <class Visit>
constexpr void for_each_word(std::string_view words, Visit&& visit) {
  for (std::size_t begin = 0; begin < words.size();) {
    std::size_t end = words.find(' ', begin);
    if (end == std::string_view::npos) end = words.size();
    if (end > begin) visit(words.substr(begin, end - begin));
    begin = end + 1;
  }
}

}  // namespace symphony::extensions
