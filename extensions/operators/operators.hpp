// The built-in operators. The composition root adds them to its registry; one function a family.
#pragma once

#include "actors/orchestration/operator.hpp"

namespace symphony::extensions {

void add_file_operators(actors::OperatorRegistry& registry);
void add_text_operators(actors::OperatorRegistry& registry);
void add_data_operators(actors::OperatorRegistry& registry);
void add_git_operators(actors::OperatorRegistry& registry);
void add_code_operators(actors::OperatorRegistry& registry);
void add_process_operators(actors::OperatorRegistry& registry);

// All of the above.
void add_builtin_operators(actors::OperatorRegistry& registry);

}  // namespace symphony::extensions
