#include "runtime/link/pending.hpp"

#include <algorithm>
#include <utility>

namespace symphony::runtime {
namespace {

Deadline rounded_up(Deadline deadline) {
  if (deadline > kNoDeadline - PendingTable::kDeadlineTick) return kNoDeadline;
  const auto tick = std::chrono::nanoseconds{PendingTable::kDeadlineTick}.count();
  const auto ns = std::chrono::nanoseconds{deadline.time_since_epoch()}.count();
  return Deadline{std::chrono::nanoseconds{(ns + tick - 1) / tick * tick}};
}

}  // namespace

PendingTable::PendingTable(std::size_t max_asks) : max_asks_(max_asks) {
  SYMPHONY_ASSERT(max_asks <= kSlotMask);
}

std::uint64_t PendingTable::add(PendingAsk ask) {
  SYMPHONY_ASSERT(!full());
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const auto slot = free_.back();
  free_.pop_back();
  const auto correlation = next_sequence_++ << kSlotBits | slot;
  wake_at_ = std::min(wake_at_, rounded_up(ask.deadline));
  slots_[slot].correlation = correlation;
  slots_[slot].ask.emplace(std::move(ask));
  ++size_;
  return correlation;
}

std::optional<PendingAsk> PendingTable::take(std::uint64_t correlation) {
  const auto slot = correlation & kSlotMask;
  if (correlation == 0 || slot >= slots_.size() || slots_[slot].correlation != correlation)
    return std::nullopt;
  return release(slot);
}

PendingAsk PendingTable::release(std::size_t slot) {
  slots_[slot].correlation = 0;
  free_.push_back(static_cast<std::uint32_t>(slot));
  // The others may all be later, but only a look through the table would tell.
  if (--size_ == 0) wake_at_ = kNoDeadline;
  auto ask = std::move(*slots_[slot].ask);
  slots_[slot].ask.reset();
  return ask;
}

std::vector<PendingAsk> PendingTable::take_expired(Deadline now) {
  std::vector<PendingAsk> expired;
  if (now < wake_at_) return expired;
  auto first = kNoDeadline;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot].correlation == 0) continue;
    if (slots_[slot].ask->deadline <= now)
      expired.push_back(release(slot));
    else
      first = std::min(first, slots_[slot].ask->deadline);
  }
  wake_at_ = rounded_up(first);
  return expired;
}

std::vector<PendingAsk> PendingTable::take_all() {
  std::vector<PendingAsk> all;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot)
    if (slots_[slot].correlation != 0) all.push_back(release(slot));
  return all;
}

}  // namespace symphony::runtime
