#include "actors/pit/artifacts/tree_walk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>

#include "runtime/system/system_error.hpp"

namespace symphony::actors {

namespace {

constexpr std::uint32_t kPermissionBits = 07777;

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

FileTime time_of(const struct stat& info) {
  return {info.st_mtim.tv_sec, static_cast<std::uint32_t>(info.st_mtim.tv_nsec)};
}

class Walk {
 public:
  Walk(int root, const TreeWalkOptions& options) : root_(root), options_(options) {}

  Result<TreeListing> run() {
    // Directories still to be read; their depth is the number of slashes.
    std::vector<std::string> waiting{""};
    while (!waiting.empty()) {
      auto dir = std::move(waiting.back());
      waiting.pop_back();
      const auto known = found_.entries.size();
      if (auto listed = list(dir); !listed) return std::move(listed).error();
      for (auto i = known; i < found_.entries.size(); ++i) {
        const auto& entry = found_.entries[i];
        if (entry.kind == TreeEntryKind::directory) waiting.push_back(entry.path);
      }
    }
    std::sort(found_.entries.begin(), found_.entries.end(),
              [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; });
    join_hard_links();
    return std::move(found_);
  }

 private:
  using Identity = std::pair<dev_t, ino_t>;

  Status skip(std::string path, std::string reason) {
    return options_.skipped({std::move(path), std::move(reason)});
  }
  Status skip_errno(std::string path) { return skip(std::move(path), runtime::reason_of(errno)); }

  // Adds the entries of one directory. One that cannot be read stays as an empty one.
  Status list(const std::string& dir) {
    if (std::count(dir.begin(), dir.end(), '/') >= static_cast<std::ptrdiff_t>(kMaxTreeDepth)) {
      return skip(dir, fmt::format("deeper than {} directories", kMaxTreeDepth));
    }
    auto fd = open_beneath(root_, dir.empty() ? "." : dir, O_RDONLY | O_DIRECTORY);
    if (!fd) return skip_errno(dir);
    if (::flistxattr(fd.get(), nullptr, 0) > 0) ++found_.not_kept.extended_attributes;
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
    if (path.size() > kMaxTreePathBytes) {
      return skip(std::move(path),
                  fmt::format("its path is longer than {} bytes", kMaxTreePathBytes));
    }
    struct stat info {};
    if (::fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return skip_errno(std::move(path));
    TreeEntry entry{.path = std::move(path), .mode = info.st_mode & kPermissionBits};
    entry.modified = time_of(info);
    if (S_ISREG(info.st_mode)) {
      entry.size_bytes = static_cast<std::uint64_t>(info.st_size);
      if (info.st_nlink > 1) linked_.emplace(entry.path, Identity(info.st_dev, info.st_ino));
    } else if (S_ISDIR(info.st_mode)) {
      entry.kind = TreeEntryKind::directory;
      if (options_.leave_out == Identity(info.st_dev, info.st_ino)) {
        found_.left_out = true;
        return {};
      }
    } else if (S_ISLNK(info.st_mode)) {
      entry.kind = TreeEntryKind::symlink;
      char target[kMaxTreePathBytes + 1];
      const auto size = ::readlinkat(dir, name, target, sizeof(target));
      if (size <= 0) return skip_errno(std::move(entry.path));
      entry.target.assign(target, static_cast<std::size_t>(size));
    } else {
      return skip(std::move(entry.path), "neither file, directory nor symlink");
    }
    if (found_.entries.size() == kMaxTreeEntries) {
      return Error{.code = Errc::RESOURCE_EXHAUSTED,
                   .message = fmt::format("a tree has at most {} entries; put its directories "
                                          "one by one",
                                          kMaxTreeEntries)};
    }
    if (info.st_uid != user_) ++found_.not_kept.foreign_owners;
    found_.entries.push_back(std::move(entry));
    return {};
  }

  void join_hard_links() {
    std::map<Identity, const std::string*> first;
    if (linked_.empty()) return;
    for (auto& entry : found_.entries) {
      const auto linked = linked_.find(entry.path);
      if (linked == linked_.end()) continue;
      const auto [known, is_first] = first.emplace(linked->second, &linked->first);
      if (is_first) continue;
      entry.kind = TreeEntryKind::hard_link;
      entry.target = *known->second;
      entry.size_bytes = 0;
    }
  }

  const int root_;
  const TreeWalkOptions& options_;
  const uid_t user_ = ::geteuid();
  TreeListing found_;
  std::map<std::string, Identity> linked_;  // files that have several names, by path
};

}  // namespace

runtime::Descriptor open_beneath(int root, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const auto fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how));
  if (fd >= 0) return runtime::Descriptor(static_cast<int>(fd));
  // Old kernels and some sandboxes lack openat2: the last component at least is not followed.
  if (errno != ENOSYS && errno != EPERM) return runtime::Descriptor();
  return runtime::Descriptor(::openat(root, path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW));
}

Result<TreeListing> walk_tree(int root, const TreeWalkOptions& options) {
  return Walk(root, options).run();
}

// ---- reading a file -----------------------------------------------------------------------------

Result<FileReading> FileReading::open(int root, const std::string& path) {
  // O_NONBLOCK: a pipe that took the file's place since the walk must not hold us.
  auto opened = open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!opened) return runtime::system_error("open it", "", errno);
  return of(std::move(opened));
}

Result<FileReading> FileReading::of(runtime::Descriptor opened) {
  FileReading file(std::move(opened));
  if (auto ready = file.again(); !ready) return std::move(ready).error();
  return file;
}

Status FileReading::again() {
  cut_short_ = false;
  if (::fstat(file_.get(), &opened_) != 0) return runtime::system_error("look at it", "", errno);
  if (!S_ISREG(opened_.st_mode))
    return Error{.code = Errc::FAILED_PRECONDITION, .message = "it is no longer a file"};
  // Fewer blocks than bytes are a hint only: some file systems compress.
  sparse_ = opened_.st_blocks * 512 < opened_.st_size &&
            ::lseek(file_.get(), 0, SEEK_HOLE) < opened_.st_size;
  attributes_ = ::flistxattr(file_.get(), nullptr, 0) > 0;
  return rewind();
}

Status FileReading::rewind() {
  read_ = 0;
  if (::lseek(file_.get(), 0, SEEK_SET) != 0) return runtime::system_error("read it", "", errno);
  return {};
}

FileTime FileReading::modified() const { return time_of(opened_); }

std::uint32_t FileReading::mode() const { return opened_.st_mode & kPermissionBits; }

Result<std::size_t> FileReading::read(char* buffer, std::size_t size) {
  const auto wanted = std::min<std::uint64_t>(size, size_bytes() - read_);
  std::size_t filled = 0;
  while (filled < wanted) {
    const auto got = ::read(file_.get(), buffer + filled, wanted - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return runtime::system_error("read it", "", errno);
    if (got == 0) {
      cut_short_ = true;
      break;
    }
    filled += static_cast<std::size_t>(got);
  }
  read_ += filled;
  return filled;
}

Result<bool> FileReading::unchanged() const {
  if (cut_short_) return false;
  struct stat now {};
  if (::fstat(file_.get(), &now) != 0) return runtime::system_error("look at it", "", errno);
  const auto same = [](const timespec& a, const timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
  };
  // The time of change, unlike that of modification, nobody can set back.
  return now.st_size == opened_.st_size && same(now.st_mtim, opened_.st_mtim) &&
         same(now.st_ctim, opened_.st_ctim);
}

}  // namespace symphony::actors
