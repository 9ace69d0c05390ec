// What git ignores in a work tree.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extensions/operators/git/command.hpp"
#include "messages/result.hpp"
#include "runtime/text/patterns.hpp"

namespace symphony::extensions {

// The ignore rules that are in force while a tree is walked depth first. Not thread-safe.
class WorkTree {
 public:
  // The work tree that holds `root`, or nullptr when there is none. Fails when that cannot be told.
  // `caller` has git started to learn what is tracked.
  static Result<std::unique_ptr<WorkTree>> discover(const std::string& root, git::Caller caller);

  // Makes the .gitignore of `directory` (relative to root, "" is root) take part, until leave().
  void enter(std::string_view directory);
  void leave();
  // Files of rules that are there and could not be read since the last call: path and reason.
  std::vector<std::pair<std::string, std::string>> take_unread() {
    return std::exchange(unread_, {});
  }
  // Whether git would ignore this path (relative to root) and does not track it.
  bool ignored(std::string_view path, bool is_directory);
  // Why it is not known what git tracks, so that files may be missing; empty when it is.
  const std::string& problem() const noexcept { return problem_; }
  // Fails where git could not be asked at all.
  const Status& asked() const noexcept { return failure_; }

 private:
  struct Level {
    std::string base;  // relative to the top, with a slash at the end unless empty
    runtime::PatternList patterns;
  };

  explicit WorkTree(git::Caller caller) : caller_(std::move(caller)) {}
  bool tracked(const std::string& path, bool is_directory);
  void push(std::string base, const std::string& ignore_file);

  std::string top_;        // absolute, without a slash at the end
  std::string root_base_;  // of root, relative to top_, with a slash at the end unless empty
  std::vector<Level> levels_;
  std::vector<std::pair<std::string, std::string>> unread_;
  std::optional<std::set<std::string>> tracked_;  // relative to top_; nothing: not asked yet
  git::Caller caller_;
  std::string problem_;
  Status failure_;
};

}  // namespace symphony::extensions
