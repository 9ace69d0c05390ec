#include "actors/orchestration/engine/run_core.hpp"

#include <algorithm>
#include <utility>

namespace symphony::actors {

using messages::NodeStatus;
using messages::Outcome;
using messages::RunEventKind;

namespace {

bool has_ended(NodeStatus status) noexcept {
  return status == NodeStatus::DONE || status == NodeStatus::FAILED ||
         status == NodeStatus::SKIPPED || status == NodeStatus::CANCELLED;
}

std::size_t bytes_of(const NodeReport& report) noexcept {
  return sizeof report + report.text.size();
}

}  // namespace

RunCore::RunCore(const Plan& plan, RunCoreLimits limits, std::vector<double> expected_us)
    : plan_(plan),
      limits_(limits),
      expected_us_(std::move(expected_us)),
      dependants_(plan.nodes.size()),
      nodes_(plan.nodes.size()),
      tallies_(plan.nodes.size()),
      events_(limits.events_max) {
  for (NodeIndex i = 0; i < plan.nodes.size(); ++i) {
    nodes_[i].of = i;
    for (const NodeIndex need : plan.nodes[i].needs) dependants_[need].push_back(i);
  }
  counts_[static_cast<std::size_t>(NodeStatus::WAITING)] =
      static_cast<std::uint32_t>(nodes_.size());
}

void RunCore::move_to(NodeId node, NodeStatus status) {
  Node& entry = nodes_[node];
  if (entry.status == status) return;
  Tally& tally = tallies_[entry.of];
  const bool counted = is_child(node) || !tally.expanded;
  if (counted && entry.status == NodeStatus::RUNNING) --tally.running;
  if (counted && status == NodeStatus::RUNNING) ++tally.running;
  --counts_[static_cast<std::size_t>(entry.status)];
  ++counts_[static_cast<std::size_t>(status)];
  entry.status = status;
}

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

// ---- what the DAG tracker says ------------------------------------------------------------------

Status RunCore::restore(const JournalledNode& row) {
  const auto misfit = [&](const char* what) {
    return Error{Errc::FAILED_PRECONDITION, "the journal does not fit the melody: node " +
                                                std::to_string(row.node) + " " + what};
  };
  const bool child = row.parent.has_value();
  if (child != is_child(row.node)) return misfit("is not what the plan says");
  if (child && *row.parent >= plan_.nodes.size()) return misfit("belongs to no node of the plan");
  const NodeIndex of = child ? *row.parent : row.node;
  Tally& tally = tallies_[of];
  if (!child && row.children > 0) tally.expanded = true;
  if (child) {
    if (row.node != nodes_.size()) return misfit("is out of order");
    if (tally.children == 0) tally.first_child = row.node;
    tally.expanded = true;
    Node entry;
    entry.of = of;
    entry.index = tally.children++;
    nodes_.push_back(entry);
    ++counts_[static_cast<std::size_t>(NodeStatus::WAITING)];
    ++tally.open;
  }
  nodes_[row.node].attempts = static_cast<std::uint16_t>(row.attempts);
  // What ran when its node died is ready again; the DAG tracker says so as well.
  const NodeStatus status = row.status == NodeStatus::RUNNING && (child || !row.children)
                                ? NodeStatus::WAITING
                                : row.status;
  move_to(row.node, status);
  if (row.started_ns != 0) {
    if (tally.first_start_ns == 0 || row.started_ns < tally.first_start_ns)
      tally.first_start_ns = row.started_ns;
    tally.last_end_ns = std::max(
        tally.last_end_ns, row.started_ns + static_cast<std::int64_t>(row.duration_us) * 1000);
  }
  if (status == NodeStatus::FAILED && row.error) {
    auto error = std::make_shared<const Error>(*row.error);
    if (!tally.error) tally.error = error;
    if ((child || !tally.expanded) && failures_.size() < limits_.failures_max)
      failures_.push_back({item_of(row.node), std::move(error)});
  }
  if (!child || !has_ended(status)) return {};
  --tally.open;
  tally.done += status == NodeStatus::DONE || status == NodeStatus::SKIPPED;
  tally.failed += status == NodeStatus::FAILED;
  tally.cancelled += status == NodeStatus::CANCELLED;
  return {};
}

void RunCore::expand(NodeId node, NodeId first_child, std::uint32_t children) {
  Tally& tally = tallies_[node];
  if (tally.expanded && tally.children == children) return;
  move_to(node, NodeStatus::RUNNING);
  if (!tally.expanded) tally.running = 0;
  tally.expanded = true;
  tally.first_child = first_child;
  tally.children = tally.open = children;
  nodes_.resize(std::max<std::size_t>(nodes_.size(), std::size_t{first_child} + children));
  for (std::uint32_t i = 0; i < children; ++i) {
    nodes_[first_child + i].of = node;
    nodes_[first_child + i].index = i;
  }
  counts_[static_cast<std::size_t>(NodeStatus::WAITING)] += children;
  if (!cancelled_) return;
  for (std::uint32_t i = 0; i < children; ++i)
    end_node(first_child + i, NodeStatus::CANCELLED, tally.last_end_ns);
}

std::vector<WorkItem> RunCore::make_ready(std::span<const NodeId> nodes) {
  std::vector<WorkItem> items;
  items.reserve(nodes.size());
  for (const NodeId node : nodes) {
    if (node >= nodes_.size() || cancelled_) continue;
    if (std::exchange(nodes_[node].laid_out, false)) continue;
    move_to(node, NodeStatus::READY);
    items.push_back(item_of(node));
  }
  return items;
}

void RunCore::begin(std::int64_t now_ns) { push(RunEventKind::STARTED, {}, now_ns); }

void RunCore::end(messages::RunStatus status, std::int64_t now_ns) {
  if (status == messages::RunStatus::CANCELLED) cancel(now_ns);
  RunEvent event;
  event.time_ns = now_ns;
  event.kind = RunEventKind::ENDED;
  event.status = status;
  events_.push(std::move(event));
}

// ---- what the lanes say -------------------------------------------------------------------------

void RunCore::started(const WorkItem& item, std::int64_t at_ns) {
  if (nodes_[item.node].status != NodeStatus::READY) return;
  start_node(item, at_ns);
  started_.push_back(item.node);
}

void RunCore::start_node(const WorkItem& item, std::int64_t at_ns) {
  move_to(item.node, NodeStatus::RUNNING);
  Tally& tally = tallies_[item.of];
  if (tally.first_start_ns == 0) tally.first_start_ns = at_ns;
  push(RunEventKind::NODE_STARTED, item, at_ns);
}

void RunCore::report(NodeReport report, std::int64_t now_ns) {
  const NodeId node = report.item.node;
  report.first_event = events_.next();
  // A short node's start is not worth a word to the tracker, only to those who watch.
  if (nodes_[node].status != NodeStatus::RUNNING) start_node(report.item, report.started_ns);
  // Not now: reports lie on the desk for a while, and lanes go on.
  const std::int64_t ended_ns =
      report.started_ns + static_cast<std::int64_t>(report.duration_us) * 1000;
  executed_ += report.executed ? 1 : 0;
  artifacts_ += report.artifacts;
  artifact_bytes_ += report.artifact_bytes;
  switch (report.outcome) {
    case Outcome::SUCCEEDED:
      push(RunEventKind::NODE_DONE, report.item, now_ns, report.duration_us);
      end_node(node, NodeStatus::DONE, ended_ns);
      break;
    case Outcome::SKIPPED:
      push(RunEventKind::NODE_SKIPPED, report.item, now_ns);
      end_node(node, NodeStatus::SKIPPED, ended_ns);
      break;
    case Outcome::CANCELLED:
      push(RunEventKind::NODE_CANCELLED, report.item, now_ns, report.duration_us);
      end_node(node, NodeStatus::CANCELLED, ended_ns);
      break;
    case Outcome::EXPANDED:
      push(RunEventKind::NODE_EXPANDED, report.item, now_ns, report.duration_us, {},
           report.children);
      if (report.children == 0) {
        tallies_[node].expanded = true;
        end_node(node, NodeStatus::DONE, ended_ns);
      }
      break;
    case Outcome::FAILED:
      fail(report, ended_ns, now_ns);
      break;
  }
  if (report.next) start_node(item_of(*report.next), ended_ns);
  for (const NodeIndex other : report.laid_out)
    if (nodes_[other].status == NodeStatus::WAITING) move_to(other, NodeStatus::READY);
  backlog_bytes_ += bytes_of(report);
  reports_.push_back(std::move(report));
}

void RunCore::fail(const NodeReport& report, std::int64_t ended_ns, std::int64_t now_ns) {
  const WorkItem& item = report.item;
  Node& entry = nodes_[item.node];
  auto error = std::make_shared<const Error>(report.error.value_or(Error{}));
  ++entry.attempts;
  if (error->retryable && !cancelled_ &&
      entry.attempts < plan_.nodes[item.of].policy.retry.attempts) {
    push(RunEventKind::NODE_RETRYING, item, now_ns, report.duration_us, std::move(error));
    return move_to(item.node, NodeStatus::WAITING);
  }
  push(RunEventKind::NODE_FAILED, item, now_ns, report.duration_us, error);
  if (!tallies_[item.of].error) tallies_[item.of].error = error;
  if (failures_.size() < limits_.failures_max) failures_.push_back({item, std::move(error)});
  end_node(item.node, NodeStatus::FAILED, ended_ns);
}

void RunCore::end_node(NodeId node, NodeStatus status, std::int64_t now_ns) {
  move_to(node, status);
  const NodeIndex of = nodes_[node].of;
  tallies_[of].last_end_ns = std::max(tallies_[of].last_end_ns, now_ns);
  if (is_child(node)) return child_ended(of, status, now_ns);
  if (status == NodeStatus::FAILED) block_dependants(of, now_ns);
}

void RunCore::child_ended(NodeIndex of, NodeStatus status, std::int64_t now_ns) {
  Tally& tally = tallies_[of];
  tally.done += status == NodeStatus::DONE || status == NodeStatus::SKIPPED;
  tally.failed += status == NodeStatus::FAILED;
  tally.cancelled += status == NodeStatus::CANCELLED;
  if (--tally.open > 0) return;
  const NodeStatus all = tally.failed > 0      ? NodeStatus::FAILED
                         : tally.cancelled > 0 ? NodeStatus::CANCELLED
                                               : NodeStatus::DONE;
  const WorkItem parent{of, of, std::nullopt};
  const auto kind = all == NodeStatus::FAILED      ? RunEventKind::NODE_FAILED
                    : all == NodeStatus::CANCELLED ? RunEventKind::NODE_CANCELLED
                                                   : RunEventKind::NODE_DONE;
  push(kind, parent, now_ns,
       static_cast<std::uint64_t>(std::max<std::int64_t>(now_ns - tally.first_start_ns, 0)) / 1000,
       all == NodeStatus::FAILED ? tally.error : nullptr);
  end_node(of, all, now_ns);
}

void RunCore::block_dependants(NodeIndex failed, std::int64_t now_ns) {
  std::vector<NodeIndex> open{failed};
  while (!open.empty()) {
    const NodeIndex node = open.back();
    open.pop_back();
    for (const NodeIndex dependant : dependants_[node]) {
      if (nodes_[dependant].status != NodeStatus::WAITING) continue;
      move_to(dependant, NodeStatus::SKIPPED);
      push(RunEventKind::NODE_SKIPPED, {dependant, dependant, std::nullopt}, now_ns);
      open.push_back(dependant);
    }
  }
}

void RunCore::cancel(std::int64_t now_ns) {
  if (std::exchange(cancelled_, true)) return;
  // Children first: the last of them ends its mapped node.
  for (auto node = static_cast<NodeId>(nodes_.size()); node-- > 0;) {
    const NodeStatus status = nodes_[node].status;
    if (status != NodeStatus::WAITING && status != NodeStatus::READY) continue;
    end_node(node, NodeStatus::CANCELLED, now_ns);
  }
}

RunCore::Batch RunCore::take_batch() {
  Batch batch;
  // What lanes went on with and no report of this batch ends: one a lane at most. The tracker must
  // hear of it, or it would say that it is ready.
  std::vector<NodeId> followers;
  std::size_t bytes = 0;
  while (next_report_ < reports_.size() && batch.reports.size() < limits_.batch_nodes_max &&
         bytes < limits_.batch_bytes_max) {
    NodeReport& report = reports_[next_report_++];
    bytes += report.text.size();
    backlog_bytes_ -= bytes_of(report);
    std::erase(followers, report.item.node);
    nodes_[report.item.node].laid_out = false;
    if (report.next) followers.push_back(*report.next);
    for (const NodeIndex node : report.laid_out) nodes_[node].laid_out = true;
    batch.reports.push_back(std::move(report));
  }
  if (next_report_ == reports_.size()) {
    batch.started = std::exchange(started_, {});
    reports_.clear();
    next_report_ = 0;
  }
  // What has ended since is no longer running.
  std::erase_if(batch.started,
                [&](NodeId node) { return nodes_[node].status != NodeStatus::RUNNING; });
  // Of those the tracker says nothing more.
  for (const NodeId node : batch.started) nodes_[node].laid_out = false;
  batch.started.insert(batch.started.end(), followers.begin(), followers.end());
  batch.events_end = reports_.empty() ? events_.next() : reports_[next_report_].first_event;
  return batch;
}

// ---- what is the case ---------------------------------------------------------------------------

WorkItem RunCore::item_of(NodeId node) const {
  const Node& entry = nodes_[node];
  if (!is_child(node)) return {node, node, std::nullopt};
  return {node, entry.of, entry.index};
}

std::string RunCore::name_of(const WorkItem& item) const {
  std::string name = plan_.nodes[item.of].name;
  if (item.index) name += "[" + std::to_string(*item.index) + "]";
  return name;
}

std::vector<MelodyNodeState> RunCore::melody_nodes(std::int64_t now_ns) const {
  std::vector<MelodyNodeState> states(plan_.nodes.size());
  for (NodeIndex i = 0; i < states.size(); ++i) {
    MelodyNodeState& state = states[i];
    const Tally& tally = tallies_[i];
    state.status = nodes_[i].status;
    state.expanded = tally.expanded;
    state.running = tally.running;
    state.error = tally.error;
    if (tally.expanded) {
      state.total = tally.children;
      state.done = tally.done;
      state.failed = tally.failed;
    } else {
      state.done = state.status == NodeStatus::DONE;
      state.failed = state.status == NodeStatus::FAILED;
    }
    if (tally.first_start_ns == 0) continue;
    const std::int64_t until = has_ended(state.status) ? tally.last_end_ns : now_ns;
    state.elapsed_us =
        static_cast<std::uint64_t>(std::max<std::int64_t>(until - tally.first_start_ns, 0)) / 1000;
  }
  mark_critical(states);
  return states;
}

void RunCore::mark_critical(std::vector<MelodyNodeState>& states) const {
  // Longest path by the time each node took so far, or may take if it has not ended: at least a
  // microsecond.
  const auto weight = [&](NodeIndex node) {
    const auto elapsed = std::max<double>(static_cast<double>(states[node].elapsed_us), 1);
    if (expected_us_.empty() || has_ended(states[node].status)) return elapsed;
    return std::max(elapsed, expected_us_[node]);
  };
  std::vector<double> longest(states.size(), 0);
  std::vector<NodeIndex> before(states.size(), kUnknownNode);
  NodeIndex last = kUnknownNode;
  for (const NodeIndex node : plan_.order) {
    for (const NodeIndex need : plan_.nodes[node].needs)
      if (before[node] == kUnknownNode || longest[need] > longest[before[node]])
        before[node] = need;
    longest[node] = (before[node] == kUnknownNode ? 0 : longest[before[node]]) + weight(node);
    if (last == kUnknownNode || longest[node] > longest[last]) last = node;
  }
  for (; last != kUnknownNode; last = before[last]) states[last].critical = true;
}

}  // namespace symphony::actors
