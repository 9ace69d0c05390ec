#include "runtime/telemetry/telemetry_registry.hpp"

#include <algorithm>
#include <utility>

namespace symphony::runtime {

Result<std::shared_ptr<ComponentStats>> TelemetryRegistry::open(const std::string& name,
                                                                MonoTime now,
                                                                std::uint32_t incarnation) {
  auto fresh = std::make_shared<ComponentStats>(name, now, incarnation);
  std::lock_guard lock(mutex_);
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) {
    fresh->continue_from(found->second->snapshot());
    auto succeeded = by_name_.extract(found);
    note_former(std::exchange(succeeded.mapped(), fresh));
    succeeded.key() = fresh->name();
    by_name_.insert(std::move(succeeded));
    return fresh;
  }
  if (by_name_.size() >= kComponentsMax)
    std::erase_if(by_name_, [](const auto& each) { return each.second.use_count() == 1; });
  if (by_name_.size() >= kComponentsMax)
    return Error{Errc::RESOURCE_EXHAUSTED,
                 "a node has at most " + std::to_string(kComponentsMax) + " components"};
  by_name_.emplace(fresh->name(), fresh);
  return fresh;
}

void TelemetryRegistry::close(const ComponentStats& stats) {
  std::lock_guard lock(mutex_);
  const auto found = by_name_.find(stats.name());
  if (found == by_name_.end() || found->second.get() != &stats) return;
  note_former(found->second);  // a thread may be stuck in it
  by_name_.erase(found);
}

void TelemetryRegistry::note_former(const std::shared_ptr<ComponentStats>& stats) {
  former_.push_back(stats);
  if (former_.size() < former_max_) return;
  std::erase_if(former_, [](const auto& one) { return one.expired(); });
  former_max_ = std::max(kFormerAtLeast, 2 * former_.size());
}

std::shared_ptr<ComponentStats> TelemetryRegistry::find(std::string_view name) const {
  std::lock_guard lock(mutex_);
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const ComponentStats>> TelemetryRegistry::all() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const ComponentStats>> every;
  every.reserve(by_name_.size());
  for (const auto& [name, stats] : by_name_) every.push_back(stats);
  return every;
}

std::vector<std::shared_ptr<const ComponentStats>> TelemetryRegistry::former() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const ComponentStats>> existing;
  for (const auto& weak : former_)
    if (auto stats = weak.lock()) existing.push_back(std::move(stats));
  return existing;
}

std::vector<ComponentSnapshot> TelemetryRegistry::snapshot() const {
  std::vector<ComponentSnapshot> views;
  for (const auto& stats : all()) views.push_back(stats->snapshot());
  return views;
}

}  // namespace symphony::runtime
