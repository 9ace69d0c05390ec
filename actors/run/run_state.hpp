// The state machine of one run: which node may start, which has ended how, and what follows.
//
// Static nodes are those of the plan's graph, 0 … n-1. A *mapped* node is expanded once its list
// is known: `expanded` with k children gives them k fresh ids in a row, and the node itself ends
// when all its children have ended, so whatever depends on it joins them all.
//
// Life of a node:
//
//   waiting ──► ready ──► running ──► done | failed | skipped | cancelled
//      ▲          │          │
//      └──────────┴──────────┘  failed with attempts left: waiting until the backoff is over
//
// Rules of propagation
// - done and skipped satisfy dependants. A node is reported `skipped` by the caller when its
//   `when` is false; what depends on it still runs and sees null.
// - failed does not: all its waiting dependants, direct and indirect, are skipped, and
//   `blocked_by` names the node that failed. Branches that do not depend on it go on.
// - A mapped node fails when one of its children failed, but only after all of them have ended.
//
// Attempts have numbers: each time a node gets ready the next one begins, from 1. What is still
// said of an earlier one, by whoever was thought lost, is stale and to be dropped.
//
// Event sourcing: the state is a function of the plan and of the inputs given to it. Each input
// has a JournalRecord (journal.hpp); the same records, applied to the same plan, give a state that
// compares equal. Nothing here reads a clock:
// `now_us` is wall-clock microseconds, because a resumed run goes on in another process. A clock
// that was set back between two processes delays no retry: resuming waits for no longer than the
// backoff.
//
// Not thread-safe: one owner. Amortised cost: O(1) a node and edge, plus sorting what gets ready.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/run/graph.hpp"
#include "messages/result.hpp"

namespace symphony::actors {

inline constexpr std::uint32_t kMaxFanOut = 1'000'000;    // children of one mapped node
inline constexpr std::uint32_t kMaxRunNodes = 4'000'000;  // static nodes and children together
inline constexpr std::uint32_t kMaxAttempts = 1'000;

enum class NodeStatus : std::uint8_t { waiting, ready, running, done, failed, skipped, cancelled };
std::string_view to_string(NodeStatus status) noexcept;

enum class RunStatus : std::uint8_t { pending, running, succeeded, failed, cancelled };
std::string_view to_string(RunStatus status) noexcept;

struct RetryPolicy {
  std::uint32_t attempts = 1;  // first try included; 1 … kMaxAttempts
  // Wait before the second try; doubled before each further one up to max_backoff_ms.
  std::uint32_t backoff_ms = 0;
  std::uint32_t max_backoff_ms = 60'000;
  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

// What a plan says of a node. Weights that are not known (0) count as 1, no attempt as one, and no
// longest backoff as kDefaultMaxBackoffMs.
struct RunNode {
  static constexpr std::uint32_t kDefaultMaxBackoffMs = 60'000;
  static RunNode of(double weight, bool mapped, RetryPolicy retry);

  double weight = 1;  // estimated duration, any unit, the same for all nodes
  bool mapped = false;
  RetryPolicy retry = {};
  friend bool operator==(const RunNode&, const RunNode&) = default;
};

struct RunPlan {
  Graph graph;
  std::vector<RunNode> nodes;  // one for each node of the graph
  friend bool operator==(const RunPlan&, const RunPlan&) = default;
};

// A node that has ended, and how.
struct EndedNode {
  NodeId node = 0;
  NodeStatus status = NodeStatus::done;
  friend bool operator==(const EndedNode&, const EndedNode&) = default;
};

enum class OutcomeKind : std::uint8_t {
  succeeded,  // of a ready or running node that is not mapped
  failed,     // tried again when `retryable` and attempts are left
  skipped,    // its `when` is false, or what it needs came from a skipped node
  expanded,   // of a mapped node: `children` children; 0 ends it at once
  cancelled,  // it was told to stop, and did
};

struct NodeOutcome {
  NodeId node = 0;
  OutcomeKind kind = OutcomeKind::succeeded;
  bool retryable = false;
  std::uint32_t children = 0;
  std::uint64_t duration_us = 0;
  friend bool operator==(const NodeOutcome&, const NodeOutcome&) = default;
};

struct RunProgress {
  // Nodes in each status; a mapped node and its children all count.
  std::uint32_t waiting = 0, ready = 0, running = 0, done = 0, failed = 0, skipped = 0,
                cancelled = 0;
  std::uint32_t total() const noexcept {
    return waiting + ready + running + done + failed + skipped + cancelled;
  }
  std::uint32_t ended() const noexcept { return done + failed + skipped + cancelled; }
  friend bool operator==(const RunProgress&, const RunProgress&) = default;
};

// The counter of nodes in a status.
std::uint32_t& counter(RunProgress& progress, NodeStatus status);

struct ChildRange {
  NodeId first = 0;
  std::uint32_t count = 0;
  friend bool operator==(const ChildRange&, const ChildRange&) = default;
};

class RunState {
 public:
  // INVALID_ARGUMENT when the plan has a cycle or does not fit together, RESOURCE_EXHAUSTED when
  // it is too large.
  static Result<RunState> create(RunPlan plan);

