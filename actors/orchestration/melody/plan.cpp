#include "actors/orchestration/melody/plan.hpp"

#include <algorithm>
#include <unordered_map>

namespace symphony::actors {
namespace {

Json to_json(const NodePolicy& policy) {
  return Json{{"attempts", policy.retry.attempts},
              {"backoff_ms", policy.retry.backoff_ms},
              {"max_backoff_ms", policy.retry.max_backoff_ms},
              {"timeout_ms", policy.timeout_ms},
              {"cores", policy.cores},
              {"memory_mb", policy.memory_mb},
              {"priority", policy.priority}};
}

void add_json(Json& out, const MelodyEnvironment& environment) {
  for (const auto& [name, value] : environment.set) out["env"][name] = value;
  for (const MelodyNeed& variable : environment.passed) out["pass_env"].push_back(variable.name);
}

Json to_json(const PlanNode& node, const Plan& plan) {
  Json out{{"use", node.use}, {"policy", to_json(node.policy)}};
  add_json(out, node.environment);
  Json& arguments = out["with"] = Json::object();
  for (const auto& [name, value] : node.arguments) arguments[name] = to_json(value);
  std::vector<std::string> needs;
  for (const NodeIndex need : node.needs) needs.push_back(plan.nodes[need].name);
  std::sort(needs.begin(), needs.end());
  out["needs"] = needs;
  if (node.map) out["map"] = to_json(*node.map);
  if (node.when) out["when"] = to_string(*node.when);
  return out;
}

}  // namespace

std::optional<NodeIndex> Plan::find(std::string_view node) const {
  const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const PlanNode& candidate) {
    return candidate.name == node;
  });
  if (found == nodes.end()) return std::nullopt;
  return static_cast<NodeIndex>(found - nodes.begin());
}

Plan compile(Melody melody) {
  std::vector<std::vector<NodeIndex>> needs = dependencies_of(melody);
  Plan plan;
  plan.graph = graph_of(needs);
  plan.order = sort_topologically(plan.graph).order;
  SYMPHONY_ASSERT(plan.order.size() == melody.nodes.size());
  std::unordered_map<std::string, NodeIndex> by_name;
  for (NodeIndex i = 0; i < melody.nodes.size(); ++i) by_name.emplace(melody.nodes[i].name, i);
  const auto resolve = [&](Reference& reference) {
    if (reference.kind != ReferenceKind::node) return;
    const auto found = by_name.find(reference.name);
    SYMPHONY_ASSERT(found != by_name.end());
    reference.node = found->second;
  };
  plan.name = std::move(melody.name);
  plan.version = std::move(melody.version);
  plan.description = std::move(melody.description);
  plan.inputs = std::move(melody.inputs);
  plan.environment = std::move(melody.environment);
  plan.nodes.reserve(melody.nodes.size());
  for (NodeIndex i = 0; i < melody.nodes.size(); ++i) {
    MelodyNode& from = melody.nodes[i];
    PlanNode node;
    node.name = std::move(from.name);
    node.use = std::move(from.use);
    for (MelodyArgument& argument : from.arguments) {
      argument.value.resolve(resolve);
      node.arguments.emplace_back(std::move(argument.name), std::move(argument.value));
    }
    node.needs = std::move(needs[i]);
    node.map = std::move(from.map);
    if (node.map) node.map->resolve(resolve);
    node.when = std::move(from.when);
    if (node.when) {
      node.when->resolve(resolve);
      node.when->visit([&](const Reference& reference) {
        node.when_per_item |=
            reference.kind == ReferenceKind::item || reference.kind == ReferenceKind::index;
      });
    }
    node.policy = from.policy;
    node.environment = std::move(from.environment);
    node.mark = std::move(from.mark);
    plan.nodes.push_back(std::move(node));
  }
  for (MelodyOutput& output : melody.outputs) {
    output.value.resolve(resolve);
    plan.outputs.emplace_back(std::move(output.name), std::move(output.value));
  }
  return plan;
}

