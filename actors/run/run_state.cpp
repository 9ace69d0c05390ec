#include "actors/run/run_state.hpp"

#include <algorithm>
#include <string>

namespace symphony::actors {
namespace {

std::int64_t backoff_us(const RetryPolicy& retry, std::uint32_t failed_attempts) {
  const std::uint32_t doublings = std::min(failed_attempts - 1, 31U);
  const std::uint64_t wait_ms = std::uint64_t{retry.backoff_ms} << doublings;
  return static_cast<std::int64_t>(std::min<std::uint64_t>(wait_ms, retry.max_backoff_ms)) * 1000;
}

bool has_ended(NodeStatus status) noexcept {
  return status != NodeStatus::waiting && status != NodeStatus::ready &&
         status != NodeStatus::running;
}

Error not_now(NodeId node, std::string_view what) {
  return Error{Errc::FAILED_PRECONDITION, "node " + std::to_string(node) + " " + std::string(what)};
}

}  // namespace

std::uint32_t& counter(RunProgress& progress, NodeStatus status) {
  switch (status) {
    case NodeStatus::waiting:
      return progress.waiting;
    case NodeStatus::ready:
      return progress.ready;
    case NodeStatus::running:
      return progress.running;
    case NodeStatus::done:
      return progress.done;
    case NodeStatus::failed:
      return progress.failed;
    case NodeStatus::skipped:
      return progress.skipped;
    case NodeStatus::cancelled:
      return progress.cancelled;
  }
  SYMPHONY_ASSERT(false && "a status that does not exist");
  return progress.waiting;
}

std::string_view to_string(NodeStatus status) noexcept {
  constexpr std::string_view kNames[] = {"waiting", "ready",   "running",  "done",
                                         "failed",  "skipped", "cancelled"};
  return kNames[static_cast<std::size_t>(status)];
}

std::string_view to_string(RunStatus status) noexcept {
  constexpr std::string_view kNames[] = {"pending", "running", "succeeded", "failed", "cancelled"};
  return kNames[static_cast<std::size_t>(status)];
}

RunNode RunNode::of(double weight, bool mapped, RetryPolicy retry) {
  RunNode node;
  node.weight = weight > 0 ? weight : 1;
  node.mapped = mapped;
  node.retry = retry;
  node.retry.attempts = std::max(retry.attempts, 1U);
  if (retry.max_backoff_ms == 0) node.retry.max_backoff_ms = kDefaultMaxBackoffMs;
  return node;
}

Result<RunState> RunState::create(RunPlan plan) {
  const std::size_t count = plan.graph.node_count();
  if (plan.nodes.size() != count) {
    return Error{Errc::INVALID_ARGUMENT, "the plan describes " + std::to_string(plan.nodes.size()) +
                                             " nodes, its graph has " + std::to_string(count)};
  }
  if (count > kMaxRunNodes) {
    return Error{Errc::RESOURCE_EXHAUSTED,
                 "a run has at most " + std::to_string(kMaxRunNodes) + " nodes"};
  }
  std::vector<double> weights(count);
  for (std::size_t i = 0; i < count; ++i) {
    const RunNode& node = plan.nodes[i];
    if (node.retry.attempts < 1 || node.retry.attempts > kMaxAttempts || !(node.weight >= 0)) {
      return Error{
          Errc::INVALID_ARGUMENT,
          "node " + std::to_string(i) + " wants 1 to 1000 attempts and a weight of 0 or more"};
    }
    weights[i] = node.weight;
  }
  const TopologicalSort sorted = sort_topologically(plan.graph);
  if (!sorted.acyclic()) {
    return Error{Errc::INVALID_ARGUMENT,
                 "the plan has a cycle through node " + std::to_string(sorted.cycle.front())};
  }
  RunState state;
  state.ranks_ = upward_ranks(plan.graph, sorted.order, weights);
  state.plan_ = std::move(plan);
  state.nodes_.resize(count);
  for (NodeId id = 0; id < count; ++id) {
    state.nodes_[id].waiting_for = state.plan_.graph.in_degree(id);
  }
  state.progress_.waiting = static_cast<std::uint32_t>(count);
  return state;
}

Result<std::vector<NodeId>> RunState::start(std::int64_t now_us) {
  if (started_) return Error{Errc::FAILED_PRECONDITION, "the run was started before"};
  started_ = true;
  started_us_ = updated_us_ = now_us;
  std::vector<NodeId> ready;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id].waiting_for == 0) get_ready(id, ready);
  }
  sort_by_rank(ready);
  return ready;
}

