#include "runtime/telemetry/histogram.hpp"

#include <cmath>
#include <numeric>

namespace symphony::runtime {

std::uint64_t HistogramSnapshot::count() const noexcept {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

double HistogramSnapshot::mean() const noexcept {
  const std::uint64_t all = count();
  return all == 0 ? 0.0 : static_cast<double>(sum) / static_cast<double>(all);
}

std::uint64_t HistogramSnapshot::percentile(double q) const noexcept {
  const std::uint64_t all = count();
  if (all == 0) return 0;
  const double share = std::clamp(q, 0.0, 1.0) * static_cast<double>(all);
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) {
    seen += counts[bucket];
    if (seen < rank) continue;
    const std::uint64_t low = HistogramLayout::lower_bound(bucket);
    const std::uint64_t high = HistogramLayout::lower_bound(bucket + 1) - 1;
    return std::min(low + (high - low) / 2, max);
  }
  return max;
}

void HistogramSnapshot::merge(const HistogramSnapshot& other) noexcept {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  sum += other.sum;
  max = std::max(max, other.max);
}

HistogramSnapshot HistogramSnapshot::since(const HistogramSnapshot& earlier) const noexcept {
  HistogramSnapshot recent = *this;
  for (std::size_t i = 0; i < counts.size(); ++i) recent.counts[i] -= earlier.counts[i];
  recent.sum -= earlier.sum;
  return recent;
}

void Histogram::restore(const HistogramSnapshot& from) noexcept {
  for (std::size_t i = 0; i < counts_.size(); ++i)
    counts_[i].store(from.counts[i], std::memory_order_relaxed);
  sum_.store(from.sum, std::memory_order_relaxed);
  max_.store(from.max, std::memory_order_relaxed);
}

HistogramSnapshot Histogram::snapshot() const noexcept {
  HistogramSnapshot view;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    view.counts[i] = counts_[i].load(std::memory_order_relaxed);
  view.sum = sum_.load(std::memory_order_relaxed);
  view.max = max_.load(std::memory_order_relaxed);
  return view;
}

}  // namespace symphony::runtime
