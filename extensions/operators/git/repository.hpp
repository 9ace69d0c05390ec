// What there is to know of the repository that a directory belongs to, asked of git itself.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "extensions/operators/git/command.hpp"

namespace symphony::extensions::git {

// Whether `directory` is git's own: what `git init --bare` makes, or what lies in a `.git`.
bool is_git_directory(const std::string& directory);

// Who made a commit, after .mailmap, as valid UTF-8. Either may be empty.
struct Person {
  std::string name;
  std::string email;
};

// Tracked files that differ from HEAD. What cannot be told is not counted, and said.
struct Changes {
  std::optional<std::size_t> files;  // nothing: not known
  std::string note;
};

class Repository {
 public:
  // What there is at a directory (or the directory of a file): nothing when it belongs to no
  // repository. Errc::UNAVAILABLE when there is one that cannot be read, in git's words.
  static Result<std::optional<Repository>> open(const std::string& path, Caller caller);

  // Runs git in the asked directory, or at the root. From any thread.
  Result<Answer> run(std::vector<std::string> arguments, std::string input = {}) const;
  Result<Answer> run_at_root(std::vector<std::string> arguments, std::string input = {}) const;

  const std::string& root() const noexcept { return root_; }  // of the work tree; bare: its own
  // Where the asked directory lies below the root of the work tree: "" or "a/b/" (raw bytes).
  const std::string& prefix() const noexcept { return prefix_; }
  bool bare() const noexcept { return bare_; }  // or asked from inside the git directory
  bool shallow() const noexcept { return shallow_; }
  // The id of the commit that HEAD names; empty without commits, or when HEAD is damaged.
  const std::string& head() const noexcept { return head_; }
  const std::string& branch() const noexcept { return branch_; }  // UTF-8; empty when detached
  // Why history is missing or incomplete, as sentences; empty when it is not.
  const std::string& note() const noexcept { return note_; }

  // A clone that left objects out; they are not fetched here.
  bool partial() const noexcept { return partial_; }
  // The commits at the edge of a shallow clone.
  Result<std::set<std::string>> shallow_commits() const;
  Result<Changes> changes() const;
  // Paths of tracked regular files, relative to the root, raw bytes.
  Result<std::set<std::string>> tracked_files() const;

 private:
  Repository(std::string directory, Caller caller)
      : directory_(std::move(directory)), caller_(std::move(caller)) {}
  Status read_settings();
  Status read_place();
  Status read_head();
  Result<std::size_t> filtered(const std::vector<std::string>& paths) const;

  std::string directory_;
  Caller caller_;
  std::string root_, prefix_, head_, branch_, note_;
  bool bare_ = false;
  bool shallow_ = false;
  bool partial_ = false;
  // Filters are programs that the repository names; these settings switch them off.
  std::vector<std::pair<std::string, std::string>> no_filters_;
};

// Adds a sentence to a note that may have some; what it says already is not said again.
void add_note(std::string& note, std::string_view sentence);

}  // namespace symphony::extensions::git
