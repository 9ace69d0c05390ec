// What people are shown of a run, and what is to be told of it: events, progress by melody node,
// and batches of reports for the DAG tracker.
//
// A projection: it decides nothing. What an attempt came to, and what ended because of it, is said
// by the run's state (run_queue.hpp) with each report. Reports leave again, in order, through
// `take_batch`.
//
// Pure: times are arguments. Not thread-safe: one owner.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "actors/orchestration/engine/event_ring.hpp"
#include "actors/orchestration/engine/work.hpp"
#include "actors/orchestration/melody/plan.hpp"

namespace symphony::actors {

struct RunCoreLimits {
  std::size_t events_max = 16'384;
  std::size_t batch_nodes_max = 4'096;
  std::size_t batch_bytes_max = std::size_t{4} << 20;
  std::size_t failures_max = 1'000;  // kept for the summary; all are counted
};

// What the journal knows of a node beside the state of its run, when a run is resumed.
struct JournalledNode {
  WorkItem item;
  std::optional<Error> error;
  std::int64_t started_ns = 0;
  std::uint64_t duration_us = 0;
};

// A node of the melody with its children, for a display.
struct MelodyNodeState {
  NodeStatus status = NodeStatus::waiting;
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
  struct Batch {
    std::vector<NodeReport> reports;
    std::vector<NodeId> started;
    std::size_t size_bytes = 0;
    std::uint64_t events_end = 0;  // events before this one tell of nothing later than this batch
    bool empty() const noexcept { return reports.empty() && started.empty(); }
  };

  // `expected_us`: how long each node may take; empty: not known. `plan` must outlive the core.
  explicit RunCore(const Plan& plan, RunCoreLimits limits = {},
                   std::vector<double> expected_us = {});

  // ---- from the journal
  // REQUIRES: the state is of a run with this plan.
  void restore(const RunState& state);
  void restore(const JournalledNode& node);

  // ---- what happens
  void begin(std::int64_t now_ns);
  void end(messages::RunStatus status, std::int64_t now_ns);
  // It is being executed, and has been for a while: worth telling before its report comes.
  void started(const WorkItem& item, std::int64_t at_ns);
  void report(NodeReport report, std::int64_t now_ns);
  // The run was cancelled after what was reported so far; `ended` by it. What is reported from now
  // on is told to the tracker after that: see `cancel_told`.
  void cancel(std::span<const EndedNode> ended, std::int64_t now_ns);
  void cancel_told();

  // Whether something may be told.
  bool has_batch() const noexcept { return next_report_ < told_until() || !started_.empty(); }
  // Whether something was not told, and may not be told yet either.
  bool has_untold() const noexcept { return !reports_.empty() || !started_.empty(); }
  // The next reports and starts, within the limits of one batch. Starts hold after the reports:
  // a node may have started because of one of them.
  Batch take_batch();

  // ---- what is the case
  WorkItem item_of(NodeId node) const;
  std::string name_of(const WorkItem& item) const;
  // `statuses`: of the nodes of the plan; empty: before the run has begun.
  std::vector<MelodyNodeState> melody_nodes(std::span<const NodeStatus> statuses,
                                            std::int64_t now_ns) const;
  const EventRing& events() const noexcept { return events_; }
  const std::vector<RunFailure>& failures() const noexcept { return failures_; }
  std::uint32_t executed() const noexcept { return executed_; }
  std::uint64_t artifacts() const noexcept { return artifacts_; }
  std::uint64_t artifact_bytes() const noexcept { return artifact_bytes_; }

 private:
  // Of a node of the melody.
  struct Tally {
    bool expanded = false;
    std::uint32_t children = 0, done = 0, failed = 0, running = 0;
    std::int64_t first_start_ns = 0, last_end_ns = 0;
    std::shared_ptr<const Error> error;
  };

  void push(messages::RunEventKind kind, const WorkItem& item, std::int64_t now_ns,
            std::uint64_t duration_us = 0, std::shared_ptr<const Error> error = {},
            std::uint32_t children = 0);
  void expand(NodeIndex node, NodeId first_child, std::uint32_t children);
  void note_end(const NodeReport& report, std::int64_t ended_ns, std::int64_t now_ns);
  void note_failure(const NodeReport& report, std::int64_t now_ns);
  // A node that no report is of: it was skipped, or its children have ended.
  void note_other(const EndedNode& ended, std::int64_t ended_ns, std::int64_t now_ns);
  void keep_failure(const WorkItem& item, std::shared_ptr<const Error> error);
  void mark_critical(std::vector<MelodyNodeState>& states) const;
  // Reports before this number may be told.
  std::uint64_t told_until() const noexcept {
    return barrier_.value_or(next_report_ + reports_.size());
  }

  const Plan& plan_;
  const RunCoreLimits limits_;
  const std::vector<double> expected_us_;
  std::vector<Tally> tallies_;
  std::map<NodeId, NodeIndex> expanded_;  // by their first child
  EventRing events_;
  std::deque<NodeReport> reports_;
  std::uint64_t next_report_ = 0;            // the number of the first of them
  std::optional<std::uint64_t> barrier_;     // where the cancellation comes
  std::unordered_set<NodeId> running_;       // shown as started, not reported
  std::vector<NodeId> started_;              // to be told
  std::unordered_set<NodeId> told_started_;  // and no report was told since
  std::vector<RunFailure> failures_;
  std::uint32_t executed_ = 0;
  std::uint64_t artifacts_ = 0;
  std::uint64_t artifact_bytes_ = 0;
};

}  // namespace symphony::actors
