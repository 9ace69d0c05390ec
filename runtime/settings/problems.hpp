// What is wrong with something a person wrote: all of it at once, a line each.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/settings/source_mark.hpp"

namespace symphony::runtime {

inline constexpr std::size_t kMaxProblems = 100;  // those beyond are counted, not kept

struct Problem {
  SourceMark mark;
  std::string path;             // "supervision.intensity"; empty when the place says it all
  std::string message;          // what is wrong and what to do
  std::string suggestion = {};  // the word that was probably meant

  // `node.toml:12: supervision.intensty: unknown key (did you mean "intensity"?)`
  // Without a path the column is shown: `node.toml:12:7: unterminated string`.
  std::string text() const;
};

// Problems in the order in which they were found. A value; not thread-safe for writing.
class Problems {
 public:
  void add(Problem problem);
  void append(Problems others);
  // File by file in order of first appearance, then by line and column; marks without a line keep
  // their order behind the files.
  void sort_by_place();

  bool empty() const noexcept { return list_.empty(); }
  std::size_t size() const noexcept { return list_.size() + dropped_; }
  auto begin() const noexcept { return list_.begin(); }
  auto end() const noexcept { return list_.end(); }
  const Problem& operator[](std::size_t position) const { return list_[position]; }

  // A line each, with newlines; the last says how many more there are beyond `kMaxProblems`.
  std::string text() const;

 private:
  std::vector<Problem> list_;
  std::size_t dropped_ = 0;
};

// What came out of reading something: `value` is there exactly when `problems` is empty.
template <class T>
struct [[nodiscard]] Checked {
  std::optional<T> value = {};
  Problems problems = {};

  bool ok() const noexcept { return value.has_value(); }
};

}  // namespace symphony::runtime
