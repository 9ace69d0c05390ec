// Chains of a plan: where a lane may go on by itself.
//
// A node that is the only one to need another, and needs nothing else, may start the moment that
// other one has ended; nobody has to be asked. So a lane that ended the first executes the second,
// and the DAG tracker is told of both later: without this a chain costs a hand-over between four
// threads a node.
//
// Pure.
#pragma once

#include <vector>

#include "actors/orchestration/engine/lane_book.hpp"
#include "actors/orchestration/melody/plan.hpp"

namespace symphony::actors {

// What a node, or (`child`) one of its children, takes of the machine.
LaneDemand demand_of(const PlanNode& node, bool child);

// For each node the one that follows it in a chain and can run on the same lane, or kUnknownNode.
std::vector<NodeIndex> followers_of(const Plan& plan);

}  // namespace symphony::actors
