#include <algorithm>
#include <cctype>
#include <memory>
#include <unordered_set>

#include "actors/orchestration/melody/melody.hpp"
#include "actors/orchestration/melody/table_reader.hpp"
#include "runtime/settings/toml.hpp"
#include "runtime/text/suggest.hpp"

namespace symphony::actors {
namespace {

using runtime::join_path;
using runtime::Problems;
using runtime::SourceMark;
using runtime::Value;
using runtime::ValueObject;

constexpr ValueType kTypes[] = {ValueType::any,     ValueType::text,   ValueType::path,
                                ValueType::integer, ValueType::number, ValueType::boolean,
                                ValueType::list,    ValueType::object};

class MelodyParser {
 public:
  explicit MelodyParser(Problems& problems) : problems_(problems) {}

  Melody parse(const Value& root) {
    Melody melody;
    melody.mark = root.mark();
    TableReader reader(root, "", problems_);
    melody.name = reader.text("name").value_or("");
    if (reader.has("name") && reader.is_text("name") && !is_melody_name(melody.name)) {
      bad_name(reader.mark("name"), "name", melody.name);
    }
    if (!reader.has("name")) reader.missing("name", "write name = \"…\" at the top of the file");
    melody.version = reader.text("version").value_or("");
    if (!reader.has("version")) {
      reader.missing("version", "write version = \"1\" at the top of the file");
    }
    melody.description = reader.text("description").value_or("");
    parse_environment(reader, "", melody.environment);
    parse_inputs(reader, melody);
    parse_nodes(reader, melody);
    parse_outputs(reader, melody);
    reader.refuse_unknown_keys();
    return melody;
  }

 private:
  void bad_name(const SourceMark& mark, const std::string& path, const std::string& name) {
    problems_.add({mark, path,
                   "\"" + runtime::printable(name, runtime::kMaxShownValueBytes) +
                       "\" is no name: use letters, digits, _ and -, first a letter, at most " +
                       std::to_string(kMaxNameBytes)});
  }

  bool too_many(const ValueObject& table, std::size_t limit, const std::string& path) {
    if (table.size() <= limit) return false;
    problems_.add({(table.begin() + limit)->key_mark, path,
                   "there are " + std::to_string(table.size()) + " entries, at most " +
                       std::to_string(limit) + " are allowed"});
    return true;
  }

  void parse_inputs(TableReader& reader, Melody& melody) {
    const ValueObject* inputs = reader.table("inputs");
    if (inputs == nullptr || too_many(*inputs, kMaxMelodyInputs, "inputs")) return;
    for (const auto& [name, mark, value] : *inputs) {
      const std::string path = join_path("inputs", name);
      if (!is_melody_name(name)) bad_name(mark, path, name);
      if (!value.is_object()) {
        problems_.add(
            {mark, path, "an input is a table: write [" + path + "] and type = \"…\" below it"});
        melody.inputs.push_back({name, ValueType::any, false, nullptr, "", mark});
        continue;
      }
      melody.inputs.push_back(parse_input(name, mark, path, value));
    }
  }

  MelodyInput parse_input(const std::string& name, const SourceMark& mark, const std::string& path,
                          const Value& value) {
    MelodyInput input;
    input.name = name;
    input.mark = mark;
    TableReader reader(value, path, problems_);
    bool typed = true;
    if (const auto type = reader.text("type")) {
      if (const auto known = value_type_named(*type)) {
        input.type = *known;
      } else {
        std::vector<std::string> names;
        for (const ValueType known_type : kTypes) names.emplace_back(to_string(known_type));
        problems_.add({reader.mark("type"), join_path(path, "type"),
                       "\"" + runtime::printable(*type, runtime::kMaxShownValueBytes) +
                           "\" is no type: use text, path, integer, number, boolean, list, object "
                           "or any",
                       runtime::suggest(*type, names).value_or("")});
        typed = false;
      }
    } else {
      typed = !reader.has("type");
    }
    input.description = reader.text("description").value_or("");
    const auto required = reader.boolean("required");
    const Value* fallback = reader.value("default");
    input.required = required.value_or(fallback == nullptr);
    if (!typed) input.type = ValueType::any;
    if (fallback != nullptr) parse_default(input, path, *fallback, required.value_or(false));
    reader.refuse_unknown_keys();
    return input;
  }

  void parse_default(MelodyInput& input, const std::string& path, const Value& value,
                     bool required) {
    const std::string default_path = join_path(path, "default");
    const std::size_t before = problems_.size();
    const Binding read = read_binding(value, default_path, problems_);
    if (problems_.size() != before) return;
    if (!read.is_literal()) {
      problems_.add({value.mark(), default_path,
                     "a default cannot refer to anything; write $${ for a literal ${"});
    } else if (!is_of_type(read.literal(), input.type)) {
      problems_.add({value.mark(), default_path,
                     "the input is declared as " + std::string(to_string(input.type)) +
                         ", its default is " + describe(value)});
    } else if (required) {
      problems_.add({value.mark(), default_path,
                     "an input with a default is not required; remove one of the two"});
    }
    if (read.is_literal()) input.default_value = read.literal();
  }

