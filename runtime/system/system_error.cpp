#include "runtime/system/system_error.hpp"

#include <cerrno>
#include <system_error>

#include "runtime/text/path_text.hpp"

namespace symphony::runtime {

Errc errc_of(int error_number) noexcept {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Errc::NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY:
    case EADDRINUSE:
      return Errc::ALREADY_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::PERMISSION_DENIED;
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EINVAL:
      return Errc::INVALID_ARGUMENT;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
      return Errc::RESOURCE_EXHAUSTED;
    case EAGAIN:
      return Errc::OVERLOADED;
    // The far end, or the disk, is not what it should be; nobody knows what is there.
    case EIO:
    case ESTALE:
    case ETIMEDOUT:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case EPROTOTYPE:
    case ENOTSOCK:
      return Errc::UNAVAILABLE;
    default:
      return Errc::FAILED_PRECONDITION;
  }
}

std::string reason_of(int error_number) {
  return std::generic_category().message(error_number);  // unlike strerror, from any thread
}

Error system_error(std::string_view what, const std::filesystem::path& path, int error_number) {
  std::string message = "cannot " + std::string(what);
  if (!path.empty()) message += " " + display_path(path.native());
  return Error{errc_of(error_number), message + ": " + reason_of(error_number)};
}

}  // namespace symphony::runtime
