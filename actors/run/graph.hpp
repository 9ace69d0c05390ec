// A directed graph in compressed sparse rows, and what scheduling asks of it.
//
// Nodes are the numbers 0 … node_count-1; an edge (from, to) says that `to` needs `from`.
// Everything here is pure and linear in nodes plus edges. A built Graph is immutable: any number
// of threads may read it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "messages/result.hpp"

namespace symphony::actors {

using NodeId = std::uint32_t;

// No node: ids stop below it.
inline constexpr NodeId kNoNode = 0xffffffffU;
inline constexpr std::size_t kMaxGraphNodes = 16'000'000;
inline constexpr std::size_t kMaxGraphEdges = 256'000'000;

struct Edge {
  NodeId from = 0;
  NodeId to = 0;
  friend bool operator==(const Edge&, const Edge&) = default;
};

class Graph {
 public:
  Graph() = default;

  // Repeated edges are kept (they count twice in in-degrees, consistently); cycles and self-loops
  // are accepted here and found by `sort_topologically`. INVALID_ARGUMENT when an edge names a
  // node that is not there, RESOURCE_EXHAUSTED beyond the limits above.
  static Result<Graph> build(std::size_t node_count, std::span<const Edge> edges);

  std::size_t node_count() const noexcept { return out_begin_.size() - 1; }
  std::size_t edge_count() const noexcept { return out_.size(); }

  // Both in the order in which build() saw the edges.
  std::span<const NodeId> successors(NodeId node) const noexcept {
    return {out_.data() + out_begin_[node], out_.data() + out_begin_[node + 1]};
  }
  std::span<const NodeId> predecessors(NodeId node) const noexcept {
    return {in_.data() + in_begin_[node], in_.data() + in_begin_[node + 1]};
  }
  std::uint32_t in_degree(NodeId node) const noexcept {
    return in_begin_[node + 1] - in_begin_[node];
  }

  friend bool operator==(const Graph&, const Graph&) = default;

 private:
  std::vector<std::uint32_t> out_begin_ = {0};
  std::vector<NodeId> out_;
  std::vector<std::uint32_t> in_begin_ = {0};
  std::vector<NodeId> in_;
};

// Either an order in which every node comes after all it needs, or one cycle.
struct TopologicalSort {
  std::vector<NodeId> order;  // complete when `cycle` is empty
  // A path along edges whose last node is its first: a, b, c, a.
  std::vector<NodeId> cycle;

  bool acyclic() const noexcept { return cycle.empty(); }
};

// Kahn (1962). Among nodes that are free at the same time, lower ids come first within a wave.
TopologicalSort sort_topologically(const Graph& graph);

// Upward rank of every node: its weight plus the largest rank among its successors, that is the
// length of the longest path from its start to the end of the graph (Topcuoglu, Hariri, Wu 2002,
// HEFT, section 4.1, without communication costs). Weights are durations in any unit, not below 0.
// REQUIRES: `order` is a topological order, `weights.size() == graph.node_count()`.
std::vector<double> upward_ranks(const Graph& graph, std::span<const NodeId> order,
                                 std::span<const double> weights);

struct CriticalPath {
  std::vector<NodeId> nodes;  // from a source to a sink; empty for an empty graph
  double length = 0;          // sum of the weights along it
};

// The longest path by weight; among equals the one with the lowest ids.
CriticalPath critical_path(const Graph& graph, std::span<const double> ranks);

}  // namespace symphony::actors
