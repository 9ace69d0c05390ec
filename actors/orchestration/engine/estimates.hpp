// How long nodes are expected to run, learnt from how long they ran before: what ranks are made of
// until a run has durations of its own.
//
// Each key (melody and node) holds an exponentially weighted mean, so that it costs the same after
// a million runs as after one. In memory only: a fresh process has nothing to go by and counts
// nodes. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "actors/orchestration/engine/run_core.hpp"
#include "actors/orchestration/melody/plan.hpp"

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

// From a run of the plan that has ended: the whole time of each node that is done, from the first
// start of its children to their last end if it is mapped.
void learn_durations(DurationEstimates& estimates, const Plan& plan,
                     const std::vector<MelodyNodeState>& states);

// In microseconds, for each node of the plan.
std::vector<double> expected_durations(const DurationEstimates& estimates, const Plan& plan);

}  // namespace symphony::actors
