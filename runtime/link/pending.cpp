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

std::uint64_t PendingTable::add(Ask ask) {
  wake_at_ = std::min(wake_at_, rounded_up(ask.deadline));
  const auto correlation = asks_.add(std::move(ask));
  asks_.find(correlation)->correlation = correlation;
  return correlation;
}

std::optional<PendingTable::Ask> PendingTable::take(std::uint64_t correlation) {
  auto ask = asks_.take(correlation);
  // Those left may all be later, but only a look through the table would tell.
  if (asks_.empty()) wake_at_ = kNoDeadline;
  return ask;
}

std::vector<PendingTable::Ask> PendingTable::take_expired(Deadline now) {
  if (now < wake_at_) return {};
  auto first = kNoDeadline;
  auto expired = asks_.take_if([&](const Ask& ask) {
    if (ask.deadline <= now) return true;
    first = std::min(first, ask.deadline);
    return false;
  });
  wake_at_ = rounded_up(first);
  return expired;
}

std::vector<PendingTable::Ask> PendingTable::take_all() {
  wake_at_ = kNoDeadline;
  return asks_.take_if([](const Ask&) { return true; });
}

}  // namespace symphony::runtime
