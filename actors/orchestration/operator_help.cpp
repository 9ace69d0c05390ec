#include "actors/orchestration/operator_help.hpp"

#include <algorithm>
#include <vector>

#include "runtime/text/suggest.hpp"

namespace symphony::actors {

namespace {

constexpr std::size_t kMaxNameColumn = 28;  // a longer name pushes its text to the next line

// `text` in lines of at most `columns`, each but the first indented. Words are never cut.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const auto space = text.find(' ');
    const auto word = text.substr(0, space);
    if (column > indent && column + 1 + word.size() > columns) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  }
  return out;
}

struct Row {
  std::string name;
  std::string text;
};

std::string table(const std::vector<Row>& rows, std::size_t columns) {
  std::size_t width = 0;
  for (const auto& row : rows) {
    if (row.name.size() <= kMaxNameColumn) width = std::max(width, row.name.size());
  }
  std::string out;
  const std::size_t indent = width + 4;
  for (const auto& row : rows) {
    out += "  " + row.name;
    if (row.name.size() > width) {
      out += "\n" + std::string(indent, ' ');
    } else {
      out += std::string(indent - 2 - row.name.size(), ' ');
    }
    out += wrapped(row.text, indent, columns) + "\n";
  }
  return out;
}

std::string argument_note(const ArgumentSpec& argument) {
  if (argument.required) return " (required)";
  if (argument.default_value.is_null()) return "";
  return " (default " + argument.default_value.dump() + ")";
}

std::string family_of(const std::string& name) { return name.substr(0, name.find('.')); }

Result<const Operator*> find_operator(const OperatorRegistry& registry, std::string_view name) {
  if (const Operator* found = registry.find(name)) return found;
  const auto names = registry.names();
  return Error{Errc::NOT_FOUND, "there is no operator " + std::string(name) +
                                    runtime::suggestion_suffix(name, names) +
                                    "; symphony operators lists them all"};
}

}  // namespace

std::string operator_help_text(const OperatorSpec& spec, int columns) {
  const auto width = static_cast<std::size_t>(std::max(columns, 40));
  std::string out = spec.name + "\n  " + wrapped(spec.summary, 2, width) + "\n";
  if (spec.pure) out += "  Pure: equal arguments give an equal result.\n";
  std::vector<Row> rows;
  for (const auto& argument : spec.arguments) {
    rows.push_back({argument.name + " " + std::string(to_string(argument.type)),
                    argument.summary + argument_note(argument)});
  }
  if (!rows.empty()) out += "\nArguments\n" + table(rows, width);
  rows.clear();
  for (const auto& result : spec.results)
    rows.push_back({result.name + " " + std::string(to_string(result.type)), result.summary});
  if (!rows.empty()) out += "\nResults\n" + table(rows, width);
  return out;
}

Json operator_help_json(const OperatorSpec& spec) {
  Json arguments = Json::array();
  for (const auto& argument : spec.arguments) {
    arguments.push_back({{"name", argument.name},
                         {"type", to_string(argument.type)},
                         {"required", argument.required},
                         {"default", argument.default_value},
                         {"summary", argument.summary}});
  }
  Json results = Json::array();
  for (const auto& result : spec.results) {
    results.push_back(
        {{"name", result.name}, {"type", to_string(result.type)}, {"summary", result.summary}});
  }
  return {{"name", spec.name},
          {"summary", spec.summary},
          {"pure", spec.pure},
          {"arguments", std::move(arguments)},
          {"results", std::move(results)}};
}

std::string operators_help_text(const OperatorRegistry& registry, int columns) {
  std::string out;
  std::string family;
  std::vector<Row> rows;
  const auto width = static_cast<std::size_t>(std::max(columns, 40));
  const auto flush = [&] {
    if (!rows.empty()) out += (out.empty() ? "" : "\n") + family + "\n" + table(rows, width);
    rows.clear();
  };
  for (const auto& name : registry.names()) {
    if (family_of(name) != family) {
      flush();
      family = family_of(name);
    }
    rows.push_back({name, registry.find(name)->spec().summary});
  }
  flush();
  return out;
}

Json operators_help_json(const OperatorRegistry& registry) {
  Json list = Json::array();
  for (const auto& name : registry.names())
    list.push_back(operator_help_json(registry.find(name)->spec()));
  return list;
}

Result<std::string> operator_help_text(const OperatorRegistry& registry, std::string_view name,
                                       int columns) {
  const auto found = find_operator(registry, name);
  if (!found) return found.error();
  return operator_help_text((*found)->spec(), columns);
}

Result<Json> operator_help_json(const OperatorRegistry& registry, std::string_view name) {
  const auto found = find_operator(registry, name);
  if (!found) return found.error();
  return operator_help_json((*found)->spec());
}

}  // namespace symphony::actors
