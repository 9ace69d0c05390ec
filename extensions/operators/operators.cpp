#include "extensions/operators/operators.hpp"

namespace symphony::extensions {

void add_builtin_operators(actors::OperatorRegistry& registry) {
  add_file_operators(registry);
  add_text_operators(registry);
  add_data_operators(registry);
  add_git_operators(registry);
  add_code_operators(registry);
  add_process_operators(registry);
}

}  // namespace symphony::extensions
