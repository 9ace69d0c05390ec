#include "extensions/operators/file/io.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <system_error>

#include "extensions/operators/paths.hpp"

namespace symphony::extensions {

namespace {

constexpr int kMaxNameAttempts = 16;
constexpr std::size_t kReadChunkBytes = 256 * 1024;

Errc code_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Errc::NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::PERMISSION_DENIED;
    case EEXIST:
      return Errc::ALREADY_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return Errc::RESOURCE_EXHAUSTED;
    default:
      return Errc::FAILED_PRECONDITION;
  }
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status create_parents(const std::string& directory) {
  for (std::size_t at = 1; at <= directory.size(); ++at) {
    at = std::min(directory.find('/', at), directory.size());
    const std::string part = directory.substr(0, at);
    if (::mkdir(part.c_str(), 0777) == 0 || errno == EEXIST) continue;
    return system_error(errno, "create directory", part);
  }
  return {};
}

Status write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error(errno, "write", path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// A new file beside the target. Its mode obeys the umask, or is the target's.
Result<FileHandle> create_beside(const std::string& directory, std::string& name) {
  for (int attempt = 0; attempt < kMaxNameAttempts; ++attempt) {
    std::uint64_t random = 0;
    if (::getrandom(&random, sizeof random, 0) < 0) return system_error(errno, "name", directory);
    name = directory + "/.symphony-" + std::to_string(random) + ".tmp";
    FileHandle file(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file) return file;
    if (errno != EEXIST) return system_error(errno, "create a file in", directory);
  }
  return system_error(EEXIST, "create a file in", directory);
}

}  // namespace

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

void FileHandle::reset() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::string reason_of(int error_number) {
  return std::error_code(error_number, std::generic_category()).message();
}

Error system_error(int error_number, std::string_view action, std::string_view raw_path) {
  return {code_of(error_number), "cannot " + std::string(action) + " '" + encode_path(raw_path) +
                                     "': " + reason_of(error_number)};
}

Result<FilePrefix> read_file(const std::string& raw_path, std::size_t max_bytes,
                             std::string& content) {
  content.clear();
  const FileHandle file(::open(raw_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return system_error(errno, "open", raw_path);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return system_error(errno, "stat", raw_path);
  if (!S_ISREG(info.st_mode)) {
    return Error{Errc::FAILED_PRECONDITION, "cannot read '" + encode_path(raw_path) +
                                                "': it is a " +
                                                std::string(file_type(info.st_mode))};
  }
  const auto stated = static_cast<std::size_t>(std::max<off_t>(info.st_size, 0));
  // One byte more tells whether there is more; files of /proc state no size at all.
  const std::size_t wanted = max_bytes + 1;
  std::size_t filled = 0;
  for (;;) {
    const std::size_t target = std::min(
        wanted, std::max(stated + 1, filled + (filled == 0 ? std::size_t{1} : kReadChunkBytes)));
    if (content.size() < target) content.resize(target);
    const ssize_t got = ::read(file.get(), content.data() + filled, target - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "read", raw_path);
    filled += static_cast<std::size_t>(got);
    if (got == 0 || filled == wanted) break;
  }
  FilePrefix prefix{.size_bytes = std::max<std::uint64_t>(stated, filled),
                    .truncated = filled > max_bytes};
  content.resize(std::min(filled, max_bytes));
  return prefix;
}

bool looks_binary(std::string_view content) noexcept {
  return content.substr(0, 8000).find('\0') != std::string_view::npos;
}

std::string_view file_type(mode_t mode) noexcept {
  if (S_ISREG(mode)) return "file";
  if (S_ISDIR(mode)) return "directory";
  if (S_ISLNK(mode)) return "symlink";
  if (S_ISFIFO(mode)) return "fifo";
  if (S_ISSOCK(mode)) return "socket";
  return "device";
}

std::string mode_text(mode_t mode) {
  std::string text = "0000";
  for (int i = 0; i < 4; ++i) text[3 - i] = static_cast<char>('0' + ((mode >> (3 * i)) & 7));
  return text;
}

Status write_file_atomically(const std::string& raw_path, std::string_view content,
                             bool create_directories) {
  std::string target = raw_path;
  struct stat info {};
  const bool exists = ::stat(target.c_str(), &info) == 0;
  if (!exists && errno != ENOENT) return system_error(errno, "write", raw_path);
  if (exists && !S_ISREG(info.st_mode)) {
    return Error{Errc::FAILED_PRECONDITION, "cannot write '" + encode_path(raw_path) +
                                                "': it is a " +
                                                std::string(file_type(info.st_mode))};
  }
  if (exists) {
    // Through a symbolic link the file it names is replaced, not the link.
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(target.c_str(), nullptr),
                                                           &std::free);
    if (!real) return system_error(errno, "resolve", raw_path);
    target = real.get();
  }
  const std::string directory = parent_of(target);
  if (create_directories) {
    if (auto made = create_parents(directory); !made) return made;
  }
  std::string temporary;
  auto file = create_beside(directory, temporary);
  if (!file) return file.error();
  const auto give_up = [&](Error error) -> Status {
    ::unlink(temporary.c_str());
    return error;
  };
  if (exists && ::fchmod(file->get(), info.st_mode & 07777) != 0)
    return give_up(system_error(errno, "set the mode of", raw_path));
  if (auto written = write_all(file->get(), content, raw_path); !written)
    return give_up(written.error());
  if (::fsync(file->get()) != 0) return give_up(system_error(errno, "sync", raw_path));
  if (::rename(temporary.c_str(), target.c_str()) != 0)
    return give_up(system_error(errno, "write", raw_path));
  const FileHandle parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent || ::fsync(parent.get()) != 0) return system_error(errno, "sync", directory);
  return {};
}

namespace {
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) -> unsigned {
      return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0;
    };
    const unsigned group = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += kBase64[group >> 18];
    out += kBase64[(group >> 12) & 63];
    out += i + 1 < bytes.size() ? kBase64[(group >> 6) & 63] : '=';
    out += i + 2 < bytes.size() ? kBase64[group & 63] : '=';
  }
  return out;
}

Result<std::string> from_base64(std::string_view text) {
  const auto malformed = [] {
    return Error{Errc::INVALID_ARGUMENT,
                 "the content is not base64; use the standard alphabet "
                 "with padding"};
  };
  if (text.size() % 4 != 0) return malformed();
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const std::size_t pad = last ? (text[i + 3] == '=') + (text[i + 2] == '=') : 0;
    if (pad == 1 && text[i + 3] != '=') return malformed();
    unsigned group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const auto digit = k >= 4 - pad ? 0 : kBase64.find(text[i + k]);
      if (digit == std::string_view::npos) return malformed();
      group = group << 6 | static_cast<unsigned>(digit);
    }
    if ((pad >= 1 && (group & 0xFF)) || (pad == 2 && (group & 0xFFFF))) return malformed();
    out += static_cast<char>(group >> 16);
    if (pad < 2) out += static_cast<char>((group >> 8) & 0xFF);
    if (pad < 1) out += static_cast<char>(group & 0xFF);
  }
  return out;
}

}  // namespace symphony::extensions