  void parse_nodes(TableReader& reader, Melody& melody) {
    const ValueObject* nodes = reader.table("nodes");
    if (nodes == nullptr || nodes->empty()) {
      if (nodes != nullptr || !reader.has("nodes")) {
        reader.missing("nodes",
                       "a melody has at least one node: write [nodes.NAME] and use = "
                       "\"OPERATOR\" below it");
      }
      return;
    }
    if (too_many(*nodes, kMaxMelodyNodes, "nodes")) return;
    melody.nodes.reserve(nodes->size());
    for (const auto& [name, mark, value] : *nodes) {
      const std::string path = join_path("nodes", name);
      if (!is_melody_name(name)) bad_name(mark, path, name);
      MelodyNode node;
      node.name = name;
      node.mark = mark;
      if (value.is_object()) {
        parse_node(node, path, value);
      } else {
        problems_.add(
            {mark, path, "a node is a table: write [" + path + "] and use = \"…\" below it"});
      }
      melody.nodes.push_back(std::move(node));
    }
  }

  void parse_node(MelodyNode& node, const std::string& path, const Value& value) {
    TableReader reader(value, path, problems_);
    if (const auto use = reader.text("use")) {
      node.use = *use;
      node.use_mark = reader.mark("use");
      if (use->empty()) reader.problem("use", "names no operator");
    } else if (!reader.has("use")) {
      problems_.add({node.mark, path, "the node names no operator: write use = \"OPERATOR\""});
    }
    if (const ValueObject* arguments = reader.table("with")) {
      for (const auto& [name, mark, argument] : *arguments) {
        const std::size_t before = problems_.size();
        Binding read = read_binding(argument, join_path(join_path(path, "with"), name), problems_);
        if (problems_.size() == before) {
          node.arguments.push_back({name, std::move(read), mark});
        } else {
          node.broken_arguments.push_back(name);
        }
      }
    }
    parse_needs(reader, node, path);
    if (const Value* map = reader.value("map")) {
      const std::size_t before = problems_.size();
      Binding read = read_binding(*map, join_path(path, "map"), problems_);
      // A map that cannot be read still makes ${item} known.
      node.map = problems_.size() == before ? std::move(read) : Binding(Json::array(), map->mark());
    }
    parse_when(reader, node);
    parse_policy(reader, node.policy, path);
    parse_environment(reader, path, node.environment);
    reader.refuse_unknown_keys();
  }

  void parse_needs(TableReader& reader, MelodyNode& node, const std::string& path) {
    const Value* needs = reader.list("needs");
    if (needs == nullptr) return;
    std::unordered_set<std::string_view> seen;
    std::size_t position = 0;
    for (const Value& need : needs->as_array()) {
      const std::string need_path = join_path(join_path(path, "needs"), position++);
      if (!need.is_string()) {
        problems_.add(
            {need.mark(), need_path, "should be the name of a node, is " + describe(need)});
      } else if (!seen.insert(need.as_string()).second) {
        problems_.add({need.mark(), need_path,
                       "\"" + runtime::printable(need.as_string(), runtime::kMaxShownValueBytes) +
                           "\" is listed twice; remove one"});
      } else {
        node.needs.push_back({need.as_string(), need.mark()});
      }
    }
  }

  void parse_when(TableReader& reader, MelodyNode& node) {
    const Value* when = reader.value("when");
    if (when == nullptr) return;
    node.when_mark = when->mark();
    if (when->is_bool()) {
      node.when = *parse_condition(when->as_bool() ? "true" : "false");
      return;
    }
    if (!when->is_string()) {
      reader.problem("when", "should be a condition in quotes, is " + describe(*when));
      return;
    }
    auto parsed = parse_condition(when->as_string());
    if (parsed) {
      node.when = std::move(parsed).value();
    } else {
      reader.problem("when", "is no condition: " + parsed.error().message);
    }
  }

  bool is_variable(const std::string& name, const SourceMark& mark, const std::string& path) {
    const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
    if (!name.empty() && name.size() <= kMaxNameBytes &&
        std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
        std::all_of(name.begin(), name.end(), plain))
      return true;
    problems_.add({mark, path,
                   "\"" + runtime::printable(name, runtime::kMaxShownValueBytes) +
                       "\" cannot name a variable: use letters, digits and _, first no digit"});
    return false;
  }

  void parse_environment(TableReader& reader, const std::string& path, MelodyEnvironment& out) {
    if (const ValueObject* set = reader.table("env");
        set != nullptr && !too_many(*set, kMaxMelodyVariables, join_path(path, "env"))) {
      for (const auto& [name, mark, value] : *set) {
        const std::string at = join_path(join_path(path, "env"), name);
        if (!is_variable(name, mark, at)) continue;
        if (!value.is_string()) {
          problems_.add({value.mark(), at, "should be text in quotes, is " + describe(value)});
        } else if (value.as_string().find('\0') != std::string::npos) {
          problems_.add({value.mark(), at, "holds a zero byte, which no variable can"});
        } else if (value.as_string().find("${") != std::string::npos) {
          problems_.add({value.mark(), at,
                         "is taken as it is, without references: those may stand in the argument "
                         "`environment` of process.run"});
        } else {
          out.set.emplace_back(name, value.as_string());
        }
      }
    }
    parse_passed(reader, path, out);
  }

