#include "runtime/link/unix_socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "runtime/link/socket_stream.hpp"

namespace symphony::runtime {
namespace {

Errc code_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return Errc::NOT_FOUND;
    case EACCES:
    case EPERM:
      return Errc::PERMISSION_DENIED;
    case ECONNREFUSED:
    case EPROTOTYPE:
    case ENOTSOCK:
      return Errc::UNAVAILABLE;
    case EAGAIN:
      return Errc::OVERLOADED;
    case EADDRINUSE:
      return Errc::ALREADY_EXISTS;
    default:
      return Errc::RESOURCE_EXHAUSTED;
  }
}

Error failed(const std::string& what, const std::string& path, int error) {
  return Error{code_of(error), "cannot " + what + " " + path + ": " + std::strerror(error)};
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return Error{Errc::INVALID_ARGUMENT,
                 "the path of a socket has 1 to " + std::to_string(sizeof address.sun_path - 1) +
                     " bytes, this one has " + std::to_string(path.size()) + ": " + path};
  std::copy(path.begin(), path.end(), address.sun_path);
  return address;
}

// 0, or an errno.
int connect_to(const Descriptor& socket, const sockaddr_un& address) {
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
         0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

Descriptor new_socket() {
  return Descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

// Removes the socket at `path` if nobody listens on it. REQUIRES: the folder is locked, so that
// nobody else takes its place in between.
Status remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return failed("look at", path, errno);
  }
  if (!S_ISSOCK(found.st_mode))
    return Error{Errc::ALREADY_EXISTS,
                 path + " is not a socket: remove it, or listen somewhere else"};
  const auto probe = new_socket();
  if (!probe.valid()) return failed("make a socket for", path, errno);
  const int error = connect_to(probe, address);
  if (error != ECONNREFUSED)
    return Error{Errc::ALREADY_EXISTS,
                 "another node listens on " + path + ": stop it, or give this one another name"};
  if (::unlink(path.c_str()) != 0) return failed("remove the stale socket", path, errno);
  return {};
}

Status bind_private(const Descriptor& socket, const std::string& path, const sockaddr_un& address) {
  auto folder = std::filesystem::path{path}.parent_path();
  if (folder.empty()) folder = ".";
  const Descriptor lock{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!lock.valid()) return failed("open the folder", folder.string(), errno);
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return failed("lock the folder", folder.string(), errno);
  }
  if (auto removed = remove_stale(path, address); !removed) return removed;
  // bind gives the file the mode that the socket has, less the umask.
  if (::fchmod(socket.get(), 0600) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return failed("listen on", path, errno);
  // While the folder is locked: a socket nobody listens on yet would look stale.
  if (::listen(socket.get(), kListenBacklog) != 0) return failed("listen on", path, errno);
  return {};
}

}  // namespace

UnixListener::UnixListener(std::string path, const Clocks& clocks, Descriptor socket,
                           Descriptor event)
    : path_(std::move(path)),
      clocks_(clocks),
      socket_(std::move(socket)),
      event_(std::move(event)) {
  struct stat own {};
  if (::lstat(path_.c_str(), &own) == 0) {
    device_ = own.st_dev;
    inode_ = own.st_ino;
  }
}

Result<std::unique_ptr<UnixListener>> UnixListener::listen(const std::string& path,
                                                           const Clocks& clocks) {
  const auto address = address_of(path);
  if (!address) return address.error();
  auto socket = new_socket();
  Descriptor event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!socket.valid() || !event.valid()) return failed("make a socket for", path, errno);
  if (auto bound = bind_private(socket, path, *address); !bound) return bound.error();
  return std::unique_ptr<UnixListener>{
      new UnixListener{path, clocks, std::move(socket), std::move(event)}};
}

UnixListener::~UnixListener() {
  struct stat found {};
  if (::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_)
    ::unlink(path_.c_str());
}

Result<std::unique_ptr<ByteStream>> UnixListener::accept() {
  for (;;) {
    pollfd fds[2] = {{socket_.get(), POLLIN, 0}, {event_.get(), POLLIN, 0}};
    ::poll(fds, 2, -1);
    if (fds[1].revents != 0) {
      std::uint64_t count;
      if (::read(event_.get(), &count, sizeof count) > 0) return std::unique_ptr<ByteStream>{};
    }
    Descriptor peer{::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (peer.valid()) {
      auto stream = SocketStream::make(std::move(peer), clocks_);
      if (!stream) return std::move(stream).error();
      return std::unique_ptr<ByteStream>{std::move(*stream)};
    }
    if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK)
      return failed("accept on", path_, errno);
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
      ::poll(&fds[1], 1, kExhaustedPauseMs);
  }
}

void UnixListener::interrupt() noexcept {
  const std::uint64_t one = 1;
  while (::write(event_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

Result<std::unique_ptr<ByteStream>> connect_unix(const std::string& path, const Clocks& clocks) {
  const auto address = address_of(path);
  if (!address) return address.error();
  auto socket = new_socket();
  if (!socket.valid()) return failed("make a socket for", path, errno);
  if (const int error = connect_to(socket, *address); error != 0)
    return failed("connect to", path, error);
  auto stream = SocketStream::make(std::move(socket), clocks);
  if (!stream) return std::move(stream).error();
  return std::unique_ptr<ByteStream>{std::move(*stream)};
}

}  // namespace symphony::runtime
