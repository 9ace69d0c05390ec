#include "runtime/time/clocks.hpp"

#include <ctime>

#include "messages/result.hpp"

namespace symphony::runtime {
namespace {

std::int64_t read_ns(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

MonoTime SystemClocks::mono() const noexcept { return std::chrono::steady_clock::now(); }

MonoTime SystemClocks::coarse() const noexcept {
  // libstdc++'s steady_clock is CLOCK_MONOTONIC, of which this is the cheap reading.
  return MonoTime{Nanos{read_ns(CLOCK_MONOTONIC_COARSE)}};
}

std::int64_t SystemClocks::wall_ns() const noexcept { return read_ns(CLOCK_REALTIME); }

MonoTime ManualClocks::mono() const noexcept {
  return MonoTime{Nanos{mono_ns_.load(std::memory_order_acquire)}};
}

std::int64_t ManualClocks::wall_ns() const noexcept {
  return wall_ns_.load(std::memory_order_acquire);
}

void ManualClocks::advance(Nanos by) {
  SYMPHONY_ASSERT(by.count() >= 0);
  wall_ns_.fetch_add(by.count(), std::memory_order_acq_rel);
  mono_ns_.fetch_add(by.count(), std::memory_order_acq_rel);
}

void ManualClocks::advance_to(MonoTime at) {
  const auto ahead = at - mono();
  if (ahead.count() > 0) advance(ahead);
}

void ManualClocks::jump_wall(Nanos by) noexcept {
  wall_ns_.fetch_add(by.count(), std::memory_order_acq_rel);
}

}  // namespace symphony::runtime
