#include "runtime/settings/sources.hpp"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "runtime/settings/toml.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::runtime {
namespace {

using Assignments = std::vector<Settings::Assignment>;
using Type = SchemaNode::Type;

constexpr std::string_view kPrefix = "SYMPHONY_";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Text as the type that the schema wants. What cannot be read stays text: the check of the schema
// then says what it should have been.
Value from_text(const SchemaNode& node, std::string_view text, const SourceMark& mark) {
  switch (node.type) {
    case Type::kBoolean:
      if (text == "true" || text == "false") return Value{text == "true", mark};
      break;
    case Type::kInteger:
      if (const auto number = number_in<std::int64_t>(text)) return Value{*number, mark};
      break;
    case Type::kNumber:
      if (const auto number = number_in<double>(text)) return Value{*number, mark};
      break;
    case Type::kString:
      break;
    case Type::kArray: {
      Value::Array items;
      for (const auto item : split(text, ',')) items.push_back(from_text(*node.items, item, mark));
      return Value{std::move(items), mark};
    }
    case Type::kObject: {
      Value::Object object;
      for (const auto entry : split(text, ',')) {
        const auto equals = entry.find('=');
        if (equals == std::string_view::npos || equals == 0) break;
        object.set(std::string{entry.substr(0, equals)}, mark,
                   from_text(*node.additional, entry.substr(equals + 1), mark));
      }
      if (object.size() == split(text, ',').size()) return Value{std::move(object), mark};
      break;
    }
  }
  return Value{std::string{text}, mark};
}

class Collector {
 public:
  explicit Collector(const Schema& schema) : schema_(schema) {}

  void add_file(const Value& tree) {
    problems_.append(schema_.check(tree));
    add_section(schema_.root(), tree, {});
  }

  void add_environment(const Environment& environment);
  void add_option(const std::string& option);

  Checked<Settings> finish() && {
    Checked<Settings> result;
    if (problems_.empty()) {
      result = Settings::merge(schema_, assignments_);
    } else {
      result.problems = std::move(problems_);
    }
    result.problems.sort_by_place();
    return result;
  }

 private:
  void add_section(const SchemaNode& node, const Value& tree, const std::string& path) {
    for (const auto& property : node.properties) {
      const auto* value = tree.find(property.name);
      if (value == nullptr) continue;
      const auto below = join_path(path, property.name);
      if (property.node.is_section()) {
        add_section(property.node, *value, below);
      } else {
        assign(property.node, below, *value);
      }
    }
  }

  void assign(const SchemaNode& node, const std::string& path, const Value& value) {
    if (!node.is_map()) {
      assignments_.push_back({path, {}, value});
    } else if (value.is_object()) {
      for (const auto& entry : value.as_object()) {
        assignments_.push_back({path, entry.key, entry.value});
      }
    }
  }

  void assign_text(const SchemaNode& node, const std::string& path, std::string_view text,
                   const SourceMark& mark) {
    const auto value = from_text(node, text, mark);
    if (node.is_map() && !value.is_object()) {
      problems_.add({mark, path, "must be key=value,key=value, not " + describe(value)});
      return;
    }
    problems_.append(Schema::check(node, value, path));
    assign(node, path, value);
  }

  void refuse_path(const SourceMark& mark, std::string_view path);

  const Schema& schema_;
  Problems problems_;
  Assignments assignments_;
};

std::string upper(std::string_view path, std::string_view separator) {
  std::string name{kPrefix};
  for (const char c : path) {
    if (c == '.') {
      name.append(separator);
    } else {
      name.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    }
  }
  return name;
}

// Variable to path; a short name that two keys share stands for neither.
struct VariableNames {
  explicit VariableNames(const Schema& schema) {
    for (const auto& leaf : schema.leaves()) shared[upper(leaf.path, "_")].push_back(&leaf);
    for (const auto& leaf : schema.leaves()) {
      const auto short_name = upper(leaf.path, "_");
      if (shared[short_name].size() == 1) leaves[short_name] = &leaf;
    }
    for (const auto& leaf : schema.leaves()) leaves[upper(leaf.path, "__")] = &leaf;
  }

