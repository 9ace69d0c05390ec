// For what is worth doing now and then, however often it is asked for.
#pragma once

#include <atomic>

#include "runtime/time/clocks.hpp"

namespace symphony::runtime {

// Thread-safe; takes no lock.
class AtMostEvery {
 public:
  explicit AtMostEvery(Nanos interval) noexcept : interval_(interval) {}

  // True for one caller in each interval, and for the first of all.
  [[nodiscard]] bool now(MonoTime now) noexcept {
    auto next = next_ns_.load(std::memory_order_relaxed);
    const auto now_ns = Nanos{now.time_since_epoch()}.count();
    return now_ns >= next && next_ns_.compare_exchange_strong(next, now_ns + interval_.count(),
                                                              std::memory_order_relaxed);
  }

 private:
  const Nanos interval_;
  std::atomic<Nanos::rep> next_ns_{Nanos::min().count()};
};

}  // namespace symphony::runtime
