#include "actors/bootstrap/exit_guard.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "runtime/system/thread.hpp"

namespace symphony::bootstrap {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

ExitGuard::ExitGuard(steady_clock::time_point deadline, int signals, Leave leave)
    : done_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  auto thread = runtime::start_thread(
      "watches the stop",
      [this, deadline, signals, leave = std::move(leave)] { watch(deadline, signals, leave); });
  if (thread) thread_ = std::move(*thread);
}

ExitGuard::~ExitGuard() {
  over_ = true;
  const std::uint64_t one = 1;
  (void)!::write(done_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
}

void ExitGuard::watch(steady_clock::time_point deadline, int signals, const Leave& leave) {
  pollfd watched[] = {{done_.get(), POLLIN, 0}, {signals, POLLIN, 0}};
  // Without an event it looks by itself.
  const long long poll_max_ms = done_.valid() ? 60'000 : 20;
  while (!over_) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0) return leave("it took too long");
    if (::poll(watched, 2, static_cast<int>(std::min<long long>(left, poll_max_ms))) <= 0) continue;
    if (watched[0].revents != 0) return;
    signalfd_siginfo info{};
    if (::read(signals, &info, sizeof info) == sizeof info && info.ssi_signo != SIGHUP)
      return leave("a second signal asked for it");
  }
}

}  // namespace symphony::bootstrap