Status RunState::mark_running(std::span<const NodeId> nodes, std::int64_t now_us) {
  for (const NodeId id : nodes) {
    if (id >= nodes_.size()) return not_now(id, "does not exist");
    if (nodes_[id].status != NodeStatus::ready) return not_now(id, "is not ready to run");
  }
  for (const NodeId id : nodes) move_to(id, NodeStatus::running);
  updated_us_ = now_us;
  return {};
}

Status RunState::check(std::span<const NodeOutcome> outcomes) const {
  std::uint64_t total = nodes_.size();
  BatchIndex by_node;
  if (outcomes.size() > 1) {
    by_node.reserve(outcomes.size());
    for (std::size_t i = 0; i < outcomes.size(); ++i) by_node.emplace_back(outcomes[i].node, i);
    std::sort(by_node.begin(), by_node.end());
    const auto twice = std::adjacent_find(by_node.begin(), by_node.end(),
                                          [](auto& a, auto& b) { return a.first == b.first; });
    if (twice != by_node.end()) return not_now(twice->first, "has two outcomes in one batch");
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const NodeOutcome& outcome = outcomes[i];
    if (outcome.node >= nodes_.size()) return not_now(outcome.node, "does not exist");
    const Node& node = nodes_[outcome.node];
    if (node.status != NodeStatus::ready && node.status != NodeStatus::running &&
        !gets_ready_before(outcomes, i, by_node)) {
      return not_now(outcome.node,
                     "has no outcome to report: it is " + std::string(to_string(node.status)));
    }
    if (node.expanded) return not_now(outcome.node, "ends with its children");
    const bool mapped = outcome.node < plan_.nodes.size() && plan_.nodes[outcome.node].mapped;
    if (mapped && outcome.kind == OutcomeKind::succeeded) {
      return not_now(outcome.node, "is mapped: it is expanded, it does not succeed by itself");
    }
    if (!mapped && outcome.kind == OutcomeKind::expanded) {
      return not_now(outcome.node, "is not mapped: it cannot be expanded");
    }
    if (outcome.kind == OutcomeKind::expanded) {
      total += outcome.children;
      if (outcome.children > kMaxFanOut || total > kMaxRunNodes) {
        return Error{Errc::RESOURCE_EXHAUSTED,
                     "node " + std::to_string(outcome.node) + " expands into " +
                         std::to_string(outcome.children) + " children; at most " +
                         std::to_string(kMaxFanOut) + " are allowed, and " +
                         std::to_string(kMaxRunNodes) + " nodes in a run"};
      }
    }
  }
  return {};
}

bool RunState::gets_ready_before(std::span<const NodeOutcome> outcomes, std::size_t position,
                                 const BatchIndex& by_node) const {
  const NodeId waiting = outcomes[position].node;
  // One that waits for nothing but its retry is not meant, nor are children.
  if (nodes_[waiting].status != NodeStatus::waiting || nodes_[waiting].waiting_for == 0)
    return false;
  const auto needs = plan_.graph.predecessors(waiting);
  return std::all_of(needs.begin(), needs.end(), [&](NodeId need) {
    if (satisfies(need)) return true;
    const auto found =
        std::lower_bound(by_node.begin(), by_node.end(), BatchIndex::value_type{need, 0});
    if (found == by_node.end() || found->first != need || found->second > position) return false;
    const OutcomeKind kind = outcomes[found->second].kind;
    return kind == OutcomeKind::succeeded || kind == OutcomeKind::skipped;
  });
}

