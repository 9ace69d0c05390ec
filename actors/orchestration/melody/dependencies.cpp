#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "actors/orchestration/melody/check.hpp"

namespace symphony::actors {

std::vector<std::vector<NodeIndex>> dependencies_of(const Melody& melody) {
  std::unordered_map<std::string_view, NodeIndex> by_name;
  for (NodeIndex i = 0; i < melody.nodes.size(); ++i) by_name.emplace(melody.nodes[i].name, i);
  std::vector<std::vector<NodeIndex>> all(melody.nodes.size());
  for (NodeIndex i = 0; i < melody.nodes.size(); ++i) {
    const MelodyNode& node = melody.nodes[i];
    std::vector<NodeIndex>& needs = all[i];
    const auto add = [&](std::string_view name) {
      const auto found = by_name.find(name);
      if (found != by_name.end()) needs.push_back(found->second);
    };
    const auto add_reference = [&](const Reference& reference) {
      if (reference.kind == ReferenceKind::node) add(reference.name);
    };
    const Binding::Visitor add_marked =
        [&](const Reference& reference, const runtime::SourceMark&) { add_reference(reference); };
    for (const MelodyNeed& need : node.needs) add(need.name);
    for (const MelodyArgument& argument : node.arguments) argument.value.visit(add_marked);
    if (node.map) node.map->visit(add_marked);
    if (node.when) node.when->visit(add_reference);
    std::sort(needs.begin(), needs.end());
    needs.erase(std::unique(needs.begin(), needs.end()), needs.end());
  }
  return all;
}

Graph graph_of(const std::vector<std::vector<NodeIndex>>& needs) {
  std::vector<Edge> edges;
  for (NodeIndex i = 0; i < needs.size(); ++i)
    for (const NodeIndex need : needs[i]) edges.push_back({need, i});
  auto graph = Graph::build(needs.size(), edges);
  SYMPHONY_ASSERT(graph.ok());  // a melody's limits are far below those of a graph
  return std::move(graph).value();
}

}  // namespace symphony::actors
