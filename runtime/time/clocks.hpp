// The two clocks, as something that is passed in.
//
// Nothing in Symphony reads the time of the operating system directly: it asks the `Clocks` it was
// given, so that a test drives the time and a simulation replays from a seed.
//   - monotonic: for deadlines, durations, timers. Never jumps. `coarse()` is the same clock as the
//     kernel last ticked it (up to ~4 ms behind, a few ns to read): for budgets and progress marks.
//   - wall: nanoseconds since 1970-01-01 UTC, for people and for ids. May jump either way.
// All implementations are thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace symphony::runtime {

using MonoTime = std::chrono::steady_clock::time_point;
using Nanos = std::chrono::nanoseconds;

class Clocks {
 public:
  Clocks() = default;
  Clocks(const Clocks&) = delete;
  Clocks& operator=(const Clocks&) = delete;
  virtual ~Clocks() = default;

  [[nodiscard]] virtual MonoTime mono() const noexcept = 0;
  // Never ahead of mono().
  [[nodiscard]] virtual MonoTime coarse() const noexcept = 0;
  // Unix time in nanoseconds.
  [[nodiscard]] virtual std::int64_t wall_ns() const noexcept = 0;
};

// The clocks of the operating system.
class SystemClocks final : public Clocks {
 public:
  [[nodiscard]] MonoTime mono() const noexcept override;
  [[nodiscard]] MonoTime coarse() const noexcept override;
  [[nodiscard]] std::int64_t wall_ns() const noexcept override;
};

// Clocks that move only when told to. They start at one hour of monotonic time and at
// 2026-01-01 00:00:00 UTC, so that "before the start" can be said in tests.
class ManualClocks final : public Clocks {
 public:
  static constexpr std::int64_t kStartWallNs = 1'767'225'600'000'000'000;
  static constexpr std::int64_t kStartMonoNs = 3'600'000'000'000;

  [[nodiscard]] MonoTime mono() const noexcept override;
  [[nodiscard]] MonoTime coarse() const noexcept override { return mono(); }
  [[nodiscard]] std::int64_t wall_ns() const noexcept override;

  // Moves both clocks forward. REQUIRES: by >= 0.
  void advance(Nanos by);
  // Moves both clocks so that mono() == at; does nothing when that has passed.
  void advance_to(MonoTime at);
  // Lets the wall clock alone jump, as a correction of the system time does.
  void jump_wall(Nanos by) noexcept;

 private:
  std::atomic<std::int64_t> mono_ns_{kStartMonoNs};
  std::atomic<std::int64_t> wall_ns_{kStartWallNs};
};

}  // namespace symphony::runtime
