// What an error tells of a program's output: its beginning, where compilers name the first fault,
// and its end, where most others say why they gave up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace symphony::extensions {

inline constexpr std::size_t kExcerptHeadBytes = 1500;
inline constexpr std::size_t kExcerptTailBytes = 2500;
// A single line up to this length stands behind the sentence, anything else below it.
inline constexpr std::size_t kExcerptLineBytes = 400;

struct Output {
  std::string_view text;          // from the beginning
  std::string_view tail = {};     // the end of what `text` does not hold
  std::uint64_t total_bytes = 0;  // at least as many as both have
};

// ": broken", or ":" and lines in valid UTF-8, of which the middle may be missing: whole lines,
// with a note of how much. Empty when there is nothing to see.
std::string excerpt(const Output& output);

}  // namespace symphony::extensions