Result<std::vector<NodeId>> RunState::complete(std::span<const NodeOutcome> outcomes,
                                               std::int64_t now_us) {
  if (Status checked = check(outcomes); !checked) return std::move(checked).error();
  updated_us_ = now_us;
  std::vector<NodeId> ready;
  const std::uint32_t ended_before = progress_.ended();
  for (const NodeOutcome& outcome : outcomes) apply(outcome, now_us, ready);
  if (progress_.ended() > ended_before) fruitless_resumptions_ = 0;
  std::erase_if(ready, [this](NodeId id) { return nodes_[id].status != NodeStatus::ready; });
  sort_by_rank(ready);
  return ready;
}

Result<std::vector<NodeId>> RunState::advance(std::int64_t now_us) {
  updated_us_ = now_us;
  std::vector<NodeId> ready;
  while (!retries_.empty() && retries_.begin()->first <= now_us) {
    const NodeId id = retries_.begin()->second;
    retries_.erase(retries_.begin());
    get_ready(id, ready);
  }
  sort_by_rank(ready);
  return ready;
}

bool RunState::retry(NodeId node) {
  const auto due = std::find_if(retries_.begin(), retries_.end(),
                                [node](const auto& entry) { return entry.second == node; });
  if (due == retries_.end()) return false;
  retries_.erase(due);
  std::vector<NodeId> ready;
  get_ready(node, ready);
  return true;
}

Status RunState::cancel(std::int64_t now_us) {
  if (!started_) return Error{Errc::FAILED_PRECONDITION, "the run was not started"};
  updated_us_ = now_us;
  if (ended()) return {};
  cancelling_ = true;
  retries_.clear();
  std::vector<NodeId> none;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    const NodeStatus status = nodes_[id].status;
    if (status != NodeStatus::waiting && status != NodeStatus::ready) continue;
    move_to(id, NodeStatus::cancelled);
    if (nodes_[id].parent != kNoNode) child_ended(id, none);
  }
  SYMPHONY_ASSERT(none.empty());
  return {};
}

Status RunState::abandon(std::int64_t now_us) {
  if (started_ && ended()) return {};
  if (Status cancelled = cancel(now_us); !cancelled) return cancelled;
  abandoned_ = true;
  std::vector<NodeId> none;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id].status != NodeStatus::running || nodes_[id].expanded) continue;
    move_to(id, NodeStatus::cancelled);
    settle(id, none);
  }
  SYMPHONY_ASSERT(none.empty() && ended());
  return {};
}

Result<std::vector<NodeId>> RunState::resume(bool again, std::int64_t now_us) {
  if (!started_) return Error{Errc::FAILED_PRECONDITION, "the run was not started"};
  updated_us_ = now_us;
  ++resumptions_;
  ++fruitless_resumptions_;
  bring_retries_near(now_us);
  if (again) {
    cancelling_ = abandoned_ = false;
    reopen_unfinished();
  }
  std::vector<NodeId> ready_now;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id].status != NodeStatus::running || nodes_[id].expanded) continue;
    if (cancelling_) {
      move_to(id, NodeStatus::cancelled);
      settle(id, ready_now);
    } else {
      get_ready(id, ready_now);
    }
  }
  return ready();
}

// Due times are those of another process, whose clock may have been ahead.
void RunState::bring_retries_near(std::int64_t now_us) {
  std::set<std::pair<std::int64_t, NodeId>> near;
  for (const auto& [due_us, node] : retries_) {
    const auto wait_us = backoff_us(plan_.nodes[static_node(node)].retry, nodes_[node].attempts);
    near.emplace(std::min(due_us, now_us + wait_us), node);
  }
  retries_ = std::move(near);
}

