#include "runtime/link/socket_stream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "runtime/link/reading_duty.hpp"
#include "runtime/system/thread.hpp"

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

  // Polls, and takes a turn. For whoever has the duty to read; not under the lock.
  void wait_and_turn();
  void run();
  // REQUIRES of all below: the lock.
  [[nodiscard]] bool wanted() const { return driven->expects() || last.wants_write; }
  void end_turn() { call(duty.turn_ended(wanted())); }
  bool succeed(std::unique_lock<std::mutex>& lock);
  void call(ReadingDuty::Calls calls) noexcept;

  Descriptor socket;
  Descriptor event;
  const Clocks& clocks;
  std::atomic<bool> woken{false};
  std::atomic<std::uint64_t> turns{0};  // duty.turns(), for those without the lock

  // Belong to whoever is reading; nobody: to whoever has the lock.
  std::shared_ptr<Driven> driven;
  Turn last;

  std::mutex mutex;
  ReadingDuty duty;
  std::condition_variable for_thread;
  std::condition_variable for_successor;
  std::condition_variable for_halting;
};

void SocketStream::Shared::wait_and_turn() {
  pollfd fds[2] = {{socket.get(), 0, 0}, {event.get(), POLLIN, 0}};
  if (last.wants_read) fds[0].events |= POLLIN;
  if (last.wants_write) fds[0].events |= POLLOUT;
  if (last.lost) fds[0].fd = -1;
  if (last.wake_at == MonoTime::max()) {
    ::ppoll(fds, 2, nullptr, nullptr);
  } else {
    const auto timeout = until_timespec(clocks.mono(), last.wake_at);
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
  for (;;) {
    switch (duty.thread_next()) {
      case ReadingDuty::Next::read:
        lock.unlock();
        wait_and_turn();
        lock.lock();
        end_turn();
        break;
      case ReadingDuty::Next::stand_back:
        for_thread.wait_for(lock, kStandBack);
        break;
      case ReadingDuty::Next::wait:
        for_thread.wait(lock);
        break;
      case ReadingDuty::Next::end:
        for_halting.notify_all();
        return;
    }
  }
}

// A helper waits for the turn of whoever is reading to end.
bool SocketStream::Shared::succeed(std::unique_lock<std::mutex>& lock) {
  for_successor.wait(lock, [this] { return duty.successor_may_go(); });
  call(duty.successor_goes(duty.reader() == ReadingDuty::Reader::nobody && wanted()));
  return !duty.halted();
}

void SocketStream::Shared::call(ReadingDuty::Calls calls) noexcept {
  turns.store(duty.turns());
  if (calls.thread) for_thread.notify_one();
  if (calls.successor) for_successor.notify_one();
  if (calls.halting) for_halting.notify_all();
}

Descriptor SocketStream::new_event() noexcept {
  return Descriptor{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
}

std::unique_ptr<SocketStream> SocketStream::over(Descriptor socket, Descriptor event,
                                                 const Clocks& clocks) {
  return std::unique_ptr<SocketStream>{
      new SocketStream{std::make_shared<Shared>(std::move(socket), std::move(event), clocks)}};
}

Result<std::unique_ptr<SocketStream>> SocketStream::make(Descriptor socket, const Clocks& clocks) {
  const int flags = ::fcntl(socket.get(), F_GETFL);
  auto event = new_event();
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) < 0 || !event.valid())
    return Error{Errc::RESOURCE_EXHAUSTED,
                 std::string{"cannot set up a connection: "} + std::strerror(errno),
                 {},
                 true};
  return over(std::move(socket), std::move(event), clocks);
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

bool SocketStream::hung_up() const noexcept {
  pollfd socket{shared_->socket.get(), 0, 0};
  return ::poll(&socket, 1, 0) > 0;  // asked for or not: POLLHUP, POLLERR
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

Status SocketStream::drive(std::shared_ptr<Driven> driven) {
  SYMPHONY_ASSERT(shared_->driven == nullptr);
  shared_->driven = std::move(driven);
  shared_->last = Turn{.wake_at = shared_->clocks.mono()};  // the first turn comes at once
  auto thread = start_thread("reads a connection", [shared = shared_] { shared->run(); });
  if (!thread) {
    shared_->driven.reset();
    return thread.error();
  }
  thread_ = std::move(*thread);
  return {};
}

void SocketStream::wake() noexcept {
  if (!shared_->woken.exchange(true)) {
    const std::uint64_t one = 1;
    while (::write(shared_->event.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
  }
  attend();
}

std::uint64_t SocketStream::turns() const noexcept { return shared_->turns.load(); }

bool SocketStream::help(std::uint64_t seen) {
  auto& shared = *shared_;
  std::unique_lock lock{shared.mutex};
  switch (shared.duty.helper_comes(seen)) {
    case ReadingDuty::Help::read:
      lock.unlock();
      shared.wait_and_turn();
      lock.lock();
      shared.end_turn();
      return true;
    case ReadingDuty::Help::succeed:
      return shared.succeed(lock);
    case ReadingDuty::Help::turn_ended:
      return true;
    case ReadingDuty::Help::not_needed:
      break;
  }
  return false;
}

void SocketStream::attend() noexcept {
  const std::lock_guard lock{shared_->mutex};
  shared_->call(shared_->duty.attend());
}

bool SocketStream::halt(Nanos patience) {
  if (!thread_.joinable()) return true;
  {
    const std::lock_guard lock{shared_->mutex};
    shared_->call(shared_->duty.halt());
  }
  wake();
  {
    std::unique_lock lock{shared_->mutex};
    if (!shared_->for_halting.wait_for(lock, patience, [this] { return shared_->duty.at_rest(); }))
      return false;
  }
  thread_.join();
  shared_->driven.reset();
  return true;
}

}  // namespace symphony::runtime
