#include "actors/run/run_state.hpp"

namespace symphony::actors {

CriticalPath measured_critical_path(const RunState& run) {
  const Graph& graph = run.plan().graph;
  std::vector<double> weights(graph.node_count());
  std::vector<NodeId> longest_child(graph.node_count(), kNoNode);
  for (NodeId node = 0; node < weights.size(); ++node) {
    weights[node] = static_cast<double>(run.duration_us(node));
    const auto children = run.children_of(node);
    if (!children || children->count == 0) continue;
    NodeId longest = children->first;
    for (NodeId child = longest; child < children->first + children->count; ++child)
      if (run.duration_us(child) > run.duration_us(longest)) longest = child;
    longest_child[node] = longest;
    weights[node] += static_cast<double>(run.duration_us(longest));
  }
  const auto sorted = sort_topologically(graph);
  const auto path = critical_path(graph, upward_ranks(graph, sorted.order, weights));
  CriticalPath measured{{}, path.length};
  if (path.length <= 0) return measured;
  for (const NodeId node : path.nodes) {
    measured.nodes.push_back(node);
    if (longest_child[node] != kNoNode) measured.nodes.push_back(longest_child[node]);
  }
  return measured;
}

}  // namespace symphony::actors
