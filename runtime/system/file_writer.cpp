#include "runtime/system/file_writer.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <utility>

#include "runtime/system/fs.hpp"
#include "runtime/system/no_broken_pipe.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::runtime {
namespace {

namespace fs = std::filesystem;

constexpr int kLinksMax = 40;  // as the kernel
constexpr int kNameAttempts = 16;
constexpr int kAskEveryMs = 100;
constexpr std::size_t kSweepEntriesMax = 4096;  // a larger directory is swept in part
constexpr std::string_view kPrefix = ".symphony-";
constexpr std::string_view kSuffix = ".tmp";
constexpr std::size_t kRandomDigits = 16;

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

bool is_special(mode_t mode) { return S_ISFIFO(mode) || S_ISCHR(mode) || S_ISBLK(mode); }

// The name at the end of all symbolic links, whether there is something or not.
Result<fs::path> end_of_links(const fs::path& path) {
  fs::path end = path;
  for (int i = 0; i < kLinksMax; ++i) {
    struct stat status {};
    if (::lstat(end.c_str(), &status) != 0) {
      if (errno == ENOENT) return end;
      return system_error("write", path, errno);
    }
    if (!S_ISLNK(status.st_mode)) return end;
    char link[PATH_MAX];
    const auto size = ::readlink(end.c_str(), link, sizeof link);
    if (size < 0) return system_error("write", path, errno);
    // An absolute link stands alone, as operator/ has it.
    end = directory_of(end) / fs::path(std::string(link, static_cast<std::size_t>(size)));
  }
  return system_error("write", path, ELOOP);
}

bool is_temporary_name(std::string_view name) {
  if (name.size() != kPrefix.size() + kRandomDigits + kSuffix.size()) return false;
  const auto digits = name.substr(kPrefix.size(), kRandomDigits);
  return name.starts_with(kPrefix) && name.ends_with(kSuffix) &&
         digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Removes what writers that died have left in a directory. Who writes holds a lock until he is done
// or dead. Best effort: what cannot be looked at or removed stays.
void sweep(const fs::path& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), &::closedir);
  if (!open) return;
  const int at = ::dirfd(open.get());
  const dirent* entry = nullptr;
  for (std::size_t i = 0; i < kSweepEntriesMax && (entry = ::readdir(open.get())); ++i) {
    if (!is_temporary_name(entry->d_name)) continue;
    const Descriptor left(
        ::openat(at, entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (left && ::flock(left.get(), LOCK_EX | LOCK_NB) == 0) ::unlinkat(at, entry->d_name, 0);
  }
}

}  // namespace

Result<FileWriter> FileWriter::open(const fs::path& path, FileWriterOptions options) {
  FileWriter writer;
  writer.path_ = path;
  writer.options_ = std::move(options);
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    writer.replaced_ = status;
  } else if (errno != ENOENT) {
    return system_error("write", path, errno);
  }
  if (writer.replaced_ && is_special(status.st_mode)) {
    if (auto opened = writer.open_special(); !opened) return opened.error();
    return writer;
  }
  if (writer.replaced_ && S_ISDIR(status.st_mode)) return system_error("write", path, EISDIR);
  if (writer.replaced_ && !S_ISREG(status.st_mode))
    return Error{Errc::INVALID_ARGUMENT,
                 "cannot write " + display_path(path.native()) + ": it is a socket"};
  auto end = end_of_links(path);
  if (!end) return end.error();
  writer.target_ = std::move(*end);
  if (!writer.target_.has_filename()) return system_error("write", path, EISDIR);
  if (auto opened = writer.open_beside(); !opened) return opened.error();
  return writer;
}

Status FileWriter::open_special() {
  while (true) {
    file_ = Descriptor(::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (file_) break;
    // Only a pipe that nobody reads. The system has no event for a reader who comes.
    if (errno != ENXIO || !S_ISFIFO(replaced_->st_mode)) return system_error("open", path_, errno);
    if (!options_.going_on)
      return Error{
          Errc::FAILED_PRECONDITION,
          "cannot write to the pipe " + display_path(path_.native()) + ": nobody reads it"};
    if (auto going = options_.going_on(); !going) return going;
    ::poll(nullptr, 0, kAskEveryMs);
  }
  // Not what took its place meanwhile: that would be overwritten where it stands.
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) return system_error("open", path_, errno);
  if (!is_special(status.st_mode))
    return Error{Errc::FAILED_PRECONDITION,
                 display_path(path_.native()) + " was replaced while it was opened; try again"};
  return {};
}

