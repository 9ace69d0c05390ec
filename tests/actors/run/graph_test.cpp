#include "actors/run/graph.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace symphony::actors {
namespace {

Graph make(std::size_t nodes, const std::vector<Edge>& edges) {
  auto graph = Graph::build(nodes, edges);
  EXPECT_TRUE(graph.ok());
  return std::move(graph).value();
}

TEST(Graph, ListsNeighboursInTheOrderOfTheEdges) {
  const Graph graph = make(4, {{0, 2}, {0, 1}, {1, 3}, {2, 3}});
  EXPECT_EQ(graph.node_count(), 4U);
  EXPECT_EQ(graph.edge_count(), 4U);
  EXPECT_EQ(graph.successors(0)[0], 2U);
  EXPECT_EQ(graph.successors(0)[1], 1U);
  EXPECT_EQ(graph.predecessors(3).size(), 2U);
  EXPECT_EQ(graph.in_degree(0), 0U);
}

TEST(Graph, RefusesAnEdgeToANodeThatIsNotThere) {
  const std::vector<Edge> edges{{0, 2}};
  const auto graph = Graph::build(2, edges);
  ASSERT_FALSE(graph.ok());
  EXPECT_EQ(graph.error().code, Errc::INVALID_ARGUMENT);
  EXPECT_NE(graph.error().message.find("0 -> 2"), std::string::npos);
}

TEST(Graph, ReportsACycleAsAClosedPath) {
  const Graph graph = make(6, {{0, 1}, {1, 2}, {2, 3}, {3, 1}, {3, 4}, {4, 5}});
  EXPECT_EQ(sort_topologically(graph).cycle, (std::vector<NodeId>{1, 2, 3, 1}));
}

TEST(Graph, ReportsASelfLoop) {
  const Graph graph = make(2, {{0, 1}, {1, 1}});
  EXPECT_EQ(sort_topologically(graph).cycle, (std::vector<NodeId>{1, 1}));
}

TEST(Graph, AnEmptyGraphIsSortedAndHasNoCriticalPath) {
  const Graph graph = make(0, {});
  EXPECT_TRUE(sort_topologically(graph).acyclic());
  EXPECT_TRUE(critical_path(graph, {}).nodes.empty());
}

TEST(Graph, RanksAndCriticalPathOfADiamond) {
  const Graph graph = make(4, {{0, 1}, {0, 2}, {1, 3}, {2, 3}});
  const auto order = sort_topologically(graph).order;
  const std::vector<double> weights{1, 5, 2, 3};
  const auto ranks = upward_ranks(graph, order, weights);
  EXPECT_EQ(ranks, (std::vector<double>{9, 8, 5, 3}));
  const auto path = critical_path(graph, ranks);
  EXPECT_EQ(path.nodes, (std::vector<NodeId>{0, 1, 3}));
  EXPECT_DOUBLE_EQ(path.length, 9);
}

std::vector<Edge> any_edges(std::size_t nodes) {
  const auto id = rc::gen::inRange<NodeId>(0, static_cast<NodeId>(nodes));
  std::vector<Edge> edges;
  for (const auto& [from, to] :
       *rc::gen::container<std::vector<std::pair<NodeId, NodeId>>>(rc::gen::pair(id, id))) {
    edges.push_back({from, to});
  }
  return edges;
}

bool has_edge(const Graph& graph, NodeId from, NodeId to) {
  const auto next = graph.successors(from);
  return std::find(next.begin(), next.end(), to) != next.end();
}

RC_GTEST_PROP(GraphProperty, EitherSortsEveryNodeAfterItsNeedsOrShowsARealCycle, ()) {
  const std::size_t nodes = *rc::gen::inRange<std::size_t>(1, 30);
  const auto edges = any_edges(nodes);
  const Graph graph = make(nodes, edges);
  const auto sorted = sort_topologically(graph);
  if (sorted.acyclic()) {
    RC_ASSERT(sorted.order.size() == nodes);
    std::vector<std::size_t> position(nodes);
    for (std::size_t i = 0; i < nodes; ++i) position[sorted.order[i]] = i;
    for (const Edge& edge : edges) RC_ASSERT(position[edge.from] < position[edge.to]);
  } else {
    RC_ASSERT(sorted.cycle.size() >= 2U);
    RC_ASSERT(sorted.cycle.front() == sorted.cycle.back());
    for (std::size_t i = 0; i + 1 < sorted.cycle.size(); ++i) {
      RC_ASSERT(has_edge(graph, sorted.cycle[i], sorted.cycle[i + 1]));
    }
  }
}

RC_GTEST_PROP(GraphProperty, TheCriticalPathIsAsLongAsTheLongestPath, ()) {
  const std::size_t nodes = *rc::gen::inRange<std::size_t>(1, 12);
  auto edges = any_edges(nodes);
  std::erase_if(edges, [](const Edge& edge) { return edge.from == edge.to; });
  for (Edge& edge : edges) {
    if (edge.from > edge.to) std::swap(edge.from, edge.to);
  }
  const Graph graph = make(nodes, edges);
  const auto order = sort_topologically(graph).order;
  const auto weights = *rc::gen::container<std::vector<int>>(nodes, rc::gen::inRange(0, 9));
  const std::vector<double> durations(weights.begin(), weights.end());
  const auto ranks = upward_ranks(graph, order, durations);
  // Longest paths the other way round: from the sources.
  std::vector<double> until(nodes);
  double longest = 0;
  for (NodeId node = 0; node < nodes; ++node) {
    for (const NodeId need : graph.predecessors(node))
      until[node] = std::max(until[node], until[need]);
    until[node] += durations[node];
    longest = std::max(longest, until[node]);
  }
  const auto path = critical_path(graph, ranks);
  double sum = 0;
  for (const NodeId node : path.nodes) sum += durations[node];
  RC_ASSERT(path.length == longest);
  RC_ASSERT(sum == longest);
  for (std::size_t i = 0; i + 1 < path.nodes.size(); ++i) {
    RC_ASSERT(has_edge(graph, path.nodes[i], path.nodes[i + 1]));
  }
}

}  // namespace
}  // namespace symphony::actors
