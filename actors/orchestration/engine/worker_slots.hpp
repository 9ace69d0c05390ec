// The worker slots of one run: what was asked of arbitration, what it granted, what goes back.
//
// A worker slot is one thread's share of the node (cores and memory). Nodes that demand the same
// form a class, and a slot serves its class: it executes one ready node after the other until there
// is none or its time slice is over; then it goes back, so that other runs get their turn.
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

using SlotKey = std::uint64_t;
using SlotClass = std::uint32_t;

struct SlotDemand {
  std::uint32_t cores = 1;
  std::uint64_t memory_mb = 0;
  friend auto operator<=>(const SlotDemand&, const SlotDemand&) = default;
};

struct SlotLimits {
  std::size_t slots_max = 64;  // of one class, held or asked for
  runtime::Nanos slice = std::chrono::milliseconds(20);
};

// How much there is to do in a class.
struct SlotLoad {
  std::size_t ready = 0;      // nodes nobody has taken
  std::size_t lingering = 0;  // working slots that wait for one
  std::int32_t priority = 0;  // the highest among them
  bool more_soon = false;     // keep an idle slot for a moment: an answer is on its way
};

struct SlotExchange {
  struct Ask {
    SlotKey key;
    SlotDemand demand;
    std::int32_t priority;
  };
  std::vector<SlotKey> release;
  std::vector<Ask> demands;
  bool empty() const noexcept { return release.empty() && demands.empty(); }
};

class WorkerSlots {
 public:
  struct Start {
    SlotKey key = 0;
    runtime::MonoTime slice_ends;
  };

  explicit WorkerSlots(SlotLimits limits = {}) : limits_(limits) {}

  SlotClass class_of(const SlotDemand& demand);
  std::size_t classes() const noexcept { return demands_.size(); }

  // Arbitration's answers. A grant for a key that is not waited for goes back.
  void granted(SlotKey key, runtime::MonoTime now);
  std::optional<SlotClass> refused(SlotKey key);

  // An idle slot of the class whose slice is not over; it is working from now on.
  std::optional<Start> start(SlotClass of, runtime::MonoTime now);
  void returned(SlotKey key);
  void lost(SlotKey key);  // its share goes back at once, the worker does not

  // Gives back idle slots that have nothing to do or had their slice, asks for those that are
  // missing.
  void settle(SlotClass of, const SlotLoad& load, runtime::MonoTime now);
  SlotExchange take_exchange();
  // Forgets what was asked for and held: arbitration was told that the run is over, or has
  // forgotten it. Working slots go on without a share.
  void reset();

  std::size_t asked_for() const noexcept { return asked_; }
  std::size_t working() const noexcept { return working_; }

 private:
  enum class State : std::uint8_t { asked, idle, working };
  struct Slot {
    SlotClass of;
    State state = State::asked;
    bool shared = true;  // holds a grant
    runtime::MonoTime slice_ends{};
  };

  const SlotLimits limits_;
  std::vector<SlotDemand> demands_;
  std::map<SlotDemand, SlotClass> by_demand_;
  std::map<SlotKey, Slot> slots_;
  SlotKey next_key_ = 1;
  SlotExchange exchange_;
  std::size_t asked_ = 0;
  std::size_t working_ = 0;
};

}  // namespace symphony::actors