LoadedMelody load_melody(std::string_view text, std::string_view file,
                         const OperatorRegistry& operators) {
  ParsedMelody parsed = parse_melody(text, file);
  LoadedMelody loaded;
  // Without a single node the text was not even TOML, or has nothing to be checked.
  if (parsed.melody.nodes.empty()) {
    loaded.problems = std::move(parsed.problems);
    return loaded;
  }
  MelodyReport report = check(parsed.melody, operators);
  // What could not be read may well be what uses an input.
  if (parsed.problems.empty()) loaded.warnings = std::move(report.warnings);
  loaded.problems = std::move(parsed.problems);
  loaded.problems.append(std::move(report.problems));
  loaded.problems.sort_by_place();
  if (loaded.problems.empty()) loaded.plan = compile(std::move(parsed.melody));
  return loaded;
}

Json to_json(const Plan& plan) {
  Json inputs = Json::object();
  for (const MelodyInput& input : plan.inputs) {
    inputs[input.name] = Json{{"type", to_string(input.type)},
                              {"required", input.required},
                              {"default", input.default_value}};
  }
  Json nodes = Json::object();
  for (const PlanNode& node : plan.nodes) nodes[node.name] = to_json(node, plan);
  Json outputs = Json::object();
  for (const auto& [name, value] : plan.outputs) outputs[name] = to_json(value);
  Json out{{"name", plan.name},
           {"version", plan.version},
           {"inputs", std::move(inputs)},
           {"nodes", std::move(nodes)},
           {"outputs", std::move(outputs)}};
  add_json(out, plan.environment);
  return out;
}

Result<bool> evaluate_when(const PlanNode& node, const RunScope& scope) {
  if (!node.when) return true;
  return evaluate(*node.when, scope);
}

Result<std::vector<Json>> evaluate_items(const PlanNode& node, const RunScope& scope) {
  SYMPHONY_ASSERT(node.map.has_value());
  auto list = evaluate(*node.map, scope);
  if (!list) return std::move(list).error();
  if (list->is_null()) return std::vector<Json>{};
  if (!list->is_array()) {
    return Error{Errc::INVALID_ARGUMENT,
                 "node " + node.name + " is mapped over " + language::as_text(to_json(*node.map)) +
                     ", which is " + list->type_name() + ", not a list",
                 "map"};
  }
  if (list->size() > kMaxMelodyFanOut) {
    return Error{Errc::RESOURCE_EXHAUSTED,
                 "node " + node.name + " is mapped over " + std::to_string(list->size()) +
                     " items, at most " + std::to_string(kMaxMelodyFanOut) + " are allowed",
                 "map"};
  }
  return list->get<std::vector<Json>>();
}

Result<NodeArguments> evaluate_arguments(const PlanNode& node, const OperatorSpec& spec,
                                         const RunScope& scope) {
  NodeArguments out;
  out.values = Json::object();
  std::vector<std::string> null_from_skipped;
  for (const auto& [name, value] : node.arguments) {
    auto evaluated = evaluate_fully(value, scope);
    if (!evaluated) {
      Error error = std::move(evaluated).error();
      error.field = "with." + name;
      return error;
    }
    if (!evaluated->value.is_null()) {
      out.values[name] = std::move(evaluated->value);
    } else if (evaluated->from_skipped) {
      null_from_skipped.push_back(name);
    }
  }
  for (const ArgumentSpec& wanted : spec.arguments) {
    const auto given = out.values.find(wanted.name);
    if (given != out.values.end()) {
      if (is_of_type(*given, wanted.type)) continue;
      return Error{Errc::INVALID_ARGUMENT,
                   "argument " + wanted.name + " of node " + node.name + " should be of type " +
                       std::string(to_string(wanted.type)) + ", is " + given->type_name(),
                   "with." + wanted.name};
    }
    if (!wanted.required) {
      out.values[wanted.name] = wanted.default_value;
      continue;
    }
    if (std::find(null_from_skipped.begin(), null_from_skipped.end(), wanted.name) !=
        null_from_skipped.end()) {
      out.skipped_because = "its argument " + wanted.name + " comes from a node that was skipped";
      return out;
    }
    return Error{Errc::INVALID_ARGUMENT,
                 "argument " + wanted.name + " of node " + node.name + " is required and null",
                 "with." + wanted.name};
  }
  return out;
}

Result<Json> evaluate_outputs(const Plan& plan, const RunScope& scope) {
  Json outputs = Json::object();
  for (const auto& [name, value] : plan.outputs) {
    auto evaluated = evaluate(value, scope);
    if (!evaluated) {
      Error error = std::move(evaluated).error();
      error.field = "outputs." + name;
      return error;
    }
    outputs[name] = std::move(evaluated).value();
  }
  return outputs;
}

}  // namespace symphony::actors
