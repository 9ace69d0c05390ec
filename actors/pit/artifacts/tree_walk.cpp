#include "actors/pit/artifacts/tree_walk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace symphony::actors {

namespace {

constexpr std::uint32_t kPermissionBits = 07777;

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

class Walk {
 public:
  Walk(int root, const std::function<Status(const SkippedEntry&)>& skipped)
      : root_(root), skipped_(skipped) {}

  Result<std::vector<TreeEntry>> run() {
    // Directories still to be read; their depth is the number of slashes.
    std::vector<std::string> waiting{""};
    while (!waiting.empty()) {
      auto dir = std::move(waiting.back());
      waiting.pop_back();
      const auto known = entries_.size();
      if (auto listed = list(dir); !listed) return std::move(listed).error();
      for (auto i = known; i < entries_.size(); ++i) {
        if (entries_[i].kind == TreeEntryKind::directory) waiting.push_back(entries_[i].path);
      }
    }
    std::sort(entries_.begin(), entries_.end(),
              [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; });
    return std::move(entries_);
  }

 private:
  Status skip(std::string path, std::string reason) {
    return skipped_({std::move(path), std::move(reason)});
  }
  Status skip_errno(std::string path) { return skip(std::move(path), std::strerror(errno)); }

  // Adds the entries of one directory. One that cannot be read stays as an empty one.
  Status list(const std::string& dir) {
    if (std::count(dir.begin(), dir.end(), '/') >= static_cast<std::ptrdiff_t>(kMaxTreeDepth)) {
      return skip(dir, fmt::format("deeper than {} directories", kMaxTreeDepth));
    }
    auto fd = open_beneath(root_, dir.empty() ? "." : dir, O_RDONLY | O_DIRECTORY);
    if (!fd) return skip_errno(dir);
    std::unique_ptr<DIR, CloseDir> stream(::fdopendir(fd.get()));
    if (stream == nullptr) return skip_errno(dir);
    fd.release();
    while (true) {
      errno = 0;
      const auto* found = ::readdir(stream.get());
      if (found == nullptr) return errno == 0 ? Status() : skip_errno(dir);
      const std::string_view name = found->d_name;
      if (name == "." || name == "..") continue;
      auto path = dir.empty() ? std::string(name) : fmt::format("{}/{}", dir, name);
      if (auto added = add(::dirfd(stream.get()), found->d_name, std::move(path)); !added) {
        return added;
      }
    }
  }

  Status add(int dir, const char* name, std::string path) {
    struct stat info {};
    if (::fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return skip_errno(std::move(path));
    TreeEntry entry{.path = std::move(path), .mode = info.st_mode & kPermissionBits};
    if (S_ISREG(info.st_mode)) {
      entry.size_bytes = static_cast<std::uint64_t>(info.st_size);
    } else if (S_ISDIR(info.st_mode)) {
      entry.kind = TreeEntryKind::directory;
    } else if (S_ISLNK(info.st_mode)) {
      entry.kind = TreeEntryKind::symlink;
      char target[4096];
      const auto size = ::readlinkat(dir, name, target, sizeof(target));
      if (size <= 0) return skip_errno(std::move(entry.path));
      entry.target.assign(target, static_cast<std::size_t>(size));
    } else {
      return skip(std::move(entry.path), "neither file, directory nor symlink");
    }
    if (entries_.size() == kMaxTreeEntries) {
      return Error{.code = Errc::RESOURCE_EXHAUSTED,
                   .message = fmt::format("a tree has at most {} entries; put its directories "
                                          "one by one",
                                          kMaxTreeEntries)};
    }
    entries_.push_back(std::move(entry));
    return {};
  }

  const int root_;
  const std::function<Status(const SkippedEntry&)>& skipped_;
  std::vector<TreeEntry> entries_;
};

}  // namespace

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) ::close(fd_);
}

OwnedFd open_beneath(int root, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const auto fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how));
  if (fd >= 0) return OwnedFd(static_cast<int>(fd));
  // Old kernels and some sandboxes lack openat2: the last component at least is not followed.
  if (errno != ENOSYS && errno != EPERM) return OwnedFd();
  return OwnedFd(::openat(root, path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW));
}

Result<std::vector<TreeEntry>> walk_tree(
    int root, const std::function<Status(const SkippedEntry&)>& skipped) {
  return Walk(root, skipped).run();
}

}  // namespace symphony::actors