  void parse_passed(TableReader& reader, const std::string& path, MelodyEnvironment& out) {
    const Value* passed = reader.list("pass_env");
    if (passed == nullptr) return;
    if (passed->as_array().size() > kMaxMelodyVariables)
      return reader.problem(
          "pass_env", "names more than " + std::to_string(kMaxMelodyVariables) + " variables");
    std::size_t position = 0;
    for (const Value& name : passed->as_array()) {
      const std::string at = join_path(join_path(path, "pass_env"), position++);
      if (!name.is_string()) {
        problems_.add({name.mark(), at, "should be the name of a variable, is " + describe(name)});
      } else if (is_variable(name.as_string(), name.mark(), at)) {
        const auto same = [&](const auto& pair) { return pair.first == name.as_string(); };
        if (std::any_of(out.set.begin(), out.set.end(), same))
          problems_.add(
              {name.mark(), at, name.as_string() + " is set by env as well; keep one of the two"});
        out.passed.push_back({name.as_string(), name.mark()});
      }
    }
  }

  void parse_policy(TableReader& reader, NodePolicy& policy, const std::string& path) {
    if (const Value* retry = reader.value("retry")) {
      if (retry->is_object()) {
        TableReader inner(*retry, join_path(path, "retry"), problems_);
        NodeRetry& out = policy.retry;
        read_number(inner, "attempts", 1, kMaxNodeAttempts, out.attempts);
        read_number(inner, "backoff_ms", 0, kMaxNodeBackoffMs, out.backoff_ms);
        out.max_backoff_ms = std::max(out.max_backoff_ms, out.backoff_ms);
        read_number(inner, "max_backoff_ms", 0, kMaxNodeBackoffMs, out.max_backoff_ms);
        if (out.max_backoff_ms < out.backoff_ms) {
          inner.problem("max_backoff_ms", "is below backoff_ms, " + std::to_string(out.backoff_ms));
        }
        inner.refuse_unknown_keys();
      } else {
        reader.problem("retry", "should be a table like { attempts = 3, backoff_ms = 100 }, is " +
                                    describe(*retry));
      }
    }
    read_number(reader, "timeout_ms", 1, kMaxNodeTimeoutMs, policy.timeout_ms);
    read_number(reader, "cores", 1, kMaxNodeCores, policy.cores);
    read_number(reader, "memory_mb", 0, kMaxNodeMemoryMb, policy.memory_mb);
    read_number(reader, "priority", -kMaxNodePriority, kMaxNodePriority, policy.priority);
  }

  template <class Number>
  static void read_number(TableReader& reader, std::string_view key, std::int64_t min,
                          std::int64_t max, Number& out) {
    if (const auto number = reader.integer(key, min, max)) out = static_cast<Number>(*number);
  }

  void parse_outputs(TableReader& reader, Melody& melody) {
    const ValueObject* outputs = reader.table("outputs");
    if (outputs == nullptr || too_many(*outputs, kMaxMelodyOutputs, "outputs")) return;
    for (const auto& [name, mark, value] : *outputs) {
      const std::string path = join_path("outputs", name);
      if (!is_melody_name(name)) bad_name(mark, path, name);
      const std::size_t before = problems_.size();
      Binding read = read_binding(value, path, problems_);
      if (problems_.size() != before) continue;
      bool refers = false;
      read.visit([&](const Reference&, const SourceMark&) { refers = true; });
      if (!refers) {
        problems_.add(
            {value.mark(), path, "the output refers to nothing: write \"${nodes.NODE.RESULT}\""});
      }
      melody.outputs.push_back({name, std::move(read), mark});
    }
  }

  Problems& problems_;
};

}  // namespace

bool is_melody_name(std::string_view name) noexcept {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && name.size() <= kMaxNameBytes && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

std::optional<ValueType> value_type_named(std::string_view name) noexcept {
  for (const ValueType type : kTypes) {
    if (to_string(type) == name) return type;
  }
  return std::nullopt;
}

ParsedMelody parse_melody(std::string_view text, std::string_view file) {
  ParsedMelody parsed;
  const auto name = std::make_shared<const std::string>(file);
  parsed.melody.mark = SourceMark::in_file(name, 0, 0);
  if (text.size() > kMaxMelodyBytes) {
    parsed.problems.add({parsed.melody.mark, "",
                         "a melody is at most " + std::to_string(kMaxMelodyBytes) +
                             " bytes long, this one has " + std::to_string(text.size())});
    return parsed;
  }
  auto read = runtime::parse_toml(text, file);
  if (!read.ok()) {
    parsed.problems = std::move(read.problems);
    return parsed;
  }
  parsed.melody = MelodyParser(parsed.problems).parse(*read.value);
  parsed.melody.mark = SourceMark::in_file(name, 1, 1);
  return parsed;
}

}  // namespace symphony::actors
