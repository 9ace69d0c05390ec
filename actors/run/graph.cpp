#include "actors/run/graph.hpp"

#include <algorithm>
#include <string>

namespace symphony::actors {
namespace {

// A cycle among nodes that Kahn's algorithm could not free: each of them still has a predecessor
// that was not freed either, so walking backwards must come round.
std::vector<NodeId> find_cycle(const Graph& graph, const std::vector<std::uint32_t>& waiting_for) {
  const auto stuck = std::find_if(waiting_for.begin(), waiting_for.end(),
                                  [](std::uint32_t count) { return count > 0; });
  SYMPHONY_ASSERT(stuck != waiting_for.end());
  std::vector<std::uint32_t> position(graph.node_count(), kNoNode);
  std::vector<NodeId> walk;
  NodeId node = static_cast<NodeId>(stuck - waiting_for.begin());
  while (position[node] == kNoNode) {
    position[node] = static_cast<std::uint32_t>(walk.size());
    walk.push_back(node);
    const auto needs = graph.predecessors(node);
    node = *std::find_if(needs.begin(), needs.end(),
                         [&](NodeId need) { return waiting_for[need] > 0; });
  }
  std::vector<NodeId> cycle(walk.begin() + position[node], walk.end());
  std::reverse(cycle.begin(), cycle.end());
  // Start at the lowest id, so that the same cycle always reads the same.
  std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
  cycle.push_back(cycle.front());
  return cycle;
}

}  // namespace

Result<Graph> Graph::build(std::size_t node_count, std::span<const Edge> edges) {
  if (node_count > kMaxGraphNodes || edges.size() > kMaxGraphEdges) {
    return Error{Errc::RESOURCE_EXHAUSTED,
                 "a graph holds at most " + std::to_string(kMaxGraphNodes) + " nodes and " +
                     std::to_string(kMaxGraphEdges) + " edges, not " + std::to_string(node_count) +
                     " and " + std::to_string(edges.size())};
  }
  Graph graph;
  graph.out_begin_.assign(node_count + 1, 0);
  graph.in_begin_.assign(node_count + 1, 0);
  for (const Edge& edge : edges) {
    if (edge.from >= node_count || edge.to >= node_count) {
      return Error{Errc::INVALID_ARGUMENT,
                   "edge " + std::to_string(edge.from) + " -> " + std::to_string(edge.to) +
                       " names a node beyond the last of " + std::to_string(node_count)};
    }
    ++graph.out_begin_[edge.from + 1];
    ++graph.in_begin_[edge.to + 1];
  }
  for (std::size_t i = 0; i < node_count; ++i) {
    graph.out_begin_[i + 1] += graph.out_begin_[i];
    graph.in_begin_[i + 1] += graph.in_begin_[i];
  }
  graph.out_.resize(edges.size());
  graph.in_.resize(edges.size());
  std::vector<std::uint32_t> out_next(graph.out_begin_.begin(), graph.out_begin_.end() - 1);
  std::vector<std::uint32_t> in_next(graph.in_begin_.begin(), graph.in_begin_.end() - 1);
  for (const Edge& edge : edges) {
    graph.out_[out_next[edge.from]++] = edge.to;
    graph.in_[in_next[edge.to]++] = edge.from;
  }
  return graph;
}

TopologicalSort sort_topologically(const Graph& graph) {
  const std::size_t count = graph.node_count();
  TopologicalSort sorted;
  sorted.order.reserve(count);
  std::vector<std::uint32_t> waiting_for(count);
  for (NodeId node = 0; node < count; ++node) {
    waiting_for[node] = graph.in_degree(node);
    if (waiting_for[node] == 0) sorted.order.push_back(node);
  }
  // The order doubles as the queue: what lies behind `next` is free and not yet visited.
  for (std::size_t next = 0; next < sorted.order.size(); ++next) {
    for (const NodeId successor : graph.successors(sorted.order[next])) {
      if (--waiting_for[successor] == 0) sorted.order.push_back(successor);
    }
  }
  if (sorted.order.size() != count) sorted.cycle = find_cycle(graph, waiting_for);
  return sorted;
}

std::vector<double> upward_ranks(const Graph& graph, std::span<const NodeId> order,
                                 std::span<const double> weights) {
  SYMPHONY_ASSERT(weights.size() == graph.node_count() && order.size() == graph.node_count());
  std::vector<double> ranks(graph.node_count());
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    double longest = 0;
    for (const NodeId successor : graph.successors(*at)) {
      longest = std::max(longest, ranks[successor]);
    }
    ranks[*at] = weights[*at] + longest;
  }
  return ranks;
}

CriticalPath critical_path(const Graph& graph, std::span<const double> ranks) {
  SYMPHONY_ASSERT(ranks.size() == graph.node_count());
  CriticalPath path;
  NodeId node = kNoNode;
  for (NodeId candidate = 0; candidate < graph.node_count(); ++candidate) {
    if (graph.in_degree(candidate) != 0) continue;
    if (node == kNoNode || ranks[candidate] > ranks[node]) node = candidate;
  }
  if (node != kNoNode) path.length = ranks[node];
  while (node != kNoNode) {
    path.nodes.push_back(node);
    NodeId longest = kNoNode;
    for (const NodeId successor : graph.successors(node)) {
      if (longest == kNoNode || ranks[successor] > ranks[longest] ||
          (ranks[successor] == ranks[longest] && successor < longest)) {
        longest = successor;
      }
    }
    node = longest;
  }
  return path;
}

}  // namespace symphony::actors
