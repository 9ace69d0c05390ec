// How often, how much and by whom each file was changed: pure accounting over commits.
//
// Fed from new to old, it follows renames: what an old name did counts for the newest name. A file
// begins with the commit that made it: what a file of the same name did that was deleted before is
// another file's. Files that HEAD does not have are left out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "extensions/operators/git/log_text.hpp"
#include "extensions/operators/git/people.hpp"

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
  std::int64_t bulk_commits = 0;  // whose files are not counted
};

// Not thread-safe.
class ChurnTable {
 public:
  // REQUIRES: commits come from new to old.
  void add(const Commit& commit);
  // `living`: the paths that HEAD has, where known; else a file whose last change deleted it is
  // gone.
  Churn finish(const std::optional<std::set<std::string>>& living) &&;

 private:
  using Weights = std::map<std::size_t, std::int64_t>;
  struct File {
    FileChurn churn;
    Weights owners;        // by number in people_
    bool deleted = false;  // by its last change
    bool former = false;   // a later file has its name
  };
  // Which file a name means in the commits that are still to come.
  struct Name {
    std::size_t file = 0;
    bool made = false;  // the commit that made it has been seen
  };

  void count_author(const Commit& commit, std::size_t number);
  std::size_t file_of(const FileChange& change);
  std::size_t new_file(const std::string& path, bool former);

  std::vector<File> files_;
  std::unordered_map<std::string, Name> names_;
  People people_;
  std::vector<AuthorActivity> activities_;  // by number in people_
  std::int64_t commits_ = 0;
  std::int64_t bulk_commits_ = 0;
};

}  // namespace symphony::extensions::git