void RunState::apply(const NodeOutcome& outcome, std::int64_t now_us, std::vector<NodeId>& ready) {
  nodes_[outcome.node].duration_us = outcome.duration_us;
  switch (outcome.kind) {
    case OutcomeKind::succeeded:
      move_to(outcome.node, NodeStatus::done);
      settle(outcome.node, ready);
      return;
    case OutcomeKind::failed:
      fail(outcome.node, outcome.retryable, now_us, ready);
      return;
    case OutcomeKind::skipped:
      move_to(outcome.node, NodeStatus::skipped);
      settle(outcome.node, ready);
      return;
    case OutcomeKind::expanded:
      expand(outcome.node, outcome.children, ready);
      return;
    case OutcomeKind::cancelled:
      move_to(outcome.node, NodeStatus::cancelled);
      settle(outcome.node, ready);
      return;
  }
}

void RunState::expand(NodeId node, std::uint32_t children, std::vector<NodeId>& ready) {
  if (cancelling_) {
    move_to(node, NodeStatus::cancelled);
    return;
  }
  const NodeId first = static_cast<NodeId>(nodes_.size());
  nodes_[node].expanded = true;
  nodes_[node].first_child = first;
  nodes_[node].child_count = children;
  nodes_[node].waiting_for = children;
  if (children == 0) {
    move_to(node, NodeStatus::done);
    satisfy_dependants(node, ready);
    return;
  }
  if (nodes_[node].status != NodeStatus::running) move_to(node, NodeStatus::running);
  Node child;
  child.parent = node;
  nodes_.insert(nodes_.end(), children, child);
  progress_.waiting += children;
  for (NodeId id = first; id < first + children; ++id) get_ready(id, ready);
}

void RunState::fail(NodeId node, bool retryable, std::int64_t now_us, std::vector<NodeId>& ready) {
  const RetryPolicy& retry = plan_.nodes[static_node(node)].retry;
  const std::uint32_t failures = ++nodes_[node].attempts;
  if (retryable && !cancelling_ && failures < retry.attempts) {
    move_to(node, NodeStatus::waiting);
    retries_.emplace(now_us + backoff_us(retry, failures), node);
    return;
  }
  move_to(node, NodeStatus::failed);
  settle(node, ready);
}

void RunState::settle(NodeId node, std::vector<NodeId>& ready) {
  if (nodes_[node].parent != kNoNode) {
    child_ended(node, ready);
    return;
  }
  const NodeStatus status = nodes_[node].status;
  if (status == NodeStatus::done || status == NodeStatus::skipped) {
    satisfy_dependants(node, ready);
  } else {
    block_dependants(node);
  }
}

void RunState::child_ended(NodeId child, std::vector<NodeId>& ready) {
  const NodeId mapped = nodes_[child].parent;
  Node& parent = nodes_[mapped];
  parent.child_failed |= nodes_[child].status == NodeStatus::failed;
  parent.child_cancelled |= nodes_[child].status == NodeStatus::cancelled;
  if (--parent.waiting_for > 0) return;
  move_to(mapped, parent.child_failed      ? NodeStatus::failed
                  : parent.child_cancelled ? NodeStatus::cancelled
                                           : NodeStatus::done);
  settle(mapped, ready);
}

void RunState::satisfy_dependants(NodeId node, std::vector<NodeId>& ready) {
  for (const NodeId dependant : plan_.graph.successors(node)) {
    if (--nodes_[dependant].waiting_for > 0) continue;
    if (nodes_[dependant].status == NodeStatus::waiting) get_ready(dependant, ready);
  }
}

void RunState::block_dependants(NodeId node) {
  std::vector<NodeId> blocked{node};
  while (!blocked.empty()) {
    const NodeId cause = blocked.back();
    blocked.pop_back();
    for (const NodeId dependant : plan_.graph.successors(cause)) {
      if (nodes_[dependant].status != NodeStatus::waiting) continue;
      move_to(dependant, NodeStatus::skipped);
      nodes_[dependant].blocked_by = node;
      blocked.push_back(dependant);
    }
  }
}

void RunState::get_ready(NodeId node, std::vector<NodeId>& ready) {
  move_to(node, NodeStatus::ready);
  ++nodes_[node].attempt;
  ready.push_back(node);
}

void RunState::move_to(NodeId node, NodeStatus status) {
  --counter(progress_, nodes_[node].status);
  ++counter(progress_, status);
  nodes_[node].status = status;
  if (trace_.to != nullptr && has_ended(status)) trace_.to->push_back({node, status});
}

