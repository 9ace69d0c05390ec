// The operator git.blame_age: how old the lines of files are, and given lines in particular.
#pragma once

#include <memory>

#include "actors/orchestration/operator.hpp"

namespace symphony::extensions::git {

std::unique_ptr<actors::Operator> make_blame_age();

}  // namespace symphony::extensions::git
