// A plan for people: as text (`symphony melody show`) and as a drawing (`symphony melody graph`).
// Pure and thread-safe.
#pragma once

#include <string>

#include "actors/orchestration/melody/plan.hpp"

namespace symphony::actors {

// Inputs, nodes in an order in which they could run, outputs. A line each, ends with a newline.
std::string render_text(const Plan& plan);

// Graphviz DOT: a box a node (stacked when mapped, dashed when it has a condition), an arrow from
// each node to what needs it, a note an output. All names are quoted.
std::string to_dot(const Plan& plan);

}  // namespace symphony::actors