  // ---- inputs: each has a journal record; the nodes that became ready come back in rank order
  // (upward rank, highest first; then lower ids first). An input that is refused
  // (FAILED_PRECONDITION, INVALID_ARGUMENT) has changed nothing.

  Result<std::vector<NodeId>> start(std::int64_t now_us);
  // These nodes were handed to a worker.
  Status mark_running(std::span<const NodeId> nodes, std::int64_t now_us);
  // What became of ready and running nodes, a node at most once in a batch. The outcomes hold in
  // their order: a node may have become ready by earlier ones of the same batch. What is still
  // ready after all of them comes back.
  Result<std::vector<NodeId>> complete(std::span<const NodeOutcome> outcomes, std::int64_t now_us);
  // Lets time pass: retries whose backoff is over get ready.
  Result<std::vector<NodeId>> advance(std::int64_t now_us);
  // Nothing new starts; what waits or is ready is cancelled; what runs is still to be completed.
  Status cancel(std::int64_t now_us);
  // The run cannot go on, for a reason that lies in none of its nodes: whatever has not ended is
  // cancelled, what runs included, and the run has failed.
  Status abandon(std::int64_t now_us);
  // The same for one node that waits for its retry, whatever the time: for a copy of the state
  // whose original let time pass. False when the node does not wait for one.
  bool retry(NodeId node);
  // After a crash or an end: running nodes get ready again, since nobody knows what became of
  // them. With `again`, so does everything that failed, was cancelled or was blocked, with a
  // fresh count of attempts. Nothing that is done or was skipped by its `when` is repeated.
  // Returns everything that is ready now.
  Result<std::vector<NodeId>> resume(bool again, std::int64_t now_us);

  // From now on every node that ends is appended there, in order: those that an outcome is of, and
  // those that end because of it. `ended` outlives the state, or null: no more.
  void trace_ends(std::vector<EndedNode>* ended) noexcept { trace_.to = ended; }

  // ---- the whole of it, for a copy elsewhere (snapshot.cpp)

  std::string snapshot() const;
  // DATA_CORRUPT when the bytes are no snapshot of a run with this plan.
  static Result<RunState> restore(RunPlan plan, std::string_view snapshot);

  // ---- what is the case

  const RunPlan& plan() const noexcept { return plan_; }
  RunStatus status() const noexcept;
  bool ended() const noexcept { return started_ && open_nodes() == 0; }
  const RunProgress& progress() const noexcept { return progress_; }
  std::size_t node_count() const noexcept { return nodes_.size(); }
  NodeStatus status_of(NodeId node) const noexcept { return nodes_[node].status; }
  // How often it was tried before, 0 on the first try.
  std::uint32_t failed_attempts(NodeId node) const noexcept { return nodes_[node].attempts; }
  // The number of the latest attempt; 0 when it was never ready.
  std::uint32_t attempt_of(NodeId node) const noexcept { return nodes_[node].attempt; }
  // Whether something that is said of this attempt (0: of the latest) comes too late.
  bool is_stale(NodeId node, std::uint32_t attempt) const noexcept;
  // Of the last attempt that was reported.
  std::uint64_t duration_us(NodeId node) const noexcept { return nodes_[node].duration_us; }
  double rank_of(NodeId node) const noexcept { return ranks_[static_node(node)]; }
  // The failed node because of which this one was skipped.
  std::optional<NodeId> blocked_by(NodeId node) const noexcept;
  // The children of a mapped node once it was expanded.
  std::optional<ChildRange> children_of(NodeId node) const noexcept;
  // The mapped node that a child belongs to; nothing for static nodes.
  std::optional<NodeId> parent_of(NodeId node) const noexcept;
  // When the next retry is due.
  std::optional<std::int64_t> next_retry_us() const noexcept;
  std::uint32_t resumptions() const noexcept { return resumptions_; }
  // Those since a node last ended: how often in a row taking it up came to nothing.
  std::uint32_t fruitless_resumptions() const noexcept { return fruitless_resumptions_; }
  // Time of the latest input.
  std::int64_t updated_us() const noexcept { return updated_us_; }
  // All ready nodes in rank order. Linear in all nodes.
  std::vector<NodeId> ready() const;

