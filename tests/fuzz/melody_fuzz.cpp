// Any text is either a melody that can be compiled, shown and evaluated, or a list of problems.
#include <cstdint>
#include <string_view>

#include "actors/orchestration/melody/inputs.hpp"
#include "actors/orchestration/melody/render.hpp"
#include "tests/actors/orchestration/melody/test_operators.hpp"

using namespace symphony;
using namespace symphony::actors;

namespace {

void evaluate_everything(const Plan& plan) {
  const Json item{{"a", {1, 2}}};
  Json inputs = Json::object();
  for (const MelodyInput& input : plan.inputs) inputs[input.name] = input.default_value;
  const Json results{{"value", item}, {"ok", true}, {"files", {"x"}}, {"text", "t"}};
  RunScope scope;
  scope.inputs = &inputs;
  scope.item = &item;
  scope.index = 1;
  scope.results = [&](NodeIndex node) { return node % 2 == 0 ? &results : nullptr; };
  const OperatorRegistry operators = test::described_operators();
  for (const PlanNode& node : plan.nodes) {
    (void)evaluate_when(node, scope);
    if (node.map) (void)evaluate_items(node, scope);
    (void)evaluate_arguments(node, operators.find(node.use)->spec(), scope);
  }
  (void)evaluate_outputs(plan, scope);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const OperatorRegistry operators = test::described_operators();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const LoadedMelody loaded = load_melody(text, "fuzz.toml", operators);
  SYMPHONY_ASSERT(loaded.plan.has_value() == loaded.problems.empty());
  (void)loaded.problems.text();
  (void)loaded.warnings.text();
  if (!loaded.plan) return 0;
  (void)render_text(*loaded.plan);
  (void)to_dot(*loaded.plan);
  (void)to_json(*loaded.plan).dump();
  evaluate_everything(*loaded.plan);
  return 0;
}
