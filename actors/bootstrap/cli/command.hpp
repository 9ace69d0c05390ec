// The `symphony` command.
#pragma once

#include <vector>

#include "runtime/supervision/supervisor.hpp"

namespace symphony::cli {

// Parses the arguments and carries them out; the exit code. `extra` are components that only test
// builds add to a node.
int run_command(int argc, char** argv, std::vector<runtime::ChildPlan> extra = {});

}  // namespace symphony::cli
