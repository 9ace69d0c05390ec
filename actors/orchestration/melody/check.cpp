#include "actors/orchestration/melody/check.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "runtime/language/node.hpp"
#include "runtime/settings/value.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::actors {
namespace {

using runtime::join_path;
using runtime::SourceMark;

std::string in_quotes(std::string_view text) {
  return "\"" + runtime::printable(text, runtime::kMaxShownValueBytes) + "\"";
}

// Whether a value declared as `from` can stand where `to` is wanted.
bool fits(ValueType from, ValueType to) {
  const auto is_text = [](ValueType type) {
    return type == ValueType::text || type == ValueType::path;
  };
  return from == to || from == ValueType::any || to == ValueType::any ||
         (is_text(from) && is_text(to)) || (from == ValueType::integer && to == ValueType::number);
}

std::string with_article(ValueType type) {
  switch (type) {
    case ValueType::any:
      return "anything";
    case ValueType::text:
      return "text";
    case ValueType::integer:
    case ValueType::object:
      return "an " + std::string(to_string(type));
    default:
      return "a " + std::string(to_string(type));
  }
}

ValueType type_of(const Json& value) {
  for (const ValueType type : {ValueType::text, ValueType::integer, ValueType::number,
                               ValueType::boolean, ValueType::list, ValueType::object}) {
    if (is_of_type(value, type)) return type;
  }
  return ValueType::any;
}

std::string describe(const Json& value) {
  const std::string text =
      runtime::printable(language::as_text(value), runtime::kMaxShownValueBytes);
  return with_article(type_of(value)) + ", " + (value.is_string() ? "\"" + text + "\"" : text);
}

// Where a reference stands.
struct Place {
  const MelodyNode* node = nullptr;  // nullptr: an output
  bool per_item = false;             // whether ${item} means something there
  std::string path;
};

class Checker {
 public:
  Checker(const Melody& melody, const OperatorRegistry& operators)
      : melody_(melody), operators_(operators), operator_names_(operators.names()) {
    for (const MelodyInput& input : melody.inputs) {
      inputs_.emplace(input.name, &input);
      input_names_.push_back(input.name);
    }
    for (const MelodyNode& node : melody.nodes) {
      nodes_.emplace(node.name, &node);
      node_names_.push_back(node.name);
    }
  }

  MelodyReport run() {
    for (const MelodyNode& node : melody_.nodes) check_node(node);
    for (const MelodyOutput& output : melody_.outputs) {
      check_binding(output.value, {nullptr, false, join_path("outputs", output.name)});
    }
    check_cycles();
    for (const MelodyInput& input : melody_.inputs) {
      if (used_inputs_.contains(input.name)) continue;
      report_.warnings.add(
          {input.mark, join_path("inputs", input.name),
           "nothing uses this input; refer to it as ${inputs." + input.name + "} or remove it"});
    }
    report_.problems.sort_by_place();
    report_.warnings.sort_by_place();
    return std::move(report_);
  }

 private:
  void problem(const SourceMark& mark, std::string path, std::string message,
               std::optional<std::string> suggestion = std::nullopt) {
    report_.problems.add(
        {mark, std::move(path), std::move(message), std::move(suggestion).value_or("")});
  }

  // Looking for the nearest name is linear: only for the problems that will be shown.
  std::optional<std::string> suggest(std::string_view word, const std::vector<std::string>& names) {
    if (report_.problems.size() >= runtime::kMaxProblems) return std::nullopt;
    return runtime::suggest(word.substr(0, kMaxNameBytes), names);
  }

  const OperatorSpec* spec_of(const MelodyNode& node) const {
    const Operator* op = operators_.find(node.use);
    return op == nullptr ? nullptr : &op->spec();
  }

