// Path patterns with the meaning they have in a .gitignore (gitignore(5), "Pattern format").
//
// `*` and `?` stay within a path segment, `[a-z]` `[!a]` are classes, `**` spans segments, `\x` is
// x. A pattern with a slash anywhere but at its end is anchored at the root, any other matches at
// every depth; a slash at the end restricts it to directories; `!` in front negates; the last
// pattern that matches decides. Matching takes O(pattern x path), never exponential time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace symphony::runtime {

inline constexpr std::size_t kMaxPatternBytes = 4096;
inline constexpr std::size_t kMaxPatterns = 10'000;  // in one list

// One segment ("*.c") against one name.
bool matches_segment(std::string_view pattern, std::string_view name) noexcept;

class PathPattern {
 public:
  explicit PathPattern(std::string_view text);

  bool negated() const noexcept { return negated_; }
  // `path` is relative to where the pattern is anchored, without slashes at its ends.
  bool matches(std::string_view path, bool is_directory) const noexcept;

 private:
  bool negated_ = false;
  bool directories_only_ = false;
  bool anchored_ = false;
  std::vector<std::string> segments_;
};

// Thread-safe: immutable once built.
class PatternList {
 public:
  void add(std::string_view pattern);
  // The lines of a .gitignore: comments and blank lines are left out.
  void add_lines(std::string_view text);
  bool empty() const noexcept { return patterns_.empty(); }

  // What the last matching pattern says: true matched, false negated, nothing: no match.
  std::optional<bool> verdict(std::string_view path, bool is_directory) const noexcept;
  // Whether the path or a directory above it matches ("src/" matches src/a/b).
  bool covers(std::string_view path) const noexcept;

 private:
  std::vector<PathPattern> patterns_;
};

}  // namespace symphony::runtime
