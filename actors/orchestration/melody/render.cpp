#include "actors/orchestration/melody/render.hpp"

#include <algorithm>

#include "runtime/settings/value.hpp"

namespace symphony::actors {
namespace {

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string one_line(const Json& value) {
  return runtime::printable(value.dump(-1, ' ', false, Json::error_handler_t::replace),
                            runtime::kMaxShownValueBytes);
}

std::string input_line(const MelodyInput& input, std::size_t width) {
  std::string line = "  " + padded(input.name, width) + "  " +
                     padded(std::string(to_string(input.type)), 7) + "  ";
  if (input.required) {
    line += "required";
  } else if (input.default_value.is_null()) {
    line += "optional";
  } else {
    line += "default " + one_line(input.default_value);
  }
  if (!input.description.empty()) {
    line += "  " + runtime::printable(input.description, runtime::kMaxShownPathBytes);
  }
  return line + "\n";
}

std::string policy_text(const NodePolicy& policy) {
  std::string text;
  if (policy.retry.attempts > 1) text += ", " + std::to_string(policy.retry.attempts) + " attempts";
  if (policy.timeout_ms > 0) text += ", at most " + std::to_string(policy.timeout_ms) + " ms";
  if (policy.cores > 1) text += ", " + std::to_string(policy.cores) + " cores";
  if (policy.memory_mb > 0) text += ", " + std::to_string(policy.memory_mb) + " MiB";
  if (policy.priority != 0) text += ", priority " + std::to_string(policy.priority);
  return text.empty() ? text : "      " + text.substr(2) + "\n";
}

std::string node_lines(const Plan& plan, const PlanNode& node, std::size_t width) {
  std::string lines = "  " + padded(node.name, width) + "  " + node.use;
  if (!node.needs.empty()) {
    lines += "  after ";
    for (const NodeIndex need : node.needs) {
      if (need != node.needs.front()) lines += ", ";
      lines += plan.nodes[need].name;
    }
  }
  lines += "\n";
  if (node.map) lines += "      for each of " + one_line(to_json(*node.map)) + "\n";
  if (node.when) lines += "      when " + to_string(*node.when) + "\n";
  for (const auto& [name, value] : node.arguments) {
    lines += "      " + name + " = " + one_line(to_json(value)) + "\n";
  }
  return lines + policy_text(node.policy);
}

template <class Items, class Name>
std::size_t widest(const Items& items, Name name) {
  std::size_t width = 0;
  for (const auto& item : items) width = std::max(width, name(item).size());
  return width;
}

// A quoted identifier or label. Inside quotes DOT knows \" and, in labels, backslash escapes.
std::string dot_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : runtime::printable(text, runtime::kMaxShownPathBytes)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string render_text(const Plan& plan) {
  std::string text = plan.name + " " + runtime::printable(plan.version, kMaxNameBytes) + "\n";
  if (!plan.description.empty()) {
    text += "  " + runtime::printable(plan.description, runtime::kMaxShownPathBytes) + "\n";
  }
  if (!plan.inputs.empty()) {
    text += "inputs\n";
    const auto width = widest(plan.inputs, [](const MelodyInput& input) { return input.name; });
    for (const MelodyInput& input : plan.inputs) text += input_line(input, width);
  }
  text += "nodes\n";
  const auto width = widest(plan.nodes, [](const PlanNode& node) { return node.name; });
  for (const NodeIndex node : plan.order) text += node_lines(plan, plan.nodes[node], width);
  if (!plan.outputs.empty()) {
    text += "outputs\n";
    for (const auto& [name, value] : plan.outputs) {
      text += "  " + name + " = " + one_line(to_json(value)) + "\n";
    }
  }
  return text;
}

std::string to_dot(const Plan& plan) {
  std::string dot = "digraph " + dot_quoted(plan.name) + " {\n";
  dot += "  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n";
  for (const PlanNode& node : plan.nodes) {
    std::string label = dot_quoted(node.name);
    label.pop_back();
    label += "\\n" + dot_quoted(node.use).substr(1);
    dot += "  " + dot_quoted(node.name) + " [label=" + label;
    if (node.map) dot += node.when ? ", shape=box3d, style=dashed" : ", shape=box3d, style=solid";
    if (node.when && !node.map) dot += ", style=\"rounded,dashed\"";
    dot += "];\n";
  }
  // A node's name holds no colon, so these cannot meet one.
  for (const auto& [name, value] : plan.outputs) {
    dot += "  " + dot_quoted("output:" + name) + " [label=" + dot_quoted(name) +
           ", shape=note, style=solid];\n";
  }
  for (const PlanNode& node : plan.nodes) {
    for (const NodeIndex need : node.needs) {
      dot += "  " + dot_quoted(plan.nodes[need].name) + " -> " + dot_quoted(node.name) + ";\n";
    }
  }
  for (const auto& [name, value] : plan.outputs) {
    std::vector<NodeIndex> sources;
    value.visit([&](const Reference& reference, const runtime::SourceMark&) {
      if (reference.kind == ReferenceKind::node) sources.push_back(reference.node);
    });
    std::sort(sources.begin(), sources.end());
    sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
    for (const NodeIndex source : sources) {
      dot += "  " + dot_quoted(plan.nodes[source].name) + " -> " + dot_quoted("output:" + name) +
             ";\n";
    }
  }
  return dot + "}\n";
}

}  // namespace symphony::actors
