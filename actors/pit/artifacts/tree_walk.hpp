// Lists a directory for a tree, without following a symlink anywhere below it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/pit/artifacts/artifact_tree.hpp"
#include "messages/result.hpp"

namespace symphony::actors {

inline constexpr std::size_t kMaxTreeDepth = 512;

// Something that is not in the tree, and why: unreadable, or neither file, directory nor symlink.
struct SkippedEntry {
  std::string path;
  std::string reason;
};

// An open file descriptor, closed with its owner.
class OwnedFd {
 public:
  explicit OwnedFd(int fd = -1) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&&) = delete;
  ~OwnedFd();
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

// Opens `path` below the directory `root`; fails with ELOOP or EXDEV where a symlink stands in the
// way. Invalid with errno set on failure. Thread-safe.
OwnedFd open_beneath(int root, const std::string& path, int flags);

// Everything below `root`, sorted by path; files have their size but no digest yet. Each thing
// left out is told to `skipped`, which may end the walk with an error.
// Errors: RESOURCE_EXHAUSTED (more than kMaxTreeEntries), what `skipped` returns.
Result<std::vector<TreeEntry>> walk_tree(int root,
                                         const std::function<Status(const SkippedEntry&)>& skipped);

}  // namespace symphony::actors
