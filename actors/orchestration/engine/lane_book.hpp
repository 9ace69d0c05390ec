// The lanes of one run: what was asked of arbitration, what it granted, what goes back.
//
// A lane is one worker's share of the node (cores and memory). Nodes that demand the same form a
// class, and a lane serves its class: it executes one ready node after the other until there is
// none or its time slice is over; then it goes back, so that other runs get their turn.
//
//   asked for ──► idle ◄──► working ──► (returned to arbitration)
//                               └────► lost: does not come back from its node
//
// Pure: times are arguments. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "runtime/time/clocks.hpp"

namespace symphony::actors {

using LaneKey = std::uint64_t;
using LaneClass = std::uint32_t;

struct LaneDemand {
  std::uint32_t cores = 1;
  std::uint64_t memory_mb = 0;
  friend auto operator<=>(const LaneDemand&, const LaneDemand&) = default;
};

struct LaneLimits {
  std::size_t lanes_max = 64;  // of one class, held or asked for
  runtime::Nanos slice = std::chrono::milliseconds(20);
};

// How much there is to do in a class.
struct LaneLoad {
  std::size_t ready = 0;      // nodes nobody has taken
  std::size_t lingering = 0;  // working lanes that wait for one
  std::int32_t priority = 0;  // the highest among them
  bool more_soon = false;     // keep an idle lane for a moment: an answer is on its way
};

struct LaneExchange {
  struct Ask {
    LaneKey key;
    LaneDemand demand;
    std::int32_t priority;
  };
  std::vector<LaneKey> release;
  std::vector<Ask> demands;
  bool empty() const noexcept { return release.empty() && demands.empty(); }
};

class LaneBook {
 public:
  struct Start {
    LaneKey key = 0;
    runtime::MonoTime slice_ends;
  };

  explicit LaneBook(LaneLimits limits = {}) : limits_(limits) {}

  LaneClass class_of(const LaneDemand& demand);
  std::size_t classes() const noexcept { return demands_.size(); }
  const LaneDemand& demand_of(LaneClass lanes) const { return demands_[lanes]; }
  std::optional<LaneClass> class_of_lane(LaneKey key) const;

  // Arbitration's answers. A grant for a key that is not waited for goes back.
  void granted(LaneKey key, runtime::MonoTime now);
  std::optional<LaneClass> refused(LaneKey key);

  // An idle lane of the class whose slice is not over; it is working from now on.
  std::optional<Start> start(LaneClass lanes, runtime::MonoTime now);
  void returned(LaneKey key);
  void lost(LaneKey key);  // its share goes back at once, the worker does not

  // Gives back idle lanes that have nothing to do or had their slice, asks for those that are
  // missing.
  void settle(LaneClass lanes, const LaneLoad& load, runtime::MonoTime now);
  LaneExchange take_exchange();
  // Forgets what was asked for and held: arbitration was told that the run is over, or has
  // forgotten it. Working lanes go on without a share.
  void reset();

  std::size_t asked_for() const noexcept { return asked_; }
  std::size_t working() const noexcept { return working_; }

 private:
  enum class State : std::uint8_t { asked, idle, working };
  struct Lane {
    LaneClass lanes;
    State state = State::asked;
    bool shared = true;  // holds a grant
    runtime::MonoTime slice_ends{};
  };

  const LaneLimits limits_;
  std::vector<LaneDemand> demands_;
  std::map<LaneDemand, LaneClass> by_demand_;
  std::map<LaneKey, Lane> lanes_;
  LaneKey next_key_ = 1;
  LaneExchange exchange_;
  std::size_t asked_ = 0;
  std::size_t working_ = 0;
};

}  // namespace symphony::actors
