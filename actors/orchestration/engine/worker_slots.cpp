#include "actors/orchestration/engine/worker_slots.hpp"

#include <algorithm>
#include <utility>

#include "messages/result.hpp"

namespace symphony::actors {

SlotClass WorkerSlots::class_of(const SlotDemand& demand) {
  const auto [found, is_new] = by_demand_.emplace(demand, static_cast<SlotClass>(demands_.size()));
  if (is_new) demands_.push_back(demand);
  return found->second;
}

void WorkerSlots::granted(SlotKey key, runtime::MonoTime now) {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return exchange_.release.push_back(key);
  SYMPHONY_ASSERT(found->second.state == State::asked);
  found->second.state = State::idle;
  found->second.slice_ends = now + limits_.slice;
  --asked_;
}

std::optional<SlotClass> WorkerSlots::refused(SlotKey key) {
  const auto found = slots_.find(key);
  if (found == slots_.end() || found->second.state != State::asked) return std::nullopt;
  const SlotClass of = found->second.of;
  slots_.erase(found);
  --asked_;
  return of;
}

std::optional<WorkerSlots::Start> WorkerSlots::start(SlotClass of, runtime::MonoTime now) {
  for (auto& [key, slot] : slots_) {
    if (slot.of != of || slot.state != State::idle || slot.slice_ends <= now) continue;
    slot.state = State::working;
    ++working_;
    return Start{key, slot.slice_ends};
  }
  return std::nullopt;
}

void WorkerSlots::returned(SlotKey key) {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return;  // it was lost, and is back
  SYMPHONY_ASSERT(found->second.state == State::working);
  --working_;
  found->second.state = State::idle;
  if (!found->second.shared) slots_.erase(found);
}

void WorkerSlots::lost(SlotKey key) {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return;
  SYMPHONY_ASSERT(found->second.state == State::working);
  --working_;
  if (found->second.shared) exchange_.release.push_back(key);
  slots_.erase(found);
}

void WorkerSlots::settle(SlotClass of, const SlotLoad& load, runtime::MonoTime now) {
  std::size_t coming = 0;  // asked for, or idle and about to be started
  std::size_t all = 0;
  for (auto slot = slots_.begin(); slot != slots_.end();) {
    if (slot->second.of != of) {
      ++slot;
      continue;
    }
    if (slot->second.state == State::idle &&
        (slot->second.slice_ends <= now || (load.ready == 0 && !load.more_soon))) {
      exchange_.release.push_back(slot->first);
      slot = slots_.erase(slot);
      continue;
    }
    ++all;
    coming += slot->second.state != State::working ? 1 : 0;
    ++slot;
  }
  coming += load.lingering;
  for (; coming < load.ready && all < limits_.slots_max; ++coming, ++all) {
    const SlotKey key = next_key_++;
    slots_.emplace(key, Slot{of});
    ++asked_;
    exchange_.demands.push_back({key, demands_[of], load.priority});
  }
}

SlotExchange WorkerSlots::take_exchange() { return std::exchange(exchange_, {}); }

void WorkerSlots::reset() {
  exchange_ = {};
  std::erase_if(slots_, [](const auto& slot) { return slot.second.state != State::working; });
  for (auto& [key, slot] : slots_) slot.shared = false;
  asked_ = 0;
}

}  // namespace symphony::actors
