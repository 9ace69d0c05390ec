#include "actors/orchestration/engine/frontier.hpp"

#include <algorithm>
#include <map>

namespace symphony::actors {

LaneDemand demand_of(const PlanNode& node, bool child) {
  // Finding out over what to map takes no more than a core.
  if (node.map && !child) return {};
  return {node.policy.cores, node.policy.memory_mb};
}

Frontier::Frontier(const Plan& plan, const std::vector<double>& expected_us)
    : first_(plan.nodes.size() + 1, 0),
      open_(plan.nodes.size(), 0),
      follows_(plan.nodes.size(), false),
      share_(plan.nodes.size(), 0),
      leads_(plan.nodes.size(), false),
      ranks_(plan.nodes.size(), 1) {
  const auto count = static_cast<NodeIndex>(plan.nodes.size());
  std::map<LaneDemand, std::uint32_t> shares;
  for (NodeIndex i = 0; i < count; ++i) {
    const PlanNode& node = plan.nodes[i];
    open_[i] = static_cast<std::uint32_t>(node.needs.size());
    follows_[i] = std::none_of(node.needs.begin(), node.needs.end(),
                               [&](NodeIndex need) { return plan.nodes[need].map.has_value(); });
    share_[i] = shares.emplace(demand_of(node, false), static_cast<std::uint32_t>(shares.size()))
                    .first->second;
    for (const NodeIndex need : node.needs) ++first_[need + 1];
  }
  for (NodeIndex i = 0; i < count; ++i) first_[i + 1] += first_[i];
  dependants_.resize(first_[count]);
  std::vector<std::uint32_t> end(first_.begin(), first_.end() - 1);
  for (NodeIndex i = 0; i < count; ++i)
    for (const NodeIndex need : plan.nodes[i].needs) dependants_[end[need]++] = i;
  for (auto node = plan.order.rbegin(); node != plan.order.rend(); ++node) {
    double after = 0;
    for (std::uint32_t at = first_[*node]; at < first_[*node + 1]; ++at) {
      const NodeIndex dependant = dependants_[at];
      after = std::max(after, ranks_[dependant]);
      leads_[*node] |= may_follow(dependant, *node);
    }
    ranks_[*node] = after + (expected_us.empty() ? 1 : expected_us[*node]);
  }
}

std::vector<NodeIndex> Frontier::ended(NodeIndex node) {
  std::vector<NodeIndex> ready;
  for (std::uint32_t at = first_[node]; at < first_[node + 1]; ++at) {
    const NodeIndex dependant = dependants_[at];
    if (--open_[dependant] == 0 && may_follow(dependant, node)) ready.push_back(dependant);
  }
  if (ready.size() > kTogetherMax) return {};
  std::stable_sort(ready.begin(), ready.end(),
                   [this](NodeIndex a, NodeIndex b) { return ranks_[a] > ranks_[b]; });
  return ready;
}

}  // namespace symphony::actors
