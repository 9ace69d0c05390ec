// The queue of a run: where the engine and the threads that execute its nodes meet.
//
// It holds the engine's copy of the run's state (actors/run/run_state.hpp). What an attempt came to
// is applied to the copy as soon as it is known, and whatever may start because of it is enqueued:
// a worker goes on with the most urgent of it, others take the rest, and nobody has to be asked.
// The DAG tracker, whose state is the one that counts, is told of it all in the same order, and
// comes to the same.
//
// Items wait by slot class (worker_slots.hpp); a worker takes one after the other and leaves its
// reports. Whoever leaves the first report wakes the engine, so that a thousand short nodes cost a
// handful of messages. While more is reported than the tracker has taken (`unreported_bytes_max`),
// nothing is taken from the queue: that bounds the memory of a run, whatever its nodes give.
//
// Thread-safe. Shared by the engine and by every worker, since a worker may outlive the engine that
// started it: after cancel() its operators are told to stop and nothing more is taken.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "actors/orchestration/engine/node_execution.hpp"
#include "actors/orchestration/engine/result_store.hpp"
#include "actors/orchestration/engine/worker_slots.hpp"
#include "actors/run/run_state.hpp"
#include "messages/ref.hpp"
#include "runtime/time/clocks.hpp"

namespace symphony::actors {

// What a node, or (`child`) one of its children, takes of the machine.
SlotDemand demand_of(const PlanNode& node, bool child);

class RunQueue : public std::enable_shared_from_this<RunQueue> {
 public:
  struct Surroundings {
    const runtime::Clocks& clocks;
    WaitingAsker& asker;         // for threads
    std::function<void()> wake;  // any thread; must not block
    // How often a worker without work yields its core before it gives up waiting for more.
    std::uint32_t linger_yields = 0;
    std::size_t unreported_bytes_max = std::size_t{16} << 20;
    runtime::ForkServer* fork_server = nullptr;  // for operators that start programs
  };
  // The class of a node of the melody, and that of its children.
  struct Classes {
    SlotClass own = 0;
    SlotClass children = 0;
  };

  // Enqueues what is ready in `state`, which has been started. `classes`: of each node of the plan.
  RunQueue(std::shared_ptr<const RunFacts> facts, std::shared_ptr<ResultStore> results,
           RunState state, std::vector<Classes> classes, Surroundings surroundings);

  // ---- the engine's side
  SlotLoad load(SlotClass of) const;
  // The DAG tracker has let the time of these retries come.
  void retry(std::span<const NodeId> nodes);
  // The DAG tracker has taken reports of that size.
  void taken(std::size_t bytes);
  // None of the class can ever run: all that waits in it has failed, for this reason.
  void refuse(SlotClass of, const Error& error);

  struct Returned {
    SlotKey key;
    bool lost;  // it had been abandoned
  };
  struct Drained {
    std::vector<NodeReport> reports;
    std::vector<Returned> slots;
  };
  Drained drain();

  struct Running {
    SlotKey slot;
    WorkItem item;
    std::int64_t started_ns;  // Unix time
    runtime::MonoTime deadline;
    double fraction;
  };
  std::vector<Running> running() const;
  // Both at one moment: what runs then has not been reported.
  struct Look {
    Drained drained;
    std::vector<Running> running;
  };
  Look look();

  // Nothing new starts. What was left before comes back, with what is being executed at this moment
  // and what ended by being cancelled.
  struct Cancelled {
    Drained before;
    std::vector<Running> running;
    std::vector<EndedNode> ended;
  };
  Cancelled cancel();
  // With cancel(): programs are killed, not asked to end.
  void hurry() { hurried_ = true; }
  // Tells operators to stop, and nothing else: the run is over, or somebody else's.
  void stop();

  // Abandons what the slot is executing: nothing more will be heard of that attempt, `report` tells
  // what became of it. False when it has just been reported.
  bool abandon(SlotKey slot, NodeReport report);

  // ---- what is the case
  RunProgress progress() const;
  // Of the nodes of the plan.
  std::vector<NodeStatus> statuses() const;

  // ---- a worker's side
  // Executes items of the class until there is none or `slice_ends`. On a thread that may block.
  void work(SlotKey key, SlotClass of, runtime::MonoTime slice_ends);
  // The slot never got a thread, or its thread died. What it was executing has failed and may be
  // tried again.
  void turn_back(SlotKey key) { leave(key); }

 private:
  class Context;
  struct Attempt;
  struct Queue {
    std::map<std::int32_t, std::deque<WorkItem>, std::greater<>> items;  // by priority
    std::size_t size = 0;
    std::size_t lingering = 0;
  };

  // All of these with the mutex held.
  Queue& queue_of(SlotClass of);
  void enqueue(std::span<const NodeId> ready);
  WorkItem item_of(NodeId node) const;
  bool try_take(Queue& queue, Attempt& attempt);
  void begin(Attempt& attempt, const WorkItem& item);
  // Applies the report to the state and leaves it for the engine. True when that was idle.
  bool leave_report(NodeReport report);
  std::vector<Running> running_now() const;
  void drop_all();

  bool take(SlotClass of, Attempt& attempt);
  NodeReport execute(Attempt& attempt, PitClient& pit);
  // Where those who need the node find it.
  void keep_result(NodeReport& report);
  // False when the attempt was abandoned meanwhile.
  bool put_back(Attempt& attempt, NodeReport report, SlotClass of, bool may_go_on);
  void leave(SlotKey key);
  NodeReport report_of_death(const Attempt& attempt) const;
  std::int64_t now_us() const { return surroundings_.clocks.wall_ns() / 1000; }

  const std::shared_ptr<const RunFacts> facts_;
  const std::shared_ptr<ResultStore> results_;
  const std::vector<Classes> classes_;
  const Surroundings surroundings_;
  std::vector<char> is_needed_;  // by node of the plan: whether others need it
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> hurried_ = false;
  std::atomic<std::uint64_t> enqueued_ = 0;  // changes when something is
  mutable std::mutex mutex_;
  RunState state_;
  std::vector<EndedNode> ended_;  // traced by the state
  std::vector<Queue> queues_;     // by SlotClass
  std::map<SlotKey, std::shared_ptr<Attempt>> attempts_;
  std::size_t unreported_bytes_ = 0;
  bool held_back_ = false;
  Drained outbox_;
};

}  // namespace symphony::actors
