#include "actors/orchestration/engine/run_core.hpp"

#include <algorithm>
#include <utility>

namespace symphony::actors {

using messages::Outcome;
using messages::RunEventKind;

namespace {

bool has_ended(NodeStatus status) noexcept {
  return status == NodeStatus::done || status == NodeStatus::failed ||
         status == NodeStatus::skipped || status == NodeStatus::cancelled;
}

std::uint64_t micros_between(std::int64_t from_ns, std::int64_t until_ns) noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(until_ns - from_ns, 0)) / 1000;
}

std::int64_t end_of(std::int64_t started_ns, std::uint64_t duration_us) noexcept {
  return started_ns + static_cast<std::int64_t>(duration_us) * 1000;
}

}  // namespace

RunCore::RunCore(const Plan& plan, RunCoreLimits limits, std::vector<double> expected_us)
    : plan_(plan),
      limits_(limits),
      expected_us_(std::move(expected_us)),
      tallies_(plan.nodes.size()),
      events_(limits.events_max) {}

void RunCore::push(RunEventKind kind, const WorkItem& item, std::int64_t now_ns,
                   std::uint64_t duration_us, std::shared_ptr<const Error> error,
                   std::uint32_t children) {
  RunEvent event;
  event.time_ns = now_ns;
  event.kind = kind;
  event.item = item;
  event.duration_us = duration_us;
  event.children = children;
  event.error = std::move(error);
  events_.push(std::move(event));
}

// ---- from the journal ---------------------------------------------------------------------------

void RunCore::restore(const RunState& state) {
  for (NodeIndex node = 0; node < plan_.nodes.size(); ++node) {
    const auto children = state.children_of(node);
    if (!children) continue;
    expand(node, children->first, children->count);
    Tally& tally = tallies_[node];
    for (NodeId child = children->first; child < children->first + children->count; ++child) {
      const NodeStatus status = state.status_of(child);
      tally.done += status == NodeStatus::done || status == NodeStatus::skipped;
      tally.failed += status == NodeStatus::failed;
      // As if the longest had begun when the first did: nothing is known of the others' times.
      tally.last_end_ns = std::max(tally.last_end_ns, end_of(0, state.duration_us(child)));
    }
  }
}

void RunCore::restore(const JournalledNode& node) {
  Tally& tally = tallies_[node.item.of];
  if (node.started_ns != 0 && !node.item.index) {
    tally.first_start_ns = node.started_ns;
    tally.last_end_ns += end_of(node.started_ns, node.duration_us);
  }
  if (!node.error) return;
  auto error = std::make_shared<const Error>(*node.error);
  if (!tally.error) tally.error = error;
  keep_failure(node.item, std::move(error));
}

// ---- what happens -------------------------------------------------------------------------------

void RunCore::begin(std::int64_t now_ns) { push(RunEventKind::STARTED, {}, now_ns); }

void RunCore::end(messages::RunStatus status, std::int64_t now_ns) {
  RunEvent event;
  event.time_ns = now_ns;
  event.kind = RunEventKind::ENDED;
  event.status = status;
  events_.push(std::move(event));
}

void RunCore::started(const WorkItem& item, std::int64_t at_ns) {
  if (!running_.insert(item.node).second) return;
  Tally& tally = tallies_[item.of];
  if (tally.first_start_ns == 0) tally.first_start_ns = at_ns;
  ++tally.running;
  push(RunEventKind::NODE_STARTED, item, at_ns);
  started_.push_back(item.node);
}

void RunCore::expand(NodeIndex node, NodeId first_child, std::uint32_t children) {
  Tally& tally = tallies_[node];
  tally.expanded = true;
  tally.children = children;
  if (children > 0) expanded_[first_child] = node;
}

void RunCore::report(NodeReport report, std::int64_t now_ns) {
  report.first_event = events_.next();
  Tally& tally = tallies_[report.item.of];
  // A short node's start is not worth a word to the tracker, only to those who watch.
  if (running_.erase(report.item.node) > 0) {
    --tally.running;
  } else {
    if (tally.first_start_ns == 0) tally.first_start_ns = report.started_ns;
    push(RunEventKind::NODE_STARTED, report.item, report.started_ns);
  }
  // Not now: reports wait for a while, and workers go on.
  const std::int64_t ended_ns = end_of(report.started_ns, report.duration_us);
  executed_ += report.executed ? 1 : 0;
  artifacts_ += report.artifacts;
  artifact_bytes_ += report.artifact_bytes;
  note_end(report, ended_ns, now_ns);
  for (const EndedNode& other : report.others) note_other(other, ended_ns, now_ns);
  reports_.push_back(std::move(report));
}

void RunCore::note_end(const NodeReport& report, std::int64_t ended_ns, std::int64_t now_ns) {
  Tally& tally = tallies_[report.item.of];
  const bool child = report.item.index.has_value();
  switch (report.outcome) {
    case Outcome::SUCCEEDED:
      push(RunEventKind::NODE_DONE, report.item, now_ns, report.duration_us);
      tally.done += child ? 1 : 0;
      break;
    case Outcome::SKIPPED:
      push(RunEventKind::NODE_SKIPPED, report.item, now_ns);
      tally.done += child ? 1 : 0;
      break;
    case Outcome::CANCELLED:
      push(RunEventKind::NODE_CANCELLED, report.item, now_ns, report.duration_us);
      break;
    case Outcome::EXPANDED:
      push(RunEventKind::NODE_EXPANDED, report.item, now_ns, report.duration_us, {},
           report.children);
      expand(report.item.node, report.first_child, report.children);
      break;
    case Outcome::FAILED:
      note_failure(report, now_ns);
      if (report.retrying) return;
      tally.failed += child ? 1 : 0;
      break;
  }
  tally.last_end_ns = std::max(tally.last_end_ns, ended_ns);
}

