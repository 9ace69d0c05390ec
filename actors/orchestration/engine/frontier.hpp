// The frontier of a run: what lanes may start by themselves.
//
// When a node has ended, whatever it was the last obstacle to may start; nobody has to be asked. So
// the lane that ended it goes on with the most urgent of those and lays the others out for whoever
// is free, and the DAG tracker is told of it all later: without this, each step of a chain or a
// join costs a hand-over between four threads.
//
// Left to the DAG tracker are nodes that need a mapped one, which ends when its children have;
// those that take another share of the machine than what they follow; and many at once, which are
// worth a message.
//
// Pure. Not thread-safe, but for leads_on.
#pragma once

#include <cstdint>
#include <vector>

#include "actors/orchestration/engine/lane_book.hpp"
#include "actors/orchestration/melody/plan.hpp"

namespace symphony::actors {

// What a node, or (`child`) one of its children, takes of the machine.
LaneDemand demand_of(const PlanNode& node, bool child);

class Frontier {
 public:
  // More than this many that could start at once are left to the DAG tracker.
  static constexpr std::size_t kTogetherMax = 64;

  // `expected_us`: how long each node may take; empty: not known, all the same.
  explicit Frontier(const Plan& plan, const std::vector<double>& expected_us = {});

  // Whether a lane may start something after this node. Thread-safe.
  bool leads_on(NodeIndex node) const { return leads_[node] != 0; }
  // The node is done, or skipped by its condition: to be said once. What a lane may start now, by
  // upward rank, the highest first.
  std::vector<NodeIndex> ended(NodeIndex node);

 private:
  bool may_follow(NodeIndex node, NodeIndex ended) const {
    return follows_[node] != 0 && share_[node] == share_[ended];
  }

  // Those that need a node: dependants_ from first_[node] up to first_[node + 1].
  std::vector<std::uint32_t> first_;
  std::vector<NodeIndex> dependants_;
  std::vector<std::uint32_t> open_;   // needs that have not ended
  std::vector<char> follows_;         // needs no mapped node
  std::vector<std::uint32_t> share_;  // equal where demands are
  std::vector<char> leads_;
  std::vector<double> ranks_;  // upward
};

}  // namespace symphony::actors
