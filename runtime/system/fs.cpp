#include "runtime/system/fs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "runtime/text/path_text.hpp"

namespace symphony::runtime {
namespace {

namespace fs = std::filesystem;

class Fd {
 public:
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

Errc code_of(int error_number) noexcept {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Errc::NOT_FOUND;
    case EEXIST:
      return Errc::ALREADY_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::PERMISSION_DENIED;
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
      return Errc::INVALID_ARGUMENT;
    case EIO:
      return Errc::DATA_CORRUPT;
    default:
      return Errc::RESOURCE_EXHAUSTED;
  }
}

bool write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

}  // namespace

Error system_error(std::string_view what, const fs::path& path, int error_number) {
  return Error{code_of(error_number), "cannot " + std::string(what) + " " +
                                          display_path(path.native()) + ": " +
                                          std::generic_category().message(error_number)};
}

namespace {

Status sync_directory(const fs::path& path) {
  const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0)
    return system_error("make durable what is in", path, errno);
  return {};
}

}  // namespace

Result<std::string> read_file(const fs::path& path, std::size_t bytes_max) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return system_error("open", path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error("read", path, errno);
  if (S_ISDIR(status.st_mode)) return system_error("read", path, EISDIR);
  if (!S_ISREG(status.st_mode))
    return Error{Errc::INVALID_ARGUMENT, display_path(path.native()) + " is not a regular file"};
  std::string bytes;
  char chunk[64 * 1024];
  while (true) {
    const ssize_t got = ::read(file.get(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path, errno);
    if (got == 0) return bytes;
    if (bytes.size() + static_cast<std::size_t>(got) > bytes_max)
      return Error{Errc::RESOURCE_EXHAUSTED, display_path(path.native()) +
                                                 " holds more than the limit of " +
                                                 std::to_string(bytes_max) + " bytes"};
    bytes.append(chunk, static_cast<std::size_t>(got));
  }
}

Status atomic_write(const fs::path& path, std::string_view bytes, unsigned mode) {
  std::string beside = path.native() + ".XXXXXX";
  const Fd file(::mkostemp(beside.data(), O_CLOEXEC));
  if (file.get() < 0) return system_error("create a file beside", path, errno);
  if (!write_all(file.get(), bytes) || ::fchmod(file.get(), mode) != 0 ||
      ::fsync(file.get()) != 0 || ::rename(beside.c_str(), path.c_str()) != 0) {
    const int error_number = errno;
    ::unlink(beside.c_str());
    return system_error("write", path, error_number);
  }
  const fs::path parent = path.has_parent_path() ? path.parent_path() : ".";
  return sync_directory(parent);
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
Status create_private_directories(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return {};
  const fs::path parent = path.has_parent_path() ? path.parent_path() : ".";
  if (parent != path) {
    if (auto made = create_private_directories(parent); !made) return made;
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return system_error("create the directory", path, errno);
  return sync_directory(parent);
}

Result<TempDir> TempDir::make(std::string_view prefix) {
  const char* configured = std::getenv("TMPDIR");
  const fs::path base = configured != nullptr && *configured != '\0' ? configured : "/tmp";
  std::string pattern = (base / (std::string(prefix) + "-XXXXXX")).native();
  if (::mkdtemp(pattern.data()) == nullptr)
    return system_error("create a directory in", base, errno);
  return TempDir(fs::path(pattern));
}

TempDir::TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TempDir& TempDir::operator=(TempDir&& other) noexcept {
  if (this != &other) {
    remove();
    path_ = std::exchange(other.path_, {});
  }
  return *this;
}

TempDir::~TempDir() { remove(); }

void TempDir::remove() noexcept {
  if (path_.empty()) return;
  std::error_code ignored;  // what cannot be removed stays for the system's own cleaning
  fs::remove_all(path_, ignored);
  path_.clear();
}

}  // namespace symphony::runtime
