// Where the engine and the threads that execute a run's nodes meet.
//
// The engine lays out what is ready, by lane class; a lane takes one item after the other and lays
// its reports back. Whoever lays the first report on an empty desk wakes the engine, so that a
// thousand short nodes cost a handful of messages.
//
// Thread-safe. Shared by the engine and by every lane at work, since a lane may outlive the engine
// that started it: after cancel() its operators are told to stop and nothing more is taken.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "actors/orchestration/engine/frontier.hpp"
#include "actors/orchestration/engine/lane_book.hpp"
#include "actors/orchestration/engine/node_execution.hpp"
#include "actors/orchestration/engine/result_store.hpp"
#include "messages/ref.hpp"
#include "runtime/time/clocks.hpp"

namespace symphony::actors {

class RunDesk : public std::enable_shared_from_this<RunDesk> {
 public:
  struct Surroundings {
    const runtime::Clocks& clocks;
    Asker& asker;                // for threads
    std::function<void()> wake;  // any thread; must not block
    // How often a lane without work yields its core before it gives up waiting for more.
    std::uint32_t linger_yields = 0;
  };

  // `frontier`: after all that has ended before.
  RunDesk(std::shared_ptr<const RunFacts> facts, std::shared_ptr<ResultStore> results,
          Frontier frontier, Surroundings surroundings)
      : facts_(std::move(facts)),
        results_(std::move(results)),
        frontier_(std::move(frontier)),
        surroundings_(std::move(surroundings)) {}

  // ---- the engine's side
  void lay_out(LaneClass lanes, const WorkItem& item);
  LaneLoad load(LaneClass lanes) const;
  // What is laid out and not taken, of one class or all.
  std::vector<WorkItem> clear(LaneClass lanes);
  // Whether lanes leave to the DAG tracker what they could start: it is behind with their reports.
  void hold_back(bool held) { held_back_ = held; }
  void cancel();

  struct Returned {
    LaneKey key;
    bool lost;  // it had been given up
  };
  struct Drained {
    std::vector<NodeReport> reports;
    std::vector<Returned> lanes;
  };
  Drained drain();

  struct Running {
    LaneKey lane;
    WorkItem item;
    std::int64_t started_ns;  // Unix time
    runtime::MonoTime deadline;
    double fraction;
  };
  std::vector<Running> running() const;
  // Gives up what the lane is executing: nothing more will be heard of that item. Nothing, when it
  // has just been reported.
  std::optional<WorkItem> give_up(LaneKey lane);

  // ---- a lane's side
  // Executes items of the class until there is none or `slice_ends`, also those that follow from
  // what it executed (frontier.hpp). On a thread that may block.
  void work(LaneKey key, LaneClass lanes, runtime::MonoTime slice_ends);
  // The lane never got a thread, or died. What it was executing has failed and may be tried again.
  void turn_back(LaneKey key) { leave(key); }

 private:
  class Context;
  struct Slot;
  struct Queue {
    std::map<std::int32_t, std::deque<WorkItem>, std::greater<>> items;  // by priority
    std::size_t size = 0;
    std::size_t lingering = 0;
  };

  bool take(LaneClass lanes, Slot& slot);
  bool try_take(Queue& queue, Slot& slot);
  void add(Queue& queue, const WorkItem& item);
  void begin(Slot& slot, const WorkItem& item);
  NodeReport execute(Slot& slot, PitClient& pit);
  // Starts what this report was the last obstacle to, or lays it out.
  void follow(NodeReport& report, Slot& slot, Queue& queue, bool may_go_on);
  // Where those who need the node find it.
  void keep_result(NodeReport& report);
  // False when the lane was given up meanwhile.
  bool put_back(Slot& slot, NodeReport report, LaneClass lanes, bool may_go_on);
  void leave(LaneKey key);
  NodeReport report_of_death(const Slot& slot) const;

  const std::shared_ptr<const RunFacts> facts_;
  const std::shared_ptr<ResultStore> results_;
  Frontier frontier_;  // under the mutex, but for what is constant
  const Surroundings surroundings_;
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> held_back_ = false;
  std::atomic<std::uint64_t> laid_out_ = 0;  // changes when something is
  mutable std::mutex mutex_;
  std::vector<Queue> queues_;  // by LaneClass
  std::map<LaneKey, std::shared_ptr<Slot>> slots_;
  Drained outbox_;
};

}  // namespace symphony::actors