  std::map<std::string, const Schema::Leaf*> leaves;
  std::map<std::string, std::vector<const Schema::Leaf*>> shared;
};

Problem unknown_variable(const SourceMark& mark, const std::string& name,
                         const VariableNames& names) {
  Problem problem{mark, {}, "unknown variable"};
  if (const auto shared = names.shared.find(name); shared != names.shared.end()) {
    problem.message = "stands for several keys; write";
    for (const auto* leaf : shared->second) {
      problem.message.append(leaf == shared->second.front() ? " " : " or ");
      problem.message.append(upper(leaf->path, "__"));
    }
    return problem;
  }
  // The common prefix would make any two names look alike.
  std::vector<std::string> known;
  const auto add = [&](std::string_view full) { known.emplace_back(full.substr(kPrefix.size())); };
  for (const auto& [variable, ignored] : names.leaves) add(variable);
  for (const auto variable : kReservedVariables) add(variable);
  if (const auto nearest = suggest(std::string_view{name}.substr(kPrefix.size()), known)) {
    problem.suggestion = std::string{kPrefix} + *nearest;
  }
  return problem;
}

void Collector::add_environment(const Environment& environment) {
  if (environment.empty()) return;
  const VariableNames names{schema_};
  std::map<std::string_view, std::string_view> seen;
  for (const auto& [name, text] : environment) {
    const bool reserved = std::find(kReservedVariables.begin(), kReservedVariables.end(), name) !=
                          kReservedVariables.end();
    if (!name.starts_with(kPrefix) || reserved) continue;
    const auto mark = SourceMark::in_environment(name);
    const auto found = names.leaves.find(name);
    if (found == names.leaves.end()) {
      problems_.add(unknown_variable(mark, name, names));
      continue;
    }
    const auto& leaf = *found->second;
    if (const auto [other, fresh] = seen.try_emplace(leaf.path, name); !fresh) {
      problems_.add({mark, leaf.path,
                     "is also set by " + std::string{other->second} + "; unset one of them"});
      continue;
    }
    assign_text(*leaf.node, leaf.path, text, mark);
  }
}

void Collector::refuse_path(const SourceMark& mark, std::string_view path) {
  const auto* node = &schema_.root();
  std::string walked;
  for (const auto part : split(path, '.')) {
    const auto* below = node->find(part);
    if (below == nullptr) {
      problems_.add(schema_.unknown_key(mark, walked, part));
      return;
    }
    walked = join_path(walked, part);
    node = below;
  }
  std::string message = "is not a single setting; name a key in it";
  if (!node->properties.empty()) {
    message.append(", as in ").append(join_path(walked, node->properties.front().name));
  }
  problems_.add({mark, walked, std::move(message)});
}

void Collector::add_option(const std::string& option) {
  const auto mark = SourceMark::in_option("--set " + option);
  const auto equals = option.find('=');
  if (equals == std::string::npos || equals == 0) {
    problems_.add({mark, {}, "write it as section.key=value"});
    return;
  }
  const auto path = option.substr(0, equals);
  const auto text = std::string_view{option}.substr(equals + 1);
  for (const auto& leaf : schema_.leaves()) {
    if (leaf.path == path) return assign_text(*leaf.node, path, text, mark);
    if (leaf.node->is_map() && path.starts_with(leaf.path + ".")) {
      Value::Object entry;
      entry.set(path.substr(leaf.path.size() + 1), mark,
                from_text(*leaf.node->additional, text, mark));
      const Value value{std::move(entry), mark};
      problems_.append(Schema::check(*leaf.node, value, leaf.path));
      return assign(*leaf.node, leaf.path, value);
    }
  }
  refuse_path(mark, path);
}

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string{} : found->second;
}

}  // namespace

Environment environment_snapshot() {
  Environment snapshot;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = text.substr(0, equals);
    if (name.starts_with(kPrefix) || name == "XDG_CONFIG_HOME" || name == "HOME") {
      snapshot.emplace(name, text.substr(equals + 1));
    }
  }
  return snapshot;
}

std::vector<std::string> environment_names(const Schema& schema, std::string_view path) {
  const VariableNames names{schema};
  std::vector<std::string> result;
  for (const auto* separator : {"_", "__"}) {
    const auto found = names.leaves.find(upper(path, separator));
    if (found != names.leaves.end() && found->second->path == path) result.push_back(found->first);
  }
  return result;
}

std::optional<std::string> find_config_file(const SettingsInput& input) {
  if (input.config_file) return input.config_file;
  if (auto named = variable(input.environment, "SYMPHONY_CONFIG"); !named.empty()) return named;
  // The XDG specification wants relative paths to be ignored.
  auto folder = variable(input.environment, "XDG_CONFIG_HOME");
  if (!folder.starts_with('/')) {
    folder = variable(input.environment, "HOME");
    if (!folder.starts_with('/')) return std::nullopt;
    folder.append("/.config");
  }
  auto path = folder.append("/symphony/node.toml");
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return std::nullopt;
  return path;
}

Checked<Settings> combine_settings(const Schema& schema, const std::optional<Value>& file,
                                   const Environment& environment,
                                   const std::vector<std::string>& options) {
  Collector collector{schema};
  if (file) collector.add_file(*file);
  collector.add_environment(environment);
  for (const auto& option : options) collector.add_option(option);
  return std::move(collector).finish();
}

Checked<Settings> load_settings(const Schema& schema, const SettingsInput& input) {
  std::optional<Value> file;
  Problems unreadable;
  if (const auto path = find_config_file(input)) {
    auto parsed = parse_toml_file(*path);
    file = std::move(parsed.value);
    unreadable = std::move(parsed.problems);
  }
  auto result = combine_settings(schema, file, input.environment, input.options);
  if (!unreadable.empty()) {
    unreadable.append(std::move(result.problems));
    result = {std::nullopt, std::move(unreadable)};
  }
  return result;
}

}  // namespace symphony::runtime
