// What git ignores in a work tree.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "extensions/operators/file/patterns.hpp"

namespace symphony::extensions {

// The ignore rules that are in force while a tree is walked depth first. Not thread-safe.
class WorkTree {
 public:
  // The work tree that holds `root`, or nullptr when there is none.
  static std::unique_ptr<WorkTree> discover(const std::string& root);
  ~WorkTree();

  // Makes the .gitignore of `directory` (relative to root, "" is root) take part, until leave().
  void enter(std::string_view directory);
  void leave();
  // Whether git would ignore this path (relative to root) and does not track it.
  bool ignored(std::string_view path, bool is_directory) const;

 private:
  struct Level {
    std::string base;  // relative to the top, with a slash at the end unless empty
    PatternList patterns;
  };
  class Tracked;

  WorkTree() = default;
  void push(std::string base, const std::string& ignore_file);

  std::string top_;        // absolute, without a slash at the end
  std::string root_base_;  // of root, relative to top_, with a slash at the end unless empty
  std::vector<Level> levels_;
  std::unique_ptr<Tracked> tracked_;
};

}  // namespace symphony::extensions
