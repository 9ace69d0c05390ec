#include "runtime/settings/report.hpp"

#include <algorithm>
#include <optional>

#include "runtime/settings/toml_write.hpp"
#include "runtime/settings/value_json.hpp"

namespace symphony::runtime {
namespace {

constexpr std::size_t kMaxColumnWidth = 40;

// As in a TOML file, where that fits on one line of a terminal.
std::string shown(const Value& value) {
  if (value.is_string() || value.is_object()) return describe(value);
  return printable(to_toml(value), kMaxShownPathBytes);
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text.append("  ");
}

std::string origin(const Setting& setting) {
  auto text = setting.value.mark().text();
  for (const auto& other : setting.overridden) {
    text.append(&other == &setting.overridden.front() ? " (over " : ", ");
    text.append(shown(other)).append(" from ").append(other.mark().text());
  }
  return setting.overridden.empty() ? text : text.append(")");
}

struct Row {
  std::string key;
  std::string value;
  std::string origin;
};

std::string table(const std::vector<Row>& rows) {
  std::size_t key_width = 0;
  std::size_t value_width = 0;
  for (const auto& row : rows) {
    key_width = std::max(key_width, std::min(row.key.size(), kMaxColumnWidth));
    value_width = std::max(value_width, std::min(row.value.size(), kMaxColumnWidth));
  }
  std::string text;
  for (const auto& row : rows) {
    text.append(padded(row.key, key_width)).append(padded(row.value, value_width));
    text.append(row.origin).append("\n");
  }
  return text;
}

std::string show_text(const Schema& schema, const Settings& settings,
                      const std::optional<std::string>& file) {
  std::vector<Row> rows{{"KEY", "VALUE", "FROM"}};
  const auto add = [&](const Setting& setting) {
    auto value = shown(setting.value);
    if (!setting.unit.empty()) value.append(" ").append(setting.unit);
    rows.push_back({setting.path, std::move(value), origin(setting)});
  };
  for (const auto& leaf : schema.leaves()) {
    if (!leaf.node->is_map()) {
      add(settings.at(leaf.path));
      continue;
    }
    const auto entries = settings.get_map(leaf.path);
    if (entries.empty()) rows.push_back({leaf.path, "{}", "default"});
    for (const auto* entry : entries) add(*entry);
  }
  return "file: " + (file ? printable(*file, kMaxShownPathBytes) : "none") + "\n\n" + table(rows);
}

Json origin_json(const SourceMark& mark) {
  constexpr const char* kKinds[] = {"default", "file", "environment", "option"};
  Json json{{"kind", kKinds[static_cast<std::size_t>(mark.kind())]}};
  if (!mark.name().empty()) json["name"] = mark.name();
  if (mark.line() > 0) json["line"] = mark.line();
  return json;
}

std::string show_json(const Settings& settings, const std::optional<std::string>& file) {
  auto all = Json::object();
  for (const auto& setting : settings.all()) {
    auto overrode = Json::array();
    for (const auto& other : setting.overridden) {
      overrode.push_back({{"value", to_json(other)}, {"origin", origin_json(other.mark())}});
    }
    auto& json = all[setting.path];
    json = {{"value", to_json(setting.value)},
            {"origin", origin_json(setting.value.mark())},
            {"overrode", std::move(overrode)}};
    if (!setting.unit.empty()) json["unit"] = setting.unit;
  }
  const Json document{{"file", file ? Json(*file) : Json(nullptr)}, {"settings", std::move(all)}};
  // Paths may hold any bytes; JSON may not.
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void append_comment(std::string& text, std::string_view words, std::string_view more) {
  text.append("# ").append(words).append(more).append("\n");
}

std::string limits(const SchemaNode& node) {
  std::string text;
  const auto part = [&](std::string_view words) {
    text.append(text.empty() ? " (" : ", ").append(words);
  };
  if (node.minimum && node.maximum) {
    const auto unit = node.unit.empty() ? "" : " " + node.unit;
    part(to_toml(*node.minimum) + " to " + to_toml(*node.maximum) + unit);
  }
  if (!node.form.empty()) part(node.form);
  std::string words;
  for (const auto& word : node.allowed) words.append(words.empty() ? "" : " | ").append(word);
  if (!words.empty()) part(words);
  return text.empty() ? text : text.append(")");
}

void append_section(std::string& text, const SchemaNode& section, const std::string& path) {
  const auto is_table = [](const auto& property) {
    return property.node.is_section() || property.node.is_map();
  };
  if (!path.empty()) {
    text.append("\n");
    if (!section.title.empty()) append_comment(text, section.title, "");
    if (section.is_map()) append_comment(text, section.description, limits(*section.additional));
    text.append("[").append(path).append("]\n");
  }
  if (section.is_map()) {
    if (section.default_value) text.append(to_toml_document(section.default_value->as_object()));
    return;
  }
  for (const auto& property : section.properties) {
    if (is_table(property)) continue;
    append_comment(text, property.node.description, limits(property.node));
    text.append(toml_key(property.name)).append(" = ");
    text.append(to_toml(*property.node.default_value)).append("\n");
  }
  for (const auto& property : section.properties) {
    if (!is_table(property)) continue;
    const auto name = toml_key(property.name);
    append_section(text, property.node, path.empty() ? name : path + "." + name);
  }
}

}  // namespace

ConfigReport check_config(const Schema& schema, const SettingsInput& input) {
  const auto loaded = load_settings(schema, input);
  if (!loaded.ok()) return {{}, loaded.problems.text(), kExitBadSettings};
  const auto file = find_config_file(input);
  return {(file ? printable(*file, kMaxShownPathBytes) : "settings (no file)") + ": no problems\n",
          {},
          0};
}

ConfigReport show_config(const Schema& schema, const SettingsInput& input, bool json) {
  const auto loaded = load_settings(schema, input);
  if (!loaded.ok()) return {{}, loaded.problems.text(), kExitBadSettings};
  const auto file = find_config_file(input);
  return {json ? show_json(*loaded.value, file) : show_text(schema, *loaded.value, file), {}, 0};
}

std::string sample_config(const Schema& schema) {
  std::string text =
      "# Settings of a Symphony node: every key with its default. Keep what you change.\n"
      "# Stronger than this file: the environment (log.level is SYMPHONY_LOG_LEVEL) and, "
      "strongest,\n"
      "# the command line (--set log.level=debug). `symphony config check FILE` finds mistakes,\n"
      "# `symphony config show` says what holds and why.\n";
  append_section(text, schema.root(), {});
  return text;
}

}  // namespace symphony::runtime