Status FileWriter::open_beside() {
  const fs::path directory = directory_of(target_);
  if (options_.create_directories) {
    if (auto made = create_directories(directory, 0777); !made) return made;
  }
  sweep(directory);
  for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
    std::uint64_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != sizeof random)
      return system_error("name a file in", directory, errno);
    char digits[kRandomDigits + 1];
    std::snprintf(digits, sizeof digits, "%016" PRIx64, random);
    const fs::path name = directory / (std::string(kPrefix) + digits + std::string(kSuffix));
    file_ = Descriptor(
        ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, options_.mode));
    if (!file_) {
      if (errno == EEXIST) continue;
      return system_error("create a file in", directory, errno);
    }
    // Between its making and its locking somebody may have swept it.
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) continue;
    struct stat status {};
    if (::fstat(file_.get(), &status) == 0 && status.st_nlink == 0) continue;
    temporary_ = name;
    return {};
  }
  return system_error("create a file in", directory, EEXIST);
}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, {})),
      replaced_(other.replaced_),
      options_(std::move(other.options_)),
      file_(std::move(other.file_)) {}

FileWriter::~FileWriter() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status FileWriter::wait_until_writable() {
  if (options_.going_on) {
    if (auto going = options_.going_on(); !going) return going;
  }
  pollfd ready{.fd = file_.get(), .events = POLLOUT, .revents = 0};
  ::poll(&ready, 1, kAskEveryMs);
  return {};
}

Status FileWriter::write(std::string_view bytes) {
  std::optional<NoBrokenPipeSignal> quiet;
  if (temporary_.empty()) quiet.emplace();
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file_.get(), bytes.data(), bytes.size());
    if (wrote >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (auto waited = wait_until_writable(); !waited) return waited;
    } else if (errno != EINTR) {
      return system_error("write", path_, errno);
    }
  }
  return {};
}

Status FileWriter::skip(std::uint64_t size_bytes) {
  if (!temporary_.empty()) {
    const off_t end = ::lseek(file_.get(), static_cast<off_t>(size_bytes), SEEK_CUR);
    if (end < 0 || ::ftruncate(file_.get(), end) != 0) return system_error("write", path_, errno);
    return {};
  }
  const std::string zeros(std::min<std::uint64_t>(size_bytes, 64 * 1024), '\0');
  while (size_bytes > 0) {
    const auto part = std::min<std::uint64_t>(size_bytes, zeros.size());
    if (auto written = write(std::string_view(zeros).substr(0, part)); !written) return written;
    size_bytes -= part;
  }
  return {};
}

Status FileWriter::commit() {
  if (temporary_.empty()) {
    // A pipe or a terminal has nothing to sync and says so.
    if (::fsync(file_.get()) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
      return system_error("write", path_, errno);
    file_.reset();
    return {};
  }
  if (replaced_) {
    // Only for the same owner does a set-user bit mean the same.
    const bool same_owner = ::fchown(file_.get(), replaced_->st_uid, replaced_->st_gid) == 0;
    if (::fchmod(file_.get(), replaced_->st_mode & (same_owner ? 07777 : 0777)) != 0)
      return system_error("set the permissions of", path_, errno);
  }
  if (::fsync(file_.get()) != 0) return system_error("write", path_, errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0)
    return system_error("write", path_, errno);
  temporary_.clear();
  file_.reset();
  return sync_directory(directory_of(target_));
}

Status write_file(const fs::path& path, std::string_view bytes, FileWriterOptions options) {
  auto file = FileWriter::open(path, std::move(options));
  if (!file) return file.error();
  if (auto written = file->write(bytes); !written) return written;
  return file->commit();
}

}  // namespace symphony::runtime