  void check_node(const MelodyNode& node) {
    const std::string path = join_path("nodes", node.name);
    const OperatorSpec* spec = spec_of(node);
    if (spec == nullptr && !node.use.empty()) {
      problem(node.use_mark, join_path(path, "use"),
              "there is no operator " + in_quotes(node.use) + "; see `symphony operators`",
              suggest(node.use, operator_names_));
    }
    for (const MelodyNeed& need : node.needs) {
      if (nodes_.contains(need.name)) continue;
      problem(need.mark, join_path(path, "needs"), "there is no node " + in_quotes(need.name),
              suggest(need.name, node_names_));
    }
    const bool mapped = node.map.has_value();
    for (const MelodyArgument& argument : node.arguments) {
      const std::string argument_path = join_path(join_path(path, "with"), argument.name);
      check_binding(argument.value, {&node, mapped, argument_path});
      if (spec != nullptr) check_argument(*spec, argument, argument_path);
    }
    if (spec != nullptr) check_missing_arguments(*spec, node, path);
    if (node.map) check_map(node, join_path(path, "map"));
    if (node.when) check_when(node, join_path(path, "when"));
  }

  void check_argument(const OperatorSpec& spec, const MelodyArgument& argument,
                      const std::string& path) {
    const auto wanted = std::find_if(
        spec.arguments.begin(), spec.arguments.end(),
        [&](const ArgumentSpec& candidate) { return candidate.name == argument.name; });
    if (wanted == spec.arguments.end()) {
      std::vector<std::string> names;
      for (const ArgumentSpec& candidate : spec.arguments) names.push_back(candidate.name);
      problem(argument.mark, path,
              "operator " + spec.name + " has no argument " + in_quotes(argument.name),
              suggest(argument.name, names));
      return;
    }
    if (argument.value.is_literal()) {
      if (!is_of_type(argument.value.literal(), wanted->type)) {
        problem(argument.value.mark(), path,
                "should be " + with_article(wanted->type) + ", is " +
                    describe(argument.value.literal()));
      }
      return;
    }
    const ValueType given = declared_type(argument.value);
    if (!fits(given, wanted->type)) {
      const bool exact = argument.value.kind() == Binding::Kind::reference;
      problem(argument.value.mark(), path,
              "should be " + with_article(wanted->type) + ", " +
                  (exact ? to_string(argument.value.reference()) + " is " : "is ") +
                  with_article(given));
    }
  }

  void check_missing_arguments(const OperatorSpec& spec, const MelodyNode& node,
                               const std::string& path) {
    for (const ArgumentSpec& wanted : spec.arguments) {
      if (!wanted.required) continue;
      const bool given = std::any_of(node.arguments.begin(), node.arguments.end(),
                                     [&](const MelodyArgument& argument) {
                                       return argument.name == wanted.name;
                                     }) ||
                         std::find(node.broken_arguments.begin(), node.broken_arguments.end(),
                                   wanted.name) != node.broken_arguments.end();
      if (given) continue;
      problem(node.mark, join_path(path, "with"),
              "operator " + spec.name + " needs the argument " + in_quotes(wanted.name) + " (" +
                  std::string(to_string(wanted.type)) +
                  (wanted.summary.empty() ? "" : ": " + wanted.summary) + ")");
    }
  }

  void check_map(const MelodyNode& node, const std::string& path) {
    check_binding(*node.map, {&node, false, path});
    const ValueType type = declared_type(*node.map);
    if (fits(type, ValueType::list)) return;
    const bool exact = node.map->kind() == Binding::Kind::reference;
    problem(node.map->mark(), path,
            "a node is mapped over a list, " +
                (exact ? to_string(node.map->reference()) : std::string("this")) + " is " +
                with_article(type));
  }

  void check_when(const MelodyNode& node, const std::string& path) {
    node.when->visit([&](const Reference& reference) {
      check_reference(reference, node.when_mark, {&node, node.map.has_value(), path});
    });
    check_comparisons(*node.when, node.when->expression.root(), node.when_mark, path);
  }

  using Operation = language::Expression::Node;

