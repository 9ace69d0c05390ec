#include "runtime/link/unix_socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "runtime/link/socket_stream.hpp"
#include "runtime/system/system_error.hpp"

namespace symphony::runtime {
namespace {

// What to do about it when a process has run out of something; empty when that is not it.
std::string advice(int error) {
  switch (error) {
    case EMFILE:
      return "; raise its limit of open files (ulimit -n, LimitNOFILE=), or lower link.max_peers";
    case ENFILE:
      return "; the whole machine has too many files open (sysctl fs.file-max)";
    case ENOMEM:
    case ENOBUFS:
      return "; end other programs, or give this one more memory";
    default:
      return {};
  }
}

Error failed(std::string_view what, const std::string& path, int error) {
  auto failure = system_error(what, path, error);
  failure.message += advice(error);
  failure.retryable |= failure.code == Errc::OVERLOADED || !advice(error).empty();
  return failure;
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

// The kernel tells nobody when such a lock is free without making him wait for it: ask again.
Status lock_folder(const Descriptor& folder, const std::string& path,
                   std::chrono::milliseconds patience) {
  constexpr int kRetryMs = 5;
  const auto until = std::chrono::steady_clock::now() + patience;
  while (::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR && errno != EWOULDBLOCK) return failed("lock the folder", path, errno);
    if (std::chrono::steady_clock::now() >= until)
      return Error{Errc::OVERLOADED,
                   "another process keeps the folder " + path + " locked: end it (fuser " + path +
                       "), or set node.runtime_dir",
                   {},
                   true};
    ::poll(nullptr, 0, kRetryMs);
  }
  return {};
}

Status bind_private(const Descriptor& socket, const std::string& path, const sockaddr_un& address,
                    std::chrono::milliseconds patience) {
  auto folder = std::filesystem::path{path}.parent_path().string();
  if (folder.empty()) folder = ".";
  const Descriptor lock{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!lock.valid()) return failed("open the folder", folder, errno);
  if (auto locked = lock_folder(lock, folder, patience); !locked) return locked;
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
                                                           const Clocks& clocks,
                                                           std::chrono::milliseconds patience) {
  const auto address = address_of(path);
  if (!address) return address.error();
  auto socket = new_socket();
  auto event = SocketStream::new_event();
  if (!socket.valid() || !event.valid()) return failed("make a socket for", path, errno);
  if (auto bound = bind_private(socket, path, *address, patience); !bound) return bound.error();
  return std::unique_ptr<UnixListener>{
      new UnixListener{path, clocks, std::move(socket), std::move(event)}};
}

UnixListener::~UnixListener() {
  struct stat found {};
  if (::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_)
    ::unlink(path_.c_str());
}

Result<std::unique_ptr<ByteStream>> UnixListener::accept() {
  pollfd fds[2] = {{event_.get(), POLLIN, 0}, {socket_.get(), POLLIN, 0}};
  // Whoever is refused for now waits in the kernel's backlog.
  if (std::exchange(exhausted_, false)) ::poll(fds, 1, static_cast<int>(kExhaustedPause.count()));
  for (;;) {
    ::poll(fds, 2, -1);
    std::uint64_t count;
    if (::read(event_.get(), &count, sizeof count) > 0) return std::unique_ptr<ByteStream>{};
    if (!spare_.valid()) spare_ = SocketStream::new_event();
    Descriptor peer;
    if (spare_.valid())
      peer = Descriptor{::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (peer.valid())
      return std::unique_ptr<ByteStream>{
          SocketStream::over(std::move(peer), std::exchange(spare_, {}), clocks_)};
    switch (errno) {
      case EAGAIN:
      case EINTR:
      case ECONNABORTED:
        continue;
      case EBADF:
      case EINVAL:
      case ENOTSOCK:
        return failed("accept on", path_, errno);
      default:
        exhausted_ = true;
        auto error = failed("let another peer in at", path_, errno);
        error.retryable = true;
        return error;
    }
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
