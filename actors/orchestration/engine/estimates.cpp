#include "actors/orchestration/engine/estimates.hpp"

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

namespace {

// Written over `key`: a run has thousands of nodes, one buffer will do.
void set_key(std::string& key, const std::string& melody, const std::string& node) {
  key.assign(melody).append(1, '\0').append(node);
}

}  // namespace

void learn_durations(DurationEstimates& estimates, const Plan& plan,
                     const std::vector<MelodyNodeState>& states) {
  std::string key;
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (states[i].status != NodeStatus::done || states[i].elapsed_us == 0) continue;
    set_key(key, plan.name, plan.nodes[i].name);
    estimates.observe(key, static_cast<std::int64_t>(states[i].elapsed_us));
  }
}

std::vector<double> expected_durations(const DurationEstimates& estimates, const Plan& plan) {
  std::vector<double> weights(plan.nodes.size(), 1.0);
  if (estimates.size() == 0) return weights;
  std::string key;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    set_key(key, plan.name, plan.nodes[i].name);
    weights[i] = estimates.estimate_us(key);
  }
  return weights;
}

}  // namespace symphony::actors