  void check_comparisons(const Condition& condition, const Operation& operation,
                         const SourceMark& mark, const std::string& path) {
    for (const auto& operand : operation.children)
      check_comparisons(condition, *operand, mark, path);
    const bool equality = operation.kind == language::NodeKind::equal ||
                          operation.kind == language::NodeKind::not_equal;
    if (!equality && !is_ordering(operation.kind)) return;
    const ValueType left = type_of_operand(condition, *operation.children[0]);
    const ValueType right = type_of_operand(condition, *operation.children[1]);
    const auto has_order = [](ValueType type) {
      return type != ValueType::boolean && type != ValueType::list && type != ValueType::object;
    };
    const auto compares = [&] {
      return to_string(condition.expression, operation) + " compares " + with_article(left) +
             " with " + with_article(right);
    };
    if (!fits(left, right) && !fits(right, left)) {
      problem(mark, path, compares());
    } else if (!equality && !(has_order(left) && has_order(right))) {
      problem(mark, path, compares() + "; only two numbers or two texts have an order");
    }
  }

  static bool is_ordering(language::NodeKind kind) {
    return kind == language::NodeKind::less || kind == language::NodeKind::less_equal ||
           kind == language::NodeKind::greater || kind == language::NodeKind::greater_equal;
  }

  ValueType type_of_operand(const Condition& condition, const Operation& operand) const {
    switch (operand.kind) {
      case language::NodeKind::literal:
        return type_of(operand.literal);
      case language::NodeKind::reference:
        return declared_type(condition.references[operand.number]);
      case language::NodeKind::logical_not:
      case language::NodeKind::logical_and:
      case language::NodeKind::logical_or:
      case language::NodeKind::equal:
      case language::NodeKind::not_equal:
      case language::NodeKind::in:
      case language::NodeKind::exists:
        return ValueType::boolean;
      default:
        return is_ordering(operand.kind) ? ValueType::boolean : ValueType::any;
    }
  }

  void check_binding(const Binding& value, const Place& place) {
    value.visit([&](const Reference& reference, const SourceMark& mark) {
      check_reference(reference, mark, place);
    });
  }

  void check_reference(const Reference& reference, const SourceMark& mark, const Place& place) {
    switch (reference.kind) {
      case ReferenceKind::input:
        used_inputs_.insert(reference.name);
        if (!inputs_.contains(reference.name)) {
          problem(mark, place.path,
                  to_string(reference) + " leads nowhere: there is no input " +
                      in_quotes(reference.name),
                  suggest(reference.name, input_names_));
          return;
        }
        break;
      case ReferenceKind::node:
        if (!check_node_reference(reference, mark, place)) return;
        break;
      case ReferenceKind::item:
      case ReferenceKind::index:
        if (!place.per_item) {
          problem(mark, place.path,
                  to_string(reference) +
                      " means something only in with and when of a node that has a map");
          return;
        }
        break;
      case ReferenceKind::run:
        break;
    }
    check_path(reference, mark, place);
  }

  bool check_node_reference(const Reference& reference, const SourceMark& mark,
                            const Place& place) {
    const auto found = nodes_.find(reference.name);
    if (found == nodes_.end()) {
      problem(
          mark, place.path,
          to_string(reference) + " leads nowhere: there is no node " + in_quotes(reference.name),
          suggest(reference.name, node_names_));
      return false;
    }
    const OperatorSpec* spec = spec_of(*found->second);
    if (spec == nullptr || result_of(*spec, reference.result) != nullptr) return true;
    std::vector<std::string> names;
    for (const ResultSpec& result : spec->results) names.push_back(result.name);
    problem(mark, place.path,
            to_string(reference) + " leads nowhere: operator " + spec->name + " has no result " +
                in_quotes(reference.result),
            suggest(reference.result, names));
    return false;
  }

