// Messages as numbers: made by hand, or taken from sound ones and damaged.
#pragma once

#include <cstdint>
#include <vector>

#include "messages/words.hpp"

namespace symphony::testing {

// The words of a message, to be changed at will.
struct RawWords {
  explicit RawWords(const Words& words);
  RawWords(std::vector<std::uint64_t> words, std::vector<std::uint32_t> segment_sizes)
      : content(std::move(words)), sizes(std::move(segment_sizes)) {}
  explicit RawWords(std::vector<std::uint64_t> words)
      : content(std::move(words)), sizes{static_cast<std::uint32_t>(content.size())} {}

  Words words() const;

  std::vector<std::uint64_t> content;
  std::vector<std::uint32_t> sizes;
};

// Pointers as the encoding has them; offsets in words, counted from the pointer's end.
constexpr std::uint64_t struct_pointer(int offset, unsigned data, unsigned pointers) {
  return (static_cast<std::uint32_t>(offset) << 2) | (std::uint64_t{data} << 32) |
         (std::uint64_t{pointers} << 48);
}
constexpr std::uint64_t list_pointer(int offset, unsigned size, std::uint64_t count) {
  return ((static_cast<std::uint32_t>(offset) << 2) | 1) | (std::uint64_t{size} << 32) |
         (count << 35);
}
constexpr std::uint64_t far_pointer(unsigned segment, unsigned word, bool two_words) {
  return 2 | (two_words ? 4 : 0) | (std::uint64_t{word} << 3) | (std::uint64_t{segment} << 32);
}

// Changes one to three words into something near or likely; `next()` gives numbers to choose by.
template <class Next>
void damage(RawWords& raw, Next&& next) {
  if (raw.content.empty()) return;
  const auto any_word = [&]() -> std::uint64_t& {
    return raw.content[next() % raw.content.size()];
  };
  const auto small = [&](unsigned limit) { return static_cast<unsigned>(next() % limit); };
  const auto offset = [&] { return static_cast<int>(small(64)) - 32; };
  for (auto changes = 1 + small(3); changes > 0; --changes) {
    auto& word = any_word();
    switch (small(7)) {
      case 0:
        word ^= std::uint64_t{1} << small(64);
        break;
      case 1:
        word = next();
        break;
      case 2:
        word = any_word();
        break;
      case 3:
        word = struct_pointer(offset(), small(8), small(8));
        break;
      case 4:
        word = list_pointer(offset(), small(8), small(64));
        break;
      case 5:
        word = far_pointer(small(4), small(64), small(2) == 0);
        break;
      default:
        word += small(16);
        break;
    }
  }
  if (small(8) == 0 && raw.sizes.back() > 0) --raw.sizes.back();
}

}  // namespace symphony::testing
