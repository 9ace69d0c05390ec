// The whole of a run's state as bytes: what a copy elsewhere begins with.
//
//   u8 version (1) | u8 flags | varints: resumptions, fruitless resumptions, started, updated,
//   node count | of each node: u8 status and flags, varints: failed attempts, attempt, what it
//   waits for, the one it is blocked by plus 1, duration in µs; when it is expanded: first child,
//   count | count of retries, of each: due time, node
#include <algorithm>

#include "actors/run/run_state.hpp"
#include "actors/run/varint.hpp"

namespace symphony::actors {
namespace {

constexpr std::uint8_t kSnapshotVersion = 1;
constexpr std::uint8_t kStarted = 1, kCancelling = 2, kAbandoned = 4;                  // of the run
constexpr std::uint8_t kExpanded = 0x10, kChildFailed = 0x20, kChildCancelled = 0x40;  // of a node
constexpr std::uint8_t kStatusBits = 0x0f;

Error damaged() { return {Errc::DATA_CORRUPT, "the state of a run does not fit its plan"}; }

}  // namespace

std::string RunState::snapshot() const {
  std::string out;
  out.reserve(64 + nodes_.size() * 7);
  out.push_back(static_cast<char>(kSnapshotVersion));
  out.push_back(static_cast<char>((started_ ? kStarted : 0) | (cancelling_ ? kCancelling : 0) |
                                  (abandoned_ ? kAbandoned : 0)));
  put_varint(out, resumptions_);
  put_varint(out, fruitless_resumptions_);
  put_signed(out, started_us_);
  put_signed(out, updated_us_);
  put_varint(out, nodes_.size());
  for (const Node& node : nodes_) {
    out.push_back(static_cast<char>(
        static_cast<std::uint8_t>(node.status) | (node.expanded ? kExpanded : 0) |
        (node.child_failed ? kChildFailed : 0) | (node.child_cancelled ? kChildCancelled : 0)));
    put_varint(out, node.attempts);
    put_varint(out, node.attempt);
    put_varint(out, node.waiting_for);
    put_varint(out, node.blocked_by == kNoNode ? 0 : std::uint64_t{node.blocked_by} + 1);
    put_varint(out, node.duration_us);
    if (!node.expanded) continue;
    put_varint(out, node.first_child);
    put_varint(out, node.child_count);
  }
  put_varint(out, retries_.size());
  for (const auto& [due_us, node] : retries_) {
    put_signed(out, due_us);
    put_varint(out, node);
  }
  return out;
}

Result<RunState> RunState::restore(RunPlan plan, std::string_view snapshot) {
  auto created = create(std::move(plan));
  if (!created) return created;
  RunState& state = *created;
  VarintReader in(snapshot);
  if (in.byte() != kSnapshotVersion) return damaged();
  const std::uint8_t flags = in.byte();
  state.started_ = (flags & kStarted) != 0;
  state.cancelling_ = (flags & kCancelling) != 0;
  state.abandoned_ = (flags & kAbandoned) != 0;
  state.resumptions_ = in.number_up_to(0xffffffffU);
  state.fruitless_resumptions_ = in.number_up_to(0xffffffffU);
  state.started_us_ = in.signed_varint();
  state.updated_us_ = in.signed_varint();
  const std::size_t count = in.count();
  if (in.failed() || count < state.nodes_.size() || count > kMaxRunNodes) return damaged();
  state.nodes_.assign(count, Node{});
  state.progress_ = {};
  std::size_t children_until = state.plan_.nodes.size();  // those of earlier nodes end there
  std::vector<std::pair<NodeId, ChildRange>> ranges;
  for (Node& node : state.nodes_) {
    const std::uint8_t bits = in.byte();
    if ((bits & kStatusBits) > static_cast<std::uint8_t>(NodeStatus::cancelled)) return damaged();
    node.status = static_cast<NodeStatus>(bits & kStatusBits);
    node.expanded = (bits & kExpanded) != 0;
    node.child_failed = (bits & kChildFailed) != 0;
    node.child_cancelled = (bits & kChildCancelled) != 0;
    node.attempts = static_cast<std::uint16_t>(in.number_up_to(kMaxAttempts));
    node.attempt = in.number_up_to(0xffffffffU);
    node.waiting_for = in.number_up_to(kMaxRunNodes);
    const std::uint32_t blocked_by = in.number_up_to(kMaxRunNodes);
    node.blocked_by = blocked_by == 0 ? kNoNode : blocked_by - 1;
    node.duration_us = in.varint();
    ++counter(state.progress_, node.status);
    if (!node.expanded) continue;
    node.first_child = in.number_up_to(kMaxRunNodes);
    node.child_count = in.number_up_to(kMaxFanOut);
    if (in.failed() || std::uint64_t{node.first_child} + node.child_count > count) return damaged();
    ranges.push_back(
        {static_cast<NodeId>(&node - state.nodes_.data()), {node.first_child, node.child_count}});
    children_until += node.child_count;
  }
  if (in.failed() || children_until != count) return damaged();
  for (const auto& [parent, children] : ranges)
    for (NodeId child = children.first; child < children.first + children.count; ++child) {
      if (child < state.plan_.nodes.size() || parent >= state.plan_.nodes.size()) return damaged();
      state.nodes_[child].parent = parent;
    }
  for (std::size_t left = in.count(); left > 0 && !in.failed(); --left) {
    const std::int64_t due_us = in.signed_varint();
    const NodeId node = in.number_up_to(kMaxRunNodes);
    if (node >= count || state.nodes_[node].status != NodeStatus::waiting) return damaged();
    state.retries_.emplace(due_us, node);
  }
  if (in.failed() || !in.at_end()) return damaged();
  return created;
}

}  // namespace symphony::actors
