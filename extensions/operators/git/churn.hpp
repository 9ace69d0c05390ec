// How often, how much and by whom each file was changed: pure accounting over commits.
//
// Fed from new to old, it follows renames: what an old name did counts for the newest name. Files
// that were deleted and not made again are left out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "extensions/operators/git/history.hpp"
#include "messages/json_value.hpp"

namespace symphony::extensions::git {

// Who changed a file, and how much: the index of an author and the lines added and removed (a
// commit counts at least one, so that binary files have owners too).
using Shares = std::vector<std::pair<std::size_t, std::int64_t>>;

struct FileChurn {
  std::string path;  // raw bytes
  std::int64_t commits = 0;
  std::int64_t added = 0;
  std::int64_t removed = 0;
  std::int64_t last_change_s = 0;
  std::int64_t first_change_s = 0;
  Shares owners;  // largest first, then by author index
};

struct AuthorActivity {
  std::string name;
  std::string email;
  std::int64_t commits = 0;
  std::int64_t changes = 0;  // lines added and removed, in files that are still there
  std::int64_t files = 0;
  std::int64_t first_s = 0;
  std::int64_t last_s = 0;
};

struct Churn {
  std::vector<FileChurn> files;         // most commits first, then by path
  std::vector<AuthorActivity> authors;  // most changes first, then by name
  std::int64_t commits = 0;
  std::int64_t bulk_commits = 0;      // whose files are not counted
  std::int64_t boundary_commits = 0;  // at the edge of a shallow clone
};

// Not thread-safe.
class ChurnTable {
 public:
  // REQUIRES: commits come from new to old.
  void add(const Commit& commit);
  Churn finish() &&;

 private:
  struct Entry {
    FileChurn churn;
    std::map<std::size_t, std::int64_t> owners;
    bool gone = false;
  };

  std::size_t author_index(const Commit& commit);
  void add_change(const std::string& newest, const FileChange& change, const Commit& commit,
                  std::size_t author);

  std::unordered_map<std::string, Entry> files_;
  std::unordered_map<std::string, std::string> renamed_to_;  // old name to the newest one
  std::unordered_map<std::string, std::size_t> author_of_key_;
  std::vector<AuthorActivity> authors_;
  std::int64_t commits_ = 0;
  std::int64_t bulk_commits_ = 0;
  std::int64_t boundary_commits_ = 0;
};

}  // namespace symphony::extensions::git
