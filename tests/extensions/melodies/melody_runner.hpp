// Runs a melody's nodes one after another with the built-in operators and no engine: what the
// melody says is tested, not how it is scheduled.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "actors/orchestration/melody/plan.hpp"
#include "extensions/operators/operators.hpp"
#include "tests/extensions/support.hpp"

namespace symphony::extensions {

inline std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class MelodyRunner {
 public:
  MelodyRunner() { add_builtin_operators(registry_); }

  // The outputs of a run, or the first failure.
  Result<Json> run(const std::string& file, const Json& inputs, const std::string& started) {
    auto loaded = actors::load_melody(file_text(file), file, registry_);
    if (!loaded.plan) return Error{Errc::INVALID_ARGUMENT, loaded.problems.text()};
    Json complete = Json::object();
    for (const auto& input : loaded.plan->inputs) {
      complete[input.name] = inputs.contains(input.name) ? inputs[input.name] : input.default_value;
    }
    results_.assign(loaded.plan->nodes.size(), nullptr);
    actors::RunScope scope;
    scope.inputs = &complete;
    scope.run_started = started;
    scope.results = [this](actors::NodeIndex node) {
      return results_[node].is_null() ? nullptr : &results_[node];
    };
    for (const actors::NodeIndex index : loaded.plan->order) {
      const auto& node = loaded.plan->nodes[index];
      auto result = run_node(node, scope);
      if (!result) {
        Error error = result.error();
        error.message = node.name + ": " + error.message;
        return error;
      }
      results_[index] = std::move(*result);
    }
    return actors::evaluate_outputs(*loaded.plan, scope);
  }

  std::size_t stored() const { return context_.stored.size(); }

 private:
  Result<Json> run_node(const actors::PlanNode& node, const actors::RunScope& scope) {
    if (!node.when_per_item) {
      const auto go = actors::evaluate_when(node, scope);
      if (!go) return go.error();
      if (!*go) return Json(nullptr);
    }
    if (!node.map) return run_once(node, scope);
    const auto items = actors::evaluate_items(node, scope);
    if (!items) return items.error();
    Json results = Json::array();
    for (std::size_t i = 0; i < items->size(); ++i) {
      actors::RunScope inner = scope;
      inner.item = &(*items)[i];
      inner.index = i;
      auto result = run_once(node, inner);
      if (!result) return result;
      results.push_back(std::move(*result));
    }
    return results;
  }

  Result<Json> run_once(const actors::PlanNode& node, const actors::RunScope& scope) {
    const actors::Operator* op = registry_.find(node.use);
    auto arguments = actors::evaluate_arguments(node, op->spec(), scope);
    if (!arguments) return arguments.error();
    if (arguments->skipped_because) return Json(nullptr);
    return op->run(arguments->values, context_);
  }

  actors::OperatorRegistry registry_;
  testing::MemoryContext context_;
  std::vector<Json> results_;
};

}  // namespace symphony::extensions
