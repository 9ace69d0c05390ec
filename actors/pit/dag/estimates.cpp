#include "actors/pit/dag/estimates.hpp"

#include <algorithm>

namespace symphony::actors {

void DurationEstimates::observe(std::string_view key, std::int64_t duration_us) {
  const double duration = static_cast<double>(std::max<std::int64_t>(duration_us, 0));
  const auto found = means_.find(key);
  if (found != means_.end()) {
    const double change = kNewestShare * (duration - found->second);
    found->second += change;
    sum_ += change;
  } else if (means_.size() < kMaxKeys) {
    means_.emplace(key, duration);
    sum_ += duration;
  }
}

double DurationEstimates::estimate_us(std::string_view key) const {
  const auto found = means_.find(key);
  if (found != means_.end()) return found->second;
  return means_.empty() ? 1.0 : std::max(sum_ / static_cast<double>(means_.size()), 1.0);
}

}  // namespace symphony::actors
