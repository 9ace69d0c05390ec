// How long nodes are expected to run, learnt from how long they ran before.
//
// Keys are chosen by the caller, for example melody and node name. Each holds an exponentially
// weighted mean, so that a key costs the same after a million runs as after one. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace symphony::actors {

class DurationEstimates {
 public:
  // Beyond this many keys new ones are not learnt.
  static constexpr std::size_t kMaxKeys = 100'000;
  // Share of the newest duration in the mean.
  static constexpr double kNewestShare = 0.3;

  void observe(std::string_view key, std::int64_t duration_us);
  // The mean for a key; for an unknown one the mean of all keys; 1 when nothing is known, so that
  // ranks then count nodes.
  double estimate_us(std::string_view key) const;
  std::size_t size() const noexcept { return means_.size(); }

 private:
  std::map<std::string, double, std::less<>> means_;
  double sum_ = 0;
};

}  // namespace symphony::actors
