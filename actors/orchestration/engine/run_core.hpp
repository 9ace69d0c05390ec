// What a run is doing, as the engine sees it: which node is in what state, what is to be reported
// to the DAG tracker, and what people are shown.
//
// The DAG tracker decides what is ready and keeps the journal; this mirrors its rules (see
// docs/melody-reference.md, "What follows from what") only so far as progress needs them. Items
// that are ready leave through `make_ready`, reports of what became of them come in through
// `report` and leave again, in order, through `take_batch`.
//
// Pure: times are arguments. Not thread-safe: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "actors/orchestration/engine/event_ring.hpp"
#include "actors/orchestration/engine/work.hpp"
#include "actors/orchestration/melody/plan.hpp"

namespace symphony::actors {

struct RunCoreLimits {
  std::size_t events_max = 16'384;
  std::size_t batch_nodes_max = 4'096;
  std::size_t batch_bytes_max = std::size_t{8} << 20;
  // Reports that the DAG tracker has not taken: with more, lanes start nothing by themselves.
  std::size_t backlog_bytes_max = std::size_t{64} << 20;
  std::size_t failures_max = 1'000;  // kept for the summary; all are counted
};

// A node as the journal knows it, when a run is taken up.
struct JournalledNode {
  NodeId node = 0;
  messages::NodeStatus status = messages::NodeStatus::WAITING;
  std::uint32_t attempts = 0;
  std::optional<NodeId> parent;
  std::uint32_t children = 0;
  std::optional<Error> error;
  std::int64_t started_ns = 0;
  std::uint64_t duration_us = 0;
};

// A node of the melody with its children, for a display.
struct MelodyNodeState {
  messages::NodeStatus status = messages::NodeStatus::WAITING;
  bool expanded = false;
  std::uint32_t total = 1, done = 0, failed = 0, running = 0;
  std::uint64_t elapsed_us = 0;
  bool critical = false;
  std::shared_ptr<const Error> error;  // the first
};

struct RunFailure {
  WorkItem item;
  std::shared_ptr<const Error> error;
};

class RunCore {
 public:
  using Counts = std::array<std::uint32_t, 7>;  // nodes by NodeStatus
  struct Batch {
    std::vector<NodeReport> reports;
    std::vector<NodeId> started;
    std::uint64_t events_end = 0;  // events before this one tell of nothing later than this batch
    bool empty() const noexcept { return reports.empty() && started.empty(); }
  };

  // `expected_us`: how long each node may take; empty: not known. `plan` must outlive the core.
  explicit RunCore(const Plan& plan, RunCoreLimits limits = {},
                   std::vector<double> expected_us = {});

  // ---- what the DAG tracker says
  // Rows come in the order of their ids. FAILED_PRECONDITION when they do not fit the plan.
  Status restore(const JournalledNode& row);
  void expand(NodeId node, NodeId first_child, std::uint32_t children);
  // The items to be executed, as they were given, but for those that a lane laid out before.
  std::vector<WorkItem> make_ready(std::span<const NodeId> nodes);
  void begin(std::int64_t now_ns);
  void end(messages::RunStatus status, std::int64_t now_ns);

  // ---- what the lanes say
  // Does nothing unless the node is ready: the report of what it follows on its lane comes first.
  void started(const WorkItem& item, std::int64_t at_ns);
  void report(NodeReport report, std::int64_t now_ns);

  // Nothing new starts: what waits or is ready is cancelled. The nodes that were ready come back.
  void cancel(std::int64_t now_ns);

  bool has_batch() const noexcept { return next_report_ < reports_.size() || !started_.empty(); }
  // The next reports and starts, within the limits of one batch. Starts hold after the reports:
  // a node may have started because of one of them.
  Batch take_batch();
  // Whether too much waits for the next batches.
  bool behind() const noexcept { return backlog_bytes_ > limits_.backlog_bytes_max; }

  // ---- what is the case
  const Counts& counts() const noexcept { return counts_; }
  std::uint32_t count(messages::NodeStatus status) const noexcept {
    return counts_[static_cast<std::size_t>(status)];
  }
  std::size_t node_count() const noexcept { return nodes_.size(); }
  messages::NodeStatus status_of(NodeId node) const { return nodes_[node].status; }
  WorkItem item_of(NodeId node) const;
  std::string name_of(const WorkItem& item) const;
  std::vector<MelodyNodeState> melody_nodes(std::int64_t now_ns) const;
  const EventRing& events() const noexcept { return events_; }
  const std::vector<RunFailure>& failures() const noexcept { return failures_; }
  std::uint32_t executed() const noexcept { return executed_; }
  std::uint64_t artifacts() const noexcept { return artifacts_; }
  std::uint64_t artifact_bytes() const noexcept { return artifact_bytes_; }
  bool cancelled() const noexcept { return cancelled_; }

 private:
  struct Node {
    messages::NodeStatus status = messages::NodeStatus::WAITING;
    std::uint16_t attempts = 0;  // that failed
    bool laid_out = false;       // by a lane; the DAG tracker is going to say that it is ready
    NodeIndex of = 0;
    std::uint32_t index = 0;  // of a child
  };
  // Of a node of the melody.
  struct Tally {
    bool expanded = false;
    NodeId first_child = 0;
    std::uint32_t children = 0, open = 0, done = 0, failed = 0, running = 0, cancelled = 0;
    std::int64_t first_start_ns = 0, last_end_ns = 0;
    std::shared_ptr<const Error> error;
  };

  bool is_child(NodeId node) const noexcept { return node >= plan_.nodes.size(); }
  void move_to(NodeId node, messages::NodeStatus status);
  void start_node(const WorkItem& item, std::int64_t at_ns);
  void push(messages::RunEventKind kind, const WorkItem& item, std::int64_t now_ns,
            std::uint64_t duration_us = 0, std::shared_ptr<const Error> error = {},
            std::uint32_t children = 0);
  void end_node(NodeId node, messages::NodeStatus status, std::int64_t now_ns);
  void fail(const NodeReport& report, std::int64_t ended_ns, std::int64_t now_ns);
  void child_ended(NodeIndex of, messages::NodeStatus status, std::int64_t now_ns);
  void block_dependants(NodeIndex failed, std::int64_t now_ns);
  void mark_critical(std::vector<MelodyNodeState>& states) const;

  const Plan& plan_;
  const RunCoreLimits limits_;
  const std::vector<double> expected_us_;
  std::vector<std::vector<NodeIndex>> dependants_;
  std::vector<Node> nodes_;  // those of the plan, then children
  std::vector<Tally> tallies_;
  Counts counts_{};
  EventRing events_;
  std::vector<NodeReport> reports_;
  std::size_t next_report_ = 0;
  std::size_t backlog_bytes_ = 0;  // of the reports from there on, about
  std::vector<NodeId> started_;
  std::vector<RunFailure> failures_;
  std::uint32_t executed_ = 0;
  std::uint64_t artifacts_ = 0;
  std::uint64_t artifact_bytes_ = 0;
  bool cancelled_ = false;
};

}  // namespace symphony::actors
