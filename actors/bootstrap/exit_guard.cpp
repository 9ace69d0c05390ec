#include "actors/bootstrap/exit_guard.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace symphony::bootstrap {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

ExitGuard::ExitGuard(steady_clock::time_point deadline, int signals, Leave leave)
    : done_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this, deadline, signals, leave = std::move(leave)] {
        watch(deadline, signals, leave);
      }) {}

ExitGuard::~ExitGuard() {
  const std::uint64_t one = 1;
  (void)!::write(done_.get(), &one, sizeof one);
  thread_.join();
}

void ExitGuard::watch(steady_clock::time_point deadline, int signals, const Leave& leave) {
  pollfd watched[] = {{done_.get(), POLLIN, 0}, {signals, POLLIN, 0}};
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0) return leave("it took too long");
    constexpr long long kPollMaxMs = 60'000;
    if (::poll(watched, 2, static_cast<int>(std::min<long long>(left, kPollMaxMs))) <= 0) continue;
    if (watched[0].revents != 0) return;
    signalfd_siginfo info{};
    if (::read(signals, &info, sizeof info) == sizeof info && info.ssi_signo != SIGHUP)
      return leave("a second signal asked for it");
  }
}

}  // namespace symphony::bootstrap
