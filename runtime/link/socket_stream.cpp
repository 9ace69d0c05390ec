#include "runtime/link/socket_stream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace symphony::runtime {
namespace {

timespec until_timespec(MonoTime now, MonoTime until) {
  const auto left = std::max(Nanos{0}, Nanos{until - now});
  return {left.count() / 1'000'000'000, left.count() % 1'000'000'000};
}

}  // namespace

struct SocketStream::Shared {
  Shared(Descriptor the_socket, Descriptor the_event, const Clocks& the_clocks)
      : socket(std::move(the_socket)), event(std::move(the_event)), clocks(the_clocks) {}

  void wait_and_turn(MonoTime until);
  void run();
  void stop_standing_back() noexcept;
  void release();
  bool succeed(std::unique_lock<std::mutex>& lock);

  Descriptor socket;
  Descriptor event;
  const Clocks& clocks;
  std::atomic<bool> woken{false};

  // Belong to whoever is reading.
  std::shared_ptr<Driven> driven;
  Turn last;

  std::mutex mutex;
  std::condition_variable changed;
  std::condition_variable turn_ended;   // for the successor
  bool reading = false;                 // somebody polls or takes a turn
  bool stand_back = false;              // helpers are expected to read
  bool refused = false;                 // a helper was sent away while somebody else was reading
  bool successor = false;               // one helper waits for the reading to become free
  std::atomic<std::uint64_t> turns{0};  // that have ended; changes under the lock
  bool halted = false;
  bool waits_for_helper = false;  // the thread does, for one that is reading
  bool finished = false;          // the thread has ended
};

void SocketStream::Shared::wait_and_turn(MonoTime until) {
  pollfd fds[2] = {{socket.get(), POLLIN, 0}, {event.get(), POLLIN, 0}};
  if (last.wants_write) fds[0].events |= POLLOUT;
  if (last.lost) fds[0].fd = -1;
  if (until == MonoTime::max()) {
    ::ppoll(fds, 2, nullptr, nullptr);
  } else {
    const auto timeout = until_timespec(clocks.mono(), until);
    ::ppoll(fds, 2, &timeout, nullptr);
  }
  if (fds[1].revents != 0) {
    std::uint64_t count;
    while (::read(event.get(), &count, sizeof count) < 0 && errno == EINTR) {
    }
    woken.store(false);
  }
  last = driven->turn();
}

void SocketStream::Shared::run() {
  std::unique_lock lock{mutex};
  while (!halted) {
    if (reading) {
      waits_for_helper = true;
      changed.wait(lock);
      waits_for_helper = false;
    } else if (stand_back) {
      stand_back = false;
      changed.wait_for(lock, kStandBack);
    } else {
      reading = true;
      refused = false;
      lock.unlock();
      wait_and_turn(last.wake_at);
      lock.lock();
      release();
      // Whoever just had to wait will ask again, and is to find the reading free.
      stand_back = successor || (refused && !driven->expects() && !last.wants_write);
    }
  }
  finished = true;
  changed.notify_all();
}

// The end of a turn. REQUIRES: the lock.
void SocketStream::Shared::release() {
  reading = false;
  ++turns;
  if (successor) turn_ended.notify_one();
}

// Waits for the turn of whoever is reading to end. Then the reading is the caller's duty: if it
// has its answer it leaves, so the thread is called when somebody else expects one.
bool SocketStream::Shared::succeed(std::unique_lock<std::mutex>& lock) {
  successor = true;
  turn_ended.wait(lock, [this, before = turns.load()] { return turns != before || halted; });
  successor = false;
  if (!reading && (driven->expects() || last.wants_write)) {
    stand_back = false;
    changed.notify_all();
  }
  return !halted;
}

void SocketStream::Shared::stop_standing_back() noexcept {
  const std::lock_guard lock{mutex};
  stand_back = false;
  changed.notify_all();
}

Result<std::unique_ptr<SocketStream>> SocketStream::make(Descriptor socket, const Clocks& clocks) {
  const int flags = ::fcntl(socket.get(), F_GETFL);
  Descriptor event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) < 0 || !event.valid())
    return Error{Errc::RESOURCE_EXHAUSTED,
                 std::string{"cannot set up a connection: "} + std::strerror(errno)};
  return std::unique_ptr<SocketStream>{
      new SocketStream{std::make_shared<Shared>(std::move(socket), std::move(event), clocks)}};
}

SocketStream::~SocketStream() { SYMPHONY_ASSERT(!thread_.joinable()); }

Io SocketStream::read(std::span<std::byte> into) noexcept {
  for (;;) {
    const auto n = ::recv(shared_->socket.get(), into.data(), into.size(), 0);
    if (n > 0) return {static_cast<std::size_t>(n), false};
    if (n == 0) return {0, true};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {};
    if (errno != EINTR) return {0, true};
  }
}

Io SocketStream::write(std::span<const iovec> pieces) noexcept {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  for (;;) {
    const auto n = ::sendmsg(shared_->socket.get(), &message, MSG_NOSIGNAL);
    if (n >= 0) return {static_cast<std::size_t>(n), false};
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return {};
    if (errno != EINTR) return {0, true};
  }
}

void SocketStream::shutdown() noexcept {
  ::shutdown(shared_->socket.get(), SHUT_RDWR);
  wake();
}

Result<Credentials> SocketStream::credentials() const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(shared_->socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return Error{Errc::PERMISSION_DENIED,
                 std::string{"cannot tell who is at the other end: "} + std::strerror(errno)};
  return Credentials{peer.uid, peer.pid};
}

void SocketStream::drive(std::shared_ptr<Driven> driven) {
  SYMPHONY_ASSERT(shared_->driven == nullptr);
  shared_->driven = std::move(driven);
  shared_->last = Turn{.wake_at = shared_->clocks.mono()};  // the first turn comes at once
  thread_ = std::thread{[shared = shared_] { shared->run(); }};
}

void SocketStream::wake() noexcept {
  if (!shared_->woken.exchange(true)) {
    const std::uint64_t one = 1;
    while (::write(shared_->event.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
  }
  shared_->stop_standing_back();
}

std::uint64_t SocketStream::turns() const noexcept { return shared_->turns.load(); }

bool SocketStream::help(std::uint64_t seen) {
  auto& shared = *shared_;
  std::unique_lock lock{shared.mutex};
  if (shared.halted) return false;
  if (shared.turns != seen) return true;
  if (shared.reading && !shared.successor) return shared.succeed(lock);
  if (shared.reading) {
    shared.refused = true;
    return false;
  }
  shared.reading = true;
  lock.unlock();
  shared.wait_and_turn(shared.last.wake_at);
  lock.lock();
  shared.release();
  shared.stand_back = shared.successor || (!shared.driven->expects() && !shared.last.wants_write);
  if (!shared.stand_back || shared.waits_for_helper) shared.changed.notify_all();
  return true;
}

void SocketStream::attend() noexcept { shared_->stop_standing_back(); }

bool SocketStream::halt(Nanos patience) {
  if (!thread_.joinable()) return true;
  {
    const std::lock_guard lock{shared_->mutex};
    shared_->halted = true;
    shared_->changed.notify_all();
    shared_->turn_ended.notify_all();
  }
  wake();
  std::unique_lock lock{shared_->mutex};
  const bool ended = shared_->changed.wait_for(
      lock, patience, [this] { return shared_->finished && !shared_->reading; });
  lock.unlock();
  if (!ended) return false;
  thread_.join();
  shared_->driven.reset();
  return true;
}

}  // namespace symphony::runtime
