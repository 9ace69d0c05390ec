// A distribution of durations in 2.7 KiB.
//
// Buckets are log-linear, as in HdrHistogram (Tene): values below 8 have a bucket each, above that
// every power of two is cut into 8 equal buckets. A value is known to within 1/8 of itself, a
// percentile (the middle of its bucket) to within 1/16. Values above kValueMax count as kValueMax.
//
// One thread records, any thread reads at the same time: relaxed atomics, no locked instruction. A
// snapshot taken meanwhile may miss the latest values and is otherwise exact.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace symphony::runtime {

class HistogramLayout {
 public:
  static constexpr unsigned kSubBits = 3;
  static constexpr unsigned kValueBits = 44;
  static constexpr std::uint64_t kValueMax = (1ULL << kValueBits) - 1;  // 4.9 hours in ns
  static constexpr std::size_t kBuckets = (kValueBits - kSubBits + 1) << kSubBits;

  static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
    value = std::min(value, kValueMax);
    const unsigned width = static_cast<unsigned>(std::bit_width(value | 7));
    const unsigned shift = width - kSubBits - (width > kSubBits ? 1 : 0);
    return (static_cast<std::size_t>(shift) << kSubBits) + static_cast<std::size_t>(value >> shift);
  }
  // The least value of a bucket; of kBuckets: kValueMax + 1.
  static constexpr std::uint64_t lower_bound(std::size_t bucket) noexcept {
    constexpr std::size_t kSub = std::size_t{1} << kSubBits;
    if (bucket < 2 * kSub) return bucket;
    const std::size_t shift = (bucket >> kSubBits) - 1;
    return (kSub + (bucket & (kSub - 1))) << shift;
  }
};

// What a histogram held at a moment: a plain value.
class HistogramSnapshot {
 public:
  std::array<std::uint64_t, HistogramLayout::kBuckets> counts{};
  std::uint64_t sum = 0;
  std::uint64_t max = 0;

  [[nodiscard]] std::uint64_t count() const noexcept;
  [[nodiscard]] double mean() const noexcept;  // 0 when empty
  // The value that the share `q` (0 to 1) of all values does not exceed; 0 when empty. Never above
  // max.
  [[nodiscard]] std::uint64_t percentile(double q) const noexcept;
  void merge(const HistogramSnapshot& other) noexcept;
  // What was recorded since `earlier`, a snapshot of the same histogram. Its max is that of all
  // time.
  [[nodiscard]] HistogramSnapshot since(const HistogramSnapshot& earlier) const noexcept;
};

class Histogram {
 public:
  // Only the one writer.
  void record(std::uint64_t value) noexcept {
    bump(counts_[HistogramLayout::bucket_of(value)], 1);
    bump(sum_, value);
    if (value > max_.load(std::memory_order_relaxed)) max_.store(value, std::memory_order_relaxed);
  }
  // Only the writer, before it records: continues from `from`.
  void restore(const HistogramSnapshot& from) noexcept;

  [[nodiscard]] HistogramSnapshot snapshot() const noexcept;

 private:
  using Cell = std::atomic<std::uint64_t>;

  static void bump(Cell& cell, std::uint64_t by) noexcept {
    cell.store(cell.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  std::array<Cell, HistogramLayout::kBuckets> counts_{};
  Cell sum_{0};
  Cell max_{0};
};
static_assert(sizeof(Histogram) <= 4096);

// A histogram that takes its memory with its first value. As thread-safe as that.
class HistogramOnUse {
 public:
  HistogramOnUse() = default;
  HistogramOnUse(const HistogramOnUse&) = delete;
  HistogramOnUse& operator=(const HistogramOnUse&) = delete;
  ~HistogramOnUse() { delete histogram_.load(std::memory_order_relaxed); }

  void record(std::uint64_t value) {
    Histogram* histogram = histogram_.load(std::memory_order_relaxed);
    (histogram != nullptr ? *histogram : make()).record(value);
  }
  void restore(const HistogramSnapshot& from) {
    if (from.count() != 0) make().restore(from);
  }
  [[nodiscard]] HistogramSnapshot snapshot() const noexcept {
    const Histogram* histogram = histogram_.load(std::memory_order_acquire);
    return histogram != nullptr ? histogram->snapshot() : HistogramSnapshot{};
  }

 private:
  Histogram& make() {
    auto* fresh = new Histogram;
    histogram_.store(fresh, std::memory_order_release);
    return *fresh;
  }

  std::atomic<Histogram*> histogram_{nullptr};
};

}  // namespace symphony::runtime