  friend bool operator==(const RunState&, const RunState&) = default;

 private:
  struct Node {
    NodeStatus status = NodeStatus::waiting;
    bool expanded = false;         // mapped nodes only
    bool child_failed = false;     // mapped nodes only
    bool child_cancelled = false;  // mapped nodes only
    std::uint16_t attempts = 0;    // that failed since the run was last taken up `again`
    std::uint32_t attempt = 0;
    std::uint32_t waiting_for = 0;  // needs that have not ended; children still open once expanded
    NodeId parent = kNoNode;        // of a child
    NodeId blocked_by = kNoNode;
    NodeId first_child = kNoNode;
    std::uint32_t child_count = 0;
    std::uint64_t duration_us = 0;
    friend bool operator==(const Node&, const Node&) = default;
  };

  std::uint32_t open_nodes() const noexcept { return progress_.total() - progress_.ended(); }
  NodeId static_node(NodeId node) const noexcept {
    return nodes_[node].parent == kNoNode ? node : nodes_[node].parent;
  }
  using BatchIndex = std::vector<std::pair<NodeId, std::size_t>>;  // positions in a batch, by node

  Status check(std::span<const NodeOutcome> outcomes) const;
  // Whether what the node at this position waits for ends earlier in the batch.
  bool gets_ready_before(std::span<const NodeOutcome> outcomes, std::size_t position,
                         const BatchIndex& by_node) const;
  // Whether what needs the node may run.
  bool satisfies(NodeId node) const;
  void move_to(NodeId node, NodeStatus status);
  void apply(const NodeOutcome& outcome, std::int64_t now_us, std::vector<NodeId>& ready);
  void expand(NodeId node, std::uint32_t children, std::vector<NodeId>& ready);
  void fail(NodeId node, bool retryable, std::int64_t now_us, std::vector<NodeId>& ready);
  // The node has ended: satisfies or blocks dependants, or reports to its mapped node.
  void settle(NodeId node, std::vector<NodeId>& ready);
  void child_ended(NodeId child, std::vector<NodeId>& ready);
  void satisfy_dependants(NodeId node, std::vector<NodeId>& ready);
  void block_dependants(NodeId node);
  void get_ready(NodeId node, std::vector<NodeId>& ready);
  void reopen_unfinished();
  void bring_retries_near(std::int64_t now_us);
  std::uint32_t unsatisfied_needs(NodeId node) const;
  void sort_by_rank(std::vector<NodeId>& nodes) const;

  // No part of the state.
  struct Trace {
    std::vector<EndedNode>* to = nullptr;
    friend bool operator==(const Trace&, const Trace&) noexcept { return true; }
  };

  RunPlan plan_;
  Trace trace_;
  std::vector<double> ranks_;                          // of static nodes
  std::vector<Node> nodes_;                            // static nodes, then children
  std::set<std::pair<std::int64_t, NodeId>> retries_;  // due time and node
  RunProgress progress_;
  bool started_ = false;
  bool cancelling_ = false;
  bool abandoned_ = false;
  std::uint32_t resumptions_ = 0;
  std::uint32_t fruitless_resumptions_ = 0;
  std::int64_t started_us_ = 0;
  std::int64_t updated_us_ = 0;
};

// The longest path through a run by the durations known so far. A mapped node takes its own time
// and that of its longest child, which follows it in `nodes`. Linear in nodes and edges.
CriticalPath measured_critical_path(const RunState& run);

}  // namespace symphony::actors
