#include "actors/orchestration/engine/lane_book.hpp"

#include <algorithm>
#include <utility>

#include "messages/result.hpp"

namespace symphony::actors {

LaneClass LaneBook::class_of(const LaneDemand& demand) {
  const auto [found, is_new] = by_demand_.emplace(demand, static_cast<LaneClass>(demands_.size()));
  if (is_new) demands_.push_back(demand);
  return found->second;
}

std::optional<LaneClass> LaneBook::class_of_lane(LaneKey key) const {
  const auto found = lanes_.find(key);
  if (found == lanes_.end()) return std::nullopt;
  return found->second.lanes;
}

void LaneBook::granted(LaneKey key, runtime::MonoTime now) {
  const auto found = lanes_.find(key);
  if (found == lanes_.end()) return exchange_.release.push_back(key);
  SYMPHONY_ASSERT(found->second.state == State::asked);
  found->second.state = State::idle;
  found->second.slice_ends = now + limits_.slice;
  --asked_;
}

std::optional<LaneClass> LaneBook::refused(LaneKey key) {
  const auto found = lanes_.find(key);
  if (found == lanes_.end() || found->second.state != State::asked) return std::nullopt;
  const LaneClass lanes = found->second.lanes;
  lanes_.erase(found);
  --asked_;
  return lanes;
}

std::optional<LaneBook::Start> LaneBook::start(LaneClass lanes, runtime::MonoTime now) {
  for (auto& [key, lane] : lanes_) {
    if (lane.lanes != lanes || lane.state != State::idle || lane.slice_ends <= now) continue;
    lane.state = State::working;
    ++working_;
    return Start{key, lane.slice_ends};
  }
  return std::nullopt;
}

void LaneBook::returned(LaneKey key) {
  const auto found = lanes_.find(key);
  if (found == lanes_.end()) return;  // it was lost, and is back
  SYMPHONY_ASSERT(found->second.state == State::working);
  --working_;
  found->second.state = State::idle;
  if (!found->second.shared) lanes_.erase(found);
}

void LaneBook::lost(LaneKey key) {
  const auto found = lanes_.find(key);
  if (found == lanes_.end()) return;
  SYMPHONY_ASSERT(found->second.state == State::working);
  --working_;
  if (found->second.shared) exchange_.release.push_back(key);
  lanes_.erase(found);
}

void LaneBook::settle(LaneClass lanes, const LaneLoad& load, runtime::MonoTime now) {
  std::size_t coming = 0;  // asked for, or idle and about to be started
  std::size_t all = 0;
  for (auto lane = lanes_.begin(); lane != lanes_.end();) {
    if (lane->second.lanes != lanes) {
      ++lane;
      continue;
    }
    if (lane->second.state == State::idle &&
        (lane->second.slice_ends <= now || (load.ready == 0 && !load.more_soon))) {
      exchange_.release.push_back(lane->first);
      lane = lanes_.erase(lane);
      continue;
    }
    ++all;
    coming += lane->second.state != State::working ? 1 : 0;
    ++lane;
  }
  coming += load.lingering;
  for (; coming < load.ready && all < limits_.lanes_max; ++coming, ++all) {
    const LaneKey key = next_key_++;
    lanes_.emplace(key, Lane{lanes});
    ++asked_;
    exchange_.demands.push_back({key, demands_[lanes], load.priority});
  }
}

LaneExchange LaneBook::take_exchange() { return std::exchange(exchange_, {}); }

void LaneBook::reset() {
  exchange_ = {};
  std::erase_if(lanes_, [](const auto& lane) { return lane.second.state != State::working; });
  for (auto& [key, lane] : lanes_) lane.shared = false;
  asked_ = 0;
}

}  // namespace symphony::actors
