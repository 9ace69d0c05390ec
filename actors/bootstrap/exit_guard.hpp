// Ends the process when stopping it in order takes too long, or is told a second time to stop.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "runtime/system/descriptor.hpp"

namespace symphony::bootstrap {

// While it exists, a thread of its own watches: whatever the others are stuck in, it is not.
class ExitGuard {
 public:
  using Leave = std::function<void(const char* why)>;

  // Calls `leave`, which must not return, at `deadline` or when there is a signal to be read from
  // `signals` (of signalfd, which must outlive the guard). Needs no descriptor to do so, but a
  // thread: see watches().
  ExitGuard(std::chrono::steady_clock::time_point deadline, int signals, Leave leave);
  // Everything went well.
  ~ExitGuard();
  ExitGuard(const ExitGuard&) = delete;
  ExitGuard& operator=(const ExitGuard&) = delete;

  // False: there is no thread to be had, and nobody watches.
  [[nodiscard]] bool watches() const noexcept { return thread_.joinable(); }

 private:
  void watch(std::chrono::steady_clock::time_point deadline, int signals, const Leave& leave);

  runtime::Descriptor done_;  // eventfd, if there was one to be had
  std::atomic<bool> over_{false};
  std::thread thread_;
};

}  // namespace symphony::bootstrap
