#include "actors/bootstrap/cli/desk.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>

#include "messages/result.hpp"

namespace symphony::cli {

sigset_t held_back_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&signals, signal);
  return signals;
}

Desk::Desk() {
  const sigset_t blocked = held_back_signals();
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  wake_ = runtime::Descriptor{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  signals_ = runtime::Descriptor{::signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK)};
  SYMPHONY_ASSERT(wake_.valid() && signals_.valid());
}

void Desk::post(kj::Function<void()> work) {
  {
    const std::lock_guard lock{mutex_};
    work_.push_back(std::move(work));
  }
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

void Desk::read_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    ++interrupts_;
    signal_ = static_cast<int>(info.ssi_signo);
  }
}

void Desk::work_off() {
  std::uint64_t count = 0;
  (void)!::read(wake_.get(), &count, sizeof count);
  std::deque<kj::Function<void()>> work;
  {
    const std::lock_guard lock{mutex_};
    work.swap(work_);
  }
  for (auto& item : work) item();
}

void Desk::turn(std::chrono::milliseconds patience) {
  pollfd watched[] = {{wake_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
  if (::poll(watched, 2, static_cast<int>(std::max<std::int64_t>(patience.count(), 0))) < 0) return;
  read_signals();
  work_off();
}

bool Desk::await_readable(int file_descriptor) {
  pollfd watched[] = {
      {file_descriptor, POLLIN, 0}, {wake_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
  while (!tell_of_signal()) {
    if (::poll(watched, 3, -1) < 0) continue;
    if (watched[2].revents != 0) read_signals();
    if (watched[1].revents != 0) work_off();
    if (watched[0].revents != 0) return !tell_of_signal();
  }
  return false;
}

}  // namespace symphony::cli
