#include "runtime/text/patterns.hpp"

#include <algorithm>

namespace symphony::runtime {

namespace {

// Matches one element (not a star) of the pattern at `at` against `c`; `next` is what follows it.
bool matches_one(std::string_view pattern, std::size_t at, char c, std::size_t& next) {
  if (pattern[at] == '?') {
    next = at + 1;
    return true;
  }
  if (pattern[at] == '\\' && at + 1 < pattern.size()) {
    next = at + 2;
    return pattern[at + 1] == c;
  }
  if (pattern[at] != '[') {
    next = at + 1;
    return pattern[at] == c;
  }
  std::size_t i = at + 1;
  const bool inverted = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (inverted) ++i;
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(pattern[k]); };
  bool found = false;
  for (const std::size_t first = i; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    const unsigned char low = byte(i);
    unsigned char high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      i += 2;
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      high = byte(i);
    }
    const auto value = static_cast<unsigned char>(c);
    found = found || (value >= low && value <= high);
  }
  if (i >= pattern.size()) {
    // A class that is never closed is a literal bracket.
    next = at + 1;
    return c == '[';
  }
  next = i + 1;
  return found != inverted;
}

// The part of `path` from segment start `at` to its end.
std::string_view segment_at(std::string_view path, std::size_t at) {
  return path.substr(at, path.find('/', at) - at);
}

}  // namespace

bool matches_segment(std::string_view pattern, std::string_view name) noexcept {
  constexpr auto kNone = std::string_view::npos;
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = kNone;  // behind the last star, and the name it was tried with
  std::size_t star_name = 0;
  while (n < name.size()) {
    std::size_t next = 0;
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_name = n;
    } else if (p < pattern.size() && matches_one(pattern, p, name[n], next)) {
      p = next;
      ++n;
    } else if (star != kNone) {
      p = star;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

PathPattern::PathPattern(std::string_view text) {
  text = text.substr(0, kMaxPatternBytes);
  if (text.starts_with('!')) {
    negated_ = true;
    text.remove_prefix(1);
  }
  if (text.ends_with('/')) {
    directories_only_ = true;
    while (text.ends_with('/')) text.remove_suffix(1);
  }
  anchored_ = text.find('/') != std::string_view::npos;
  while (text.starts_with('/')) text.remove_prefix(1);
  for (std::size_t at = 0; at <= text.size() && !text.empty();) {
    const auto segment = segment_at(text, at);
    if (!(segment == "**" && !segments_.empty() && segments_.back() == "**"))
      segments_.emplace_back(segment);
    at += segment.size() + 1;
  }
}

bool PathPattern::matches(std::string_view path, bool is_directory) const noexcept {
  if (segments_.empty() || path.empty() || (directories_only_ && !is_directory)) return false;
  if (!anchored_) {
    const auto slash = path.rfind('/');
    const auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
    return matches_segment(segments_.front(), name);
  }
  // The same greedy walk as within a segment, with ** in the part of the star.
  constexpr auto kNone = std::string_view::npos;
  std::size_t s = 0;
  std::size_t at = 0;
  std::size_t star = kNone;
  std::size_t star_at = 0;
  const auto behind = [&](std::size_t from) {
    return std::min(path.size() + 1, from + segment_at(path, from).size() + 1);
  };
  while (at <= path.size()) {
    if (s < segments_.size() && segments_[s] == "**") {
      star = ++s;
      star_at = at;
      // At the end of a pattern ** stands for at least one segment.
      if (s == segments_.size()) return true;
    } else if (s < segments_.size() && matches_segment(segments_[s], segment_at(path, at))) {
      ++s;
      at = behind(at);
    } else if (star != kNone) {
      star_at = behind(star_at);
      s = star;
      at = star_at;
    } else {
      return false;
    }
  }
  return s == segments_.size();
}

void PatternList::add(std::string_view pattern) {
  if (patterns_.size() < kMaxPatterns) patterns_.emplace_back(pattern);
}

void PatternList::add_lines(std::string_view text) {
  while (!text.empty()) {
    const auto newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    // Blanks at the end do not count unless the last is escaped.
    while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
    if (!line.empty() && line.front() != '#') add(line);
  }
}

std::optional<bool> PatternList::verdict(std::string_view path, bool is_directory) const noexcept {
  for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern) {
    if (pattern->matches(path, is_directory)) return !pattern->negated();
  }
  return std::nullopt;
}

bool PatternList::covers(std::string_view path) const noexcept {
  bool covered = verdict(path, false).value_or(false);
  for (auto slash = path.find('/'); !covered && slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    covered = verdict(path.substr(0, slash), true).value_or(false);
  }
  return covered;
}

}  // namespace symphony::runtime
