// Walks a source tree: which files are there, in a fixed order, whatever the tree does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "messages/result.hpp"
#include "runtime/text/patterns.hpp"

namespace symphony::extensions {

namespace git {
struct Caller;
}

inline constexpr std::size_t kMaxWalkDepth = 512;            // directories below the root
inline constexpr std::size_t kMaxWalkEntries = 20'000'000;   // directory entries looked at
inline constexpr std::size_t kMaxIgnoreFileBytes = 1 << 20;  // of one .gitignore

struct WalkOptions {
  runtime::PatternList include;  // empty: everything
  runtime::PatternList exclude;
  // Files and directories to leave out, however their paths are written: relative to the working
  // directory, absolute or through links. Those that do not exist, and the root itself, are none.
  std::vector<std::string> exclude_paths;
  bool follow_symlinks = false;
  bool hidden = false;    // names that start with a dot
  bool gitignore = true;  // obey .gitignore and info/exclude where root is in a git work tree
  std::size_t max_files = 200'000;
};

struct WalkedFile {
  std::string path;  // raw bytes, relative to the root
  std::uint64_t size_bytes = 0;
  unsigned mode = 0;
};

struct WalkResult {
  std::vector<WalkedFile> files;  // by path, byte order
  struct Skip {
    std::string path;
    std::string reason;
  };
  std::vector<Skip> skipped;  // in the order met
  std::uint64_t total_bytes = 0;
  bool truncated = false;  // stopped at max_files
};

// Lists the regular files below `root`. Directories are visited once each, so that loops of
// symbolic links end; what cannot be read, special files and links that are not followed are
// reported in `skipped`. `.git` is never entered. A tracked file is listed even where a .gitignore
// names it. The user's own core.excludesFile is not consulted: the same tree gives the same list
// on every machine. `caller` has git started to learn what is tracked; that git cannot be started
// is an error. `going_on` is asked once a directory; its error ends the walk. With `gitignore`, a
// bare repository is no tree of files: as the root it is refused, below it skipped.
Result<WalkResult> walk(const std::string& root, const WalkOptions& options,
                        const git::Caller& caller, const std::function<Status()>& going_on);

}  // namespace symphony::extensions