std::uint32_t RunState::unsatisfied_needs(NodeId node) const {
  const auto needs = plan_.graph.predecessors(node);
  return static_cast<std::uint32_t>(
      std::count_if(needs.begin(), needs.end(), [this](NodeId need) { return !satisfies(need); }));
}

bool RunState::satisfies(NodeId node) const {
  const NodeStatus status = nodes_[node].status;
  return status == NodeStatus::done ||
         (status == NodeStatus::skipped && nodes_[node].blocked_by == kNoNode);
}

// Puts what failed, was cancelled or was blocked back to where it would be had it not ended.
void RunState::reopen_unfinished() {
  const auto unfinished = [](const Node& node) {
    return node.status == NodeStatus::failed || node.status == NodeStatus::cancelled ||
           (node.status == NodeStatus::skipped && node.blocked_by != kNoNode);
  };
  std::vector<NodeId> reopened;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    Node& node = nodes_[id];
    if (!unfinished(node)) continue;
    node.attempts = 0;
    node.blocked_by = kNoNode;
    move_to(id, NodeStatus::waiting);
    reopened.push_back(id);
    if (node.parent == kNoNode) continue;
    // A mapped node that had ended because of this child has a lower id and is reopened already.
    ++nodes_[node.parent].waiting_for;
    nodes_[node.parent].child_failed = nodes_[node.parent].child_cancelled = false;
  }
  std::vector<NodeId> none;
  for (const NodeId id : reopened) {
    Node& node = nodes_[id];
    if (node.expanded) {
      move_to(id, NodeStatus::running);
      continue;
    }
    node.waiting_for = node.parent == kNoNode ? unsatisfied_needs(id) : 0;
    if (node.waiting_for == 0) get_ready(id, none);
  }
}

RunStatus RunState::status() const noexcept {
  if (!started_) return RunStatus::pending;
  if (open_nodes() > 0) return RunStatus::running;
  if (abandoned_) return RunStatus::failed;
  if (cancelling_ && progress_.cancelled > 0) return RunStatus::cancelled;
  if (progress_.failed > 0) return RunStatus::failed;
  return progress_.cancelled > 0 ? RunStatus::cancelled : RunStatus::succeeded;
}

bool RunState::is_stale(NodeId node, std::uint32_t attempt) const noexcept {
  if (attempt == 0 || node >= nodes_.size() || attempt > nodes_[node].attempt) return false;
  const NodeStatus status = nodes_[node].status;
  return attempt < nodes_[node].attempt ||
         (status != NodeStatus::ready && status != NodeStatus::running);
}

std::optional<NodeId> RunState::blocked_by(NodeId node) const noexcept {
  if (nodes_[node].blocked_by == kNoNode) return std::nullopt;
  return nodes_[node].blocked_by;
}

std::optional<ChildRange> RunState::children_of(NodeId node) const noexcept {
  if (!nodes_[node].expanded) return std::nullopt;
  return ChildRange{nodes_[node].first_child, nodes_[node].child_count};
}

std::optional<NodeId> RunState::parent_of(NodeId node) const noexcept {
  if (nodes_[node].parent == kNoNode) return std::nullopt;
  return nodes_[node].parent;
}

std::optional<std::int64_t> RunState::next_retry_us() const noexcept {
  if (retries_.empty()) return std::nullopt;
  return retries_.begin()->first;
}

std::vector<NodeId> RunState::ready() const {
  std::vector<NodeId> ready;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id].status == NodeStatus::ready) ready.push_back(id);
  }
  sort_by_rank(ready);
  return ready;
}

void RunState::sort_by_rank(std::vector<NodeId>& nodes) const {
  std::sort(nodes.begin(), nodes.end(), [this](NodeId left, NodeId right) {
    const double left_rank = rank_of(left);
    const double right_rank = rank_of(right);
    return left_rank != right_rank ? left_rank > right_rank : left < right;
  });
}

}  // namespace symphony::actors