void RunCore::note_failure(const NodeReport& report, std::int64_t now_ns) {
  auto error = std::make_shared<const Error>(report.error.value_or(Error{}));
  if (report.retrying) {
    push(RunEventKind::NODE_RETRYING, report.item, now_ns, report.duration_us, std::move(error));
    return;
  }
  push(RunEventKind::NODE_FAILED, report.item, now_ns, report.duration_us, error);
  if (!tallies_[report.item.of].error) tallies_[report.item.of].error = error;
  keep_failure(report.item, std::move(error));
}

void RunCore::keep_failure(const WorkItem& item, std::shared_ptr<const Error> error) {
  if (failures_.size() < limits_.failures_max) failures_.push_back({item, std::move(error)});
}

void RunCore::note_other(const EndedNode& ended, std::int64_t ended_ns, std::int64_t now_ns) {
  const NodeIndex node = ended.node;
  if (node >= tallies_.size()) return;  // a child that was cancelled: its mapped node tells
  const WorkItem item{node, node, std::nullopt};
  if (ended.status == NodeStatus::skipped) return push(RunEventKind::NODE_SKIPPED, item, now_ns);
  Tally& tally = tallies_[node];
  if (!tally.expanded) return;
  tally.last_end_ns = std::max(tally.last_end_ns, ended_ns);
  const auto kind = ended.status == NodeStatus::failed      ? RunEventKind::NODE_FAILED
                    : ended.status == NodeStatus::cancelled ? RunEventKind::NODE_CANCELLED
                                                            : RunEventKind::NODE_DONE;
  push(kind, item, now_ns, micros_between(tally.first_start_ns, ended_ns),
       ended.status == NodeStatus::failed ? tally.error : nullptr);
}

void RunCore::cancel(std::span<const EndedNode> ended, std::int64_t now_ns) {
  for (const EndedNode& node : ended) note_other(node, now_ns, now_ns);
  barrier_ = next_report_ + reports_.size();
}

void RunCore::cancel_told() { barrier_.reset(); }

namespace {

// What a report makes ready may be reported in the same batch (run_state.hpp), but for the children
// of a node that was expanded and what needed a mapped node that has ended.
bool ends_its_batch(const NodeReport& report) {
  return report.outcome == Outcome::EXPANDED ||
         std::any_of(report.others.begin(), report.others.end(),
                     [](const EndedNode& other) { return other.status == NodeStatus::done; });
}

}  // namespace

RunCore::Batch RunCore::take_batch() {
  Batch batch;
  std::size_t text_bytes = 0;
  const std::uint64_t until = told_until();
  bool full = false;
  while (!full && next_report_ < until && batch.reports.size() < limits_.batch_nodes_max &&
         text_bytes < limits_.batch_bytes_max) {
    NodeReport& report = reports_.front();
    text_bytes += report.text.size();
    batch.size_bytes += report.size_bytes();
    told_started_.erase(report.item.node);
    full = ends_its_batch(report);
    batch.reports.push_back(std::move(report));
    reports_.pop_front();
    ++next_report_;
  }
  if (next_report_ == until) {
    // What has been reported since is no longer running, unless that is told after a cancellation.
    for (const NodeId node : std::exchange(started_, {}))
      if ((barrier_ || running_.contains(node)) && told_started_.insert(node).second)
        batch.started.push_back(node);
  }
  batch.events_end = reports_.empty() ? events_.next() : reports_.front().first_event;
  return batch;
}

// ---- what is the case ---------------------------------------------------------------------------

WorkItem RunCore::item_of(NodeId node) const {
  const auto next = expanded_.upper_bound(node);
  if (node < plan_.nodes.size() || next == expanded_.begin()) return {node, node, std::nullopt};
  const auto& [first_child, of] = *std::prev(next);
  return {node, of, node - first_child};
}

std::string RunCore::name_of(const WorkItem& item) const {
  std::string name = plan_.nodes[item.of].name;
  if (item.index) name += "[" + std::to_string(*item.index) + "]";
  return name;
}

std::vector<MelodyNodeState> RunCore::melody_nodes(std::span<const NodeStatus> statuses,
                                                   std::int64_t now_ns) const {
  std::vector<MelodyNodeState> states(plan_.nodes.size());
  for (NodeIndex i = 0; i < states.size(); ++i) {
    MelodyNodeState& state = states[i];
    const Tally& tally = tallies_[i];
    if (i < statuses.size()) state.status = statuses[i];
    state.expanded = tally.expanded;
    state.running = tally.running;
    state.error = tally.error;
    if (tally.expanded) {
      state.total = tally.children;
      state.done = tally.done;
      state.failed = tally.failed;
    } else {
      state.done = state.status == NodeStatus::done;
      state.failed = state.status == NodeStatus::failed;
    }
    if (tally.first_start_ns == 0) continue;
    state.elapsed_us =
        micros_between(tally.first_start_ns, has_ended(state.status) ? tally.last_end_ns : now_ns);
  }
  mark_critical(states);
  return states;
}

// The longest path by the time each node took so far, or may take if it has not ended: at least a
// microsecond.
void RunCore::mark_critical(std::vector<MelodyNodeState>& states) const {
  std::vector<double> weights(states.size());
  for (NodeIndex node = 0; node < weights.size(); ++node) {
    weights[node] = std::max<double>(static_cast<double>(states[node].elapsed_us), 1);
    if (!expected_us_.empty() && !has_ended(states[node].status))
      weights[node] = std::max(weights[node], expected_us_[node]);
  }
  const auto ranks = upward_ranks(plan_.graph, plan_.order, weights);
  for (const NodeId node : critical_path(plan_.graph, ranks).nodes) states[node].critical = true;
}

}  // namespace symphony::actors