  void check_path(const Reference& reference, const SourceMark& mark, const Place& place) {
    if (reference.path.empty()) return;
    Reference root = reference;
    root.path.clear();
    const ValueType type = declared_type(root);
    const bool by_key = !reference.path.front().key.empty();
    if (fits(type, by_key ? ValueType::object : ValueType::list)) return;
    problem(mark, place.path,
            to_string(reference) + " leads nowhere: " + to_string(root) + " is " +
                with_article(type) + (by_key ? ", it has no keys" : ", it has no positions"));
  }

  static const ResultSpec* result_of(const OperatorSpec& spec, std::string_view name) {
    const auto found = std::find_if(spec.results.begin(), spec.results.end(),
                                    [&](const ResultSpec& result) { return result.name == name; });
    return found == spec.results.end() ? nullptr : &*found;
  }

  ValueType declared_type(const Reference& reference) const {
    if (!reference.path.empty()) return ValueType::any;
    switch (reference.kind) {
      case ReferenceKind::input: {
        const auto found = inputs_.find(reference.name);
        return found == inputs_.end() ? ValueType::any : found->second->type;
      }
      case ReferenceKind::node: {
        const auto found = nodes_.find(reference.name);
        if (found == nodes_.end()) return ValueType::any;
        if (found->second->map) return ValueType::list;
        const OperatorSpec* spec = spec_of(*found->second);
        const ResultSpec* result = spec == nullptr ? nullptr : result_of(*spec, reference.result);
        return result == nullptr ? ValueType::any : result->type;
      }
      case ReferenceKind::item:
        return ValueType::any;
      case ReferenceKind::index:
        return ValueType::integer;
      case ReferenceKind::run:
        return ValueType::text;
    }
    return ValueType::any;
  }

  ValueType declared_type(const Binding& value) const {
    switch (value.kind()) {
      case Binding::Kind::literal:
        return type_of(value.literal());
      case Binding::Kind::reference:
        return declared_type(value.reference());
      case Binding::Kind::interpolation:
        return ValueType::text;
      case Binding::Kind::list:
        return ValueType::list;
      case Binding::Kind::table:
        return ValueType::object;
    }
    return ValueType::any;
  }

  // Finds a cycle, takes its nodes out, and looks again.
  void check_cycles() {
    std::vector<std::vector<NodeIndex>> needs = dependencies_of(melody_);
    for (std::size_t shown = 0; shown < kMaxCyclesShown; ++shown) {
      const TopologicalSort sorted = sort_topologically(graph_of(needs));
      if (sorted.acyclic()) return;
      // Against the edges, from a node to what it needs; its first node is its last, too.
      const std::vector<NodeIndex> cycle(sorted.cycle.rbegin(), sorted.cycle.rend() - 1);
      report_cycle(cycle);
      for (const NodeIndex node : cycle) needs[node].clear();
    }
  }

  // "a -> b -> a": a needs b, b needs a.
  void report_cycle(const std::vector<NodeIndex>& cycle) {
    std::string shown;
    for (std::size_t i = 0; i < cycle.size() && i < kMaxCycleNodesShown; ++i) {
      shown += melody_.nodes[cycle[i]].name + " -> ";
    }
    if (cycle.size() > kMaxCycleNodesShown) {
      shown += "… " + std::to_string(cycle.size() - kMaxCycleNodesShown) + " more -> ";
    }
    const MelodyNode& first = melody_.nodes[cycle.front()];
    problem(first.mark, join_path("nodes", first.name),
            "the nodes need each other in a cycle: " + shown + first.name +
                "; take one of these needs or references out");
  }

  const Melody& melody_;
  const OperatorRegistry& operators_;
  std::vector<std::string> operator_names_;
  std::vector<std::string> input_names_;
  std::vector<std::string> node_names_;
  std::unordered_map<std::string_view, const MelodyInput*> inputs_;
  std::unordered_map<std::string_view, const MelodyNode*> nodes_;
  std::unordered_set<std::string> used_inputs_;
  MelodyReport report_;
};

}  // namespace

MelodyReport check(const Melody& melody, const OperatorRegistry& operators) {
  return Checker(melody, operators).run();
}

}  // namespace symphony::actors
