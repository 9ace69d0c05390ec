// Randomness as something that is passed in: from the kernel in production, from a seed in tests.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace symphony::runtime {

// A source of uniformly distributed 64-bit numbers. Implementations are thread-safe.
class Random {
 public:
  Random() = default;
  Random(const Random&) = delete;
  Random& operator=(const Random&) = delete;
  virtual ~Random() = default;

  [[nodiscard]] virtual std::uint64_t next() = 0;

  // A number in [0, bound), without modulo bias (Lemire, "Fast Random Integer Generation in an
  // Interval", 2019). REQUIRES: bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  // A number in [0, 1) with 53 random bits.
  [[nodiscard]] double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

// The kernel's generator (getrandom), read in blocks. Fit for secrets and ids. A forked child must
// make its own: it would repeat what its parent still has buffered.
class SystemRandom final : public Random {
 public:
  [[nodiscard]] std::uint64_t next() override;

 private:
  static constexpr std::size_t kBlockWords = 64;

  std::mutex mutex_;
  std::array<std::uint64_t, kBlockWords> block_{};
  std::size_t used_ = kBlockWords;
};

// SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014): the same
// seed gives the same sequence. Not for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) noexcept : state_(seed) {}
  [[nodiscard]] std::uint64_t next() override;

 private:
  std::atomic<std::uint64_t> state_;
};

}  // namespace symphony::runtime
