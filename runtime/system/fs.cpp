#include "runtime/system/fs.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "runtime/system/descriptor.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadChunkBytes = 256 * 1024;

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// 0 when there is nothing, else the kind of file.
Result<mode_t> kind_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status.st_mode & S_IFMT;
  if (errno == ENOENT || errno == ENOTDIR) return mode_t{0};
  return system_error("look at", path, errno);
}

}  // namespace

Result<bool> path_exists(const fs::path& path) {
  const auto kind = kind_of(path);
  if (!kind) return kind.error();
  return *kind != 0;
}

Result<bool> directory_exists(const fs::path& path) {
  const auto kind = kind_of(path);
  if (!kind) return kind.error();
  return S_ISDIR(*kind);
}

Result<FilePrefix> read_prefix(const fs::path& path, std::size_t bytes_max, std::string& content,
                               bool named) {
  content.clear();
  const fs::path shown = named ? path : fs::path();
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return system_error("open", shown, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error("read", shown, errno);
  if (!S_ISREG(status.st_mode))
    return Error{Errc::INVALID_ARGUMENT,
                 (named ? display_path(path.native()) + " " : "") + "is not a regular file"};
  const auto stated = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
  // One byte more tells whether there is more; files of /proc state no size at all.
  const std::size_t wanted = bytes_max + 1;
  std::size_t filled = 0;
  while (true) {
    const std::size_t target = std::min(
        wanted, std::max(stated + 1, filled + (filled == 0 ? std::size_t{1} : kReadChunkBytes)));
    if (content.size() < target) content.resize(target);
    const ssize_t got = ::read(file.get(), content.data() + filled, target - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", shown, errno);
    filled += static_cast<std::size_t>(got);
    if (got == 0 || filled == wanted) break;
  }
  const FilePrefix prefix{.size_bytes = std::max<std::uint64_t>(stated, filled),
                          .truncated = filled > bytes_max};
  content.resize(std::min(filled, bytes_max));
  return prefix;
}

Result<std::string> read_file(const fs::path& path, std::size_t bytes_max) {
  std::string content;
  const auto prefix = read_prefix(path, bytes_max, content);
  if (!prefix) return prefix.error();
  if (prefix->truncated)
    return Error{Errc::RESOURCE_EXHAUSTED, display_path(path.native()) +
                                               " holds more than the limit of " +
                                               std::to_string(bytes_max) + " bytes"};
  return content;
}

Status rename_new(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno != EINVAL && errno != ENOSYS) return system_error("rename to", to, errno);
  // This file system cannot: a second name that must be new, then one name less.
  if (::link(from.c_str(), to.c_str()) != 0) return system_error("rename to", to, errno);
  if (::unlink(from.c_str()) != 0) return system_error("rename", from, errno);
  return {};
}

Status sync_directory(const fs::path& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0)
    return system_error("make durable what is in", path, errno);
  return {};
}

Status ensure_private_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return system_error("create the directory", path, errno);
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return system_error("look at", path, errno);
  const std::string shown = display_path(path.native());
  if (!S_ISDIR(status.st_mode))
    return Error{Errc::PERMISSION_DENIED, shown + " is not a directory: remove it"};
  if (status.st_uid != ::geteuid())
    return Error{Errc::PERMISSION_DENIED,
                 shown + " belongs to another user: remove it or set XDG_RUNTIME_DIR"};
  if ((status.st_mode & 0077) != 0)
    return Error{Errc::PERMISSION_DENIED, shown + " is open to other users: run chmod 700 on it"};
  return {};
}

// A directory exists durably when its parent was synced after it was made.
Status create_directories(const fs::path& path, unsigned mode) {
  const auto there = directory_exists(path);
  if (!there) return there.error();
  if (*there) return {};
  const fs::path parent = parent_of(path);
  if (parent != path) {
    if (auto made = create_directories(parent, mode); !made) return made;
  }
  if (::mkdir(path.c_str(), mode) != 0) {
    // Somebody else may have made it meanwhile.
    const int error_number = errno;
    const auto made = directory_exists(path);
    if (error_number != EEXIST || !made || !*made)
      return system_error("create the directory", path, error_number);
  }
  return sync_directory(parent);
}

}  // namespace symphony::runtime
