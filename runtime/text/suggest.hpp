// "Did you mean …?": the nearest known word to a misspelt one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace symphony::runtime {

// The candidate nearest to `word` by optimal string alignment distance (insert, delete, replace,
// swap neighbours), or nothing when even the nearest differs in more than a third of its letters
// (at least two edits are always forgiven in words of four letters or more). Ties go to the
// earlier candidate. Case is ignored. Thread-safe: pure.
std::optional<std::string> suggest(std::string_view word, std::span<const std::string> candidates);

// " (did you mean \"x\"?)" or "".
std::string suggestion_suffix(std::string_view word, std::span<const std::string> candidates);

}  // namespace symphony::runtime
