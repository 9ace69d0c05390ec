// What happened, for whoever follows: the newest events, numbered without gaps.
//
// Pure; not thread-safe. A reader holds a cursor (the number of the event it wants next) and is
// told how many it missed when it was too slow.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "actors/orchestration/engine/work.hpp"
#include "messages/orchestration.capnp.h"

namespace symphony::actors {

struct RunEvent {
  std::uint64_t sequence = 0;  // from 1
  std::int64_t time_ns = 0;    // Unix time
  messages::RunEventKind kind = messages::RunEventKind::STARTED;
  WorkItem item;  // of events of nodes
  std::uint64_t duration_us = 0;
  std::uint32_t children = 0;
  std::shared_ptr<const Error> error;
  messages::RunStatus status = messages::RunStatus::RUNNING;
};

// `Event` has a `sequence`.
template <class Event>
class NumberedRing {
 public:
  explicit NumberedRing(std::size_t events_max) : events_max_(events_max) {}

  void push(Event event) {
    event.sequence = next_++;
    if (events_.size() == events_max_) events_.pop_front();
    events_.push_back(std::move(event));
  }

  std::uint64_t next() const noexcept { return next_; }
  std::uint64_t first() const noexcept { return next_ - events_.size(); }
  // Where a reader that wants `cursor` next (0: from the start) has to go on.
  std::uint64_t position_of(std::uint64_t cursor) const noexcept {
    return std::clamp(std::max<std::uint64_t>(cursor, 1), first(), next_);
  }
  std::uint64_t missed_by(std::uint64_t cursor) const noexcept {
    const std::uint64_t wanted = std::max<std::uint64_t>(cursor, 1);
    return wanted < first() ? first() - wanted : 0;
  }
  // REQUIRES: first() <= sequence < next().
  const Event& at(std::uint64_t sequence) const { return events_[sequence - first()]; }

 private:
  const std::size_t events_max_;
  std::uint64_t next_ = 1;
  std::deque<Event> events_;
};

using EventRing = NumberedRing<RunEvent>;

}  // namespace symphony::actors
