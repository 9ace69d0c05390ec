// Reads what `git rev-list --format` and `git diff-tree --raw --numstat -z` write. Pure: bytes in,
// commits out, whatever the bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "extensions/operators/git/repository.hpp"

namespace symphony::extensions::git {

// Paths are raw bytes, as git has them.
struct FileChange {
  std::string path;
  std::string old_path;  // set when the commit renamed the file
  std::uint32_t added = 0;
  std::uint32_t removed = 0;
  bool created = false;
  bool deleted = false;
};

struct Commit {
  std::string id;
  std::int64_t time_s = 0;  // when it was committed
  Person author;
  std::string summary;  // the first line of the message
  bool merge = false;
  bool boundary = false;  // parents are missing (shallow clone)
  bool bulk = false;
  bool unread = false;              // what it changed cannot be read
  std::vector<FileChange> changes;  // by path
};

// The option for what parse_commits() reads; each commit ends with a newline.
inline constexpr const char* kCommitFormat = "--format=%H %P%x00%ct%x00%aN%x00%aE%x00%s%x00";

// Stops at the first commit that is cut off.
std::vector<Commit> parse_commits(std::string_view text);

struct CommitChanges {
  std::string id;
  std::vector<FileChange> changes;  // of regular files, by path
};

// Output of `diff-tree --stdin --always --raw --numstat -z`, or without --numstat. Stops at what it
// does not understand; a commit that is cut off may be the last.
std::vector<CommitChanges> parse_changes(std::string_view text);

}  // namespace symphony::extensions::git
