// A melody ready to run: nodes by index, edges, and bindings whose references know their node.
//
// Plans are immutable values; everything here is pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/orchestration/melody/check.hpp"
#include "actors/orchestration/melody/melody.hpp"

namespace symphony::actors {

struct PlanNode {
  std::string name;
  std::string use;  // operator
  std::vector<std::pair<std::string, Binding>> arguments;
  std::vector<NodeIndex> needs;  // listed or referred to; ascending
  std::optional<Binding> map;    // gives the list over which the node is mapped
  std::optional<Condition> when;
  // The condition mentions ${item} or ${index}: it decides for each child, not for the node.
  bool when_per_item = false;
  NodePolicy policy;
  MelodyEnvironment environment;
  runtime::SourceMark mark;
};

struct Plan {
  std::string name;
  std::string version;
  std::string description;
  std::vector<MelodyInput> inputs;
  std::vector<PlanNode> nodes;  // as written
  std::vector<std::pair<std::string, Binding>> outputs;
  Graph graph;                   // an edge leads from what is needed to what needs it
  std::vector<NodeIndex> order;  // each node after all it needs
  MelodyEnvironment environment;

  std::optional<NodeIndex> find(std::string_view node) const;
};

// REQUIRES: neither parse_melody nor check found a problem.
Plan compile(Melody melody);

struct LoadedMelody {
  std::optional<Plan> plan;  // there exactly when there are no problems
  runtime::Problems problems;
  runtime::Problems warnings;
};

// parse_melody, check and compile: all problems of all steps at once, by place.
LoadedMelody load_melody(std::string_view text, std::string_view file,
                         const OperatorRegistry& operators);

// The plan as JSON without places: melodies that mean the same, however they are laid out, give
// equal text. What a run is journalled under.
Json to_json(const Plan& plan);

// ---- running a node ----------------------------------------------------------------------------

// What became of the condition, the list or the arguments of a node or child.
struct NodeArguments {
  // Arguments with all defaults, checked against the operator's specification.
  Json values;
  // A required argument came as null from a node that was skipped: this one is skipped too.
  std::optional<std::string> skipped_because;
};

// Whether the node (or, when `when_per_item`, the child in the scope) is to run.
Result<bool> evaluate_when(const PlanNode& node, const RunScope& scope);

// The items of a mapped node, at most kMaxMelodyFanOut; null from a skipped node is no items.
// REQUIRES: node.map.
Result<std::vector<Json>> evaluate_items(const PlanNode& node, const RunScope& scope);

// INVALID_ARGUMENT, with the argument as field, when a value does not fit the specification.
// An argument that is null counts as left out.
Result<NodeArguments> evaluate_arguments(const PlanNode& node, const OperatorSpec& spec,
                                         const RunScope& scope);

// An object with every output.
Result<Json> evaluate_outputs(const Plan& plan, const RunScope& scope);

}  // namespace symphony::actors
