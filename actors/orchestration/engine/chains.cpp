#include "actors/orchestration/engine/chains.hpp"

namespace symphony::actors {

LaneDemand demand_of(const PlanNode& node, bool child) {
  // Finding out over what to map takes no more than a core.
  if (node.map && !child) return {};
  return {node.policy.cores, node.policy.memory_mb};
}

std::vector<NodeIndex> followers_of(const Plan& plan) {
  std::vector<std::uint32_t> dependants(plan.nodes.size(), 0);
  for (const PlanNode& node : plan.nodes)
    for (const NodeIndex need : node.needs) ++dependants[need];
  std::vector<NodeIndex> followers(plan.nodes.size(), kUnknownNode);
  for (NodeIndex i = 0; i < plan.nodes.size(); ++i) {
    const PlanNode& node = plan.nodes[i];
    if (node.needs.size() != 1) continue;
    const NodeIndex need = node.needs.front();
    // A mapped node ends when its children have, which no single lane knows.
    if (dependants[need] != 1 || plan.nodes[need].map) continue;
    if (demand_of(plan.nodes[need], false) == demand_of(node, false)) followers[need] = i;
  }
  return followers;
}

}  // namespace symphony::actors
