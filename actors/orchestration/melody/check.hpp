// Everything that is wrong with a melody, at once.
//
// Besides what parse_melody finds: unknown operators, missing, unknown and ill-typed arguments
// (literals against the operator's specification, references by the declared type of the input or
// result), references that lead nowhere, cycles, maps over what is no list, conditions that cannot
// be true or false, inputs that nobody uses (a warning). Pure and thread-safe; linear in the size
// of the melody.
#pragma once

#include <vector>

#include "actors/orchestration/melody/melody.hpp"
#include "actors/orchestration/operator.hpp"
#include "actors/run/graph.hpp"
#include "runtime/settings/problems.hpp"

namespace symphony::actors {

inline constexpr std::size_t kMaxCyclesShown = 10;
inline constexpr std::size_t kMaxCycleNodesShown = 50;

struct MelodyReport {
  runtime::Problems problems;
  runtime::Problems warnings;
};

MelodyReport check(const Melody& melody, const OperatorRegistry& operators);

// For each node the nodes that it needs, listed or referred to, ascending and without repetition.
// Names that lead nowhere are left out.
std::vector<std::vector<NodeIndex>> dependencies_of(const Melody& melody);

// The same as a graph: an edge leads from what is needed to what needs it.
Graph graph_of(const std::vector<std::vector<NodeIndex>>& needs);

}  // namespace symphony::actors
