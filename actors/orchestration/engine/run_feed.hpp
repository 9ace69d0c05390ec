// The feed of runs: each that began or ended, for whoever follows. Pure but for the calls it keeps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "actors/orchestration/engine/event_ring.hpp"
#include "messages/orchestration.protocol.hpp"

namespace symphony::actors {

// Belongs to the engine. A reader is answered as soon as there is something for it.
class RunFeed {
 public:
  using FeedCall = Call<protocol::Engine::Feed>;
  static constexpr std::uint32_t kPageMax = 500;

  RunFeed(std::size_t changes_max, std::size_t readers_max)
      : changes_(changes_max), readers_max_(readers_max) {}

  void tell(std::string run, std::string melody, messages::RunStatus status, std::int64_t time_ns) {
    changes_.push({0, time_ns, std::move(run), std::move(melody), status});
    for (FeedCall& call : std::exchange(readers_, {})) follow(std::move(call));
  }

  void follow(FeedCall call) {
    const std::uint64_t cursor = std::max<std::uint64_t>(call->getCursor(), 1);
    if (cursor != changes_.next()) return answer(std::move(call));
    if (readers_.size() >= readers_max_)
      return call.fail({Errc::OVERLOADED, "too many follow the feed of runs already", "", true});
    readers_.push_back(std::move(call));
  }

  void forget(const Header& request) {
    std::erase_if(readers_, [&](const FeedCall& call) {
      return call.header().sender == request.sender &&
             call.header().correlation == request.correlation;
    });
  }

 private:
  struct Change {
    std::uint64_t sequence;
    std::int64_t time_ns;
    std::string run;
    std::string melody;
    messages::RunStatus status;
  };

  void answer(FeedCall call) const {
    const std::uint64_t from = changes_.position_of(call->getCursor());
    const std::uint32_t max = call->getMax() == 0 ? kPageMax : std::min(call->getMax(), kPageMax);
    const auto count = static_cast<unsigned>(std::min<std::uint64_t>(changes_.next() - from, max));
    call.reply([&](messages::RunFeedResponse::Builder out) {
      out.setNext(from + count);
      out.setMissed(changes_.missed_by(call->getCursor()));
      auto rows = out.initChanges(count);
      for (unsigned i = 0; i < count; ++i) {
        const Change& change = changes_.at(from + i);
        rows[i].setSequence(change.sequence);
        rows[i].setTimeNs(change.time_ns);
        rows[i].setRun(change.run);
        rows[i].setMelody(change.melody);
        rows[i].setStatus(change.status);
      }
    });
  }

  NumberedRing<Change> changes_;
  const std::size_t readers_max_;
  std::vector<FeedCall> readers_;
};

}  // namespace symphony::actors
