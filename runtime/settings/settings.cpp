#include "runtime/settings/settings.hpp"

#include <algorithm>
#include <optional>

namespace symphony::runtime {
namespace {

using Layers = std::map<std::pair<std::string, std::string>, std::vector<const Value*>>;

Setting strongest(std::string path, std::string key, const SchemaNode& node,
                  const std::vector<const Value*>& layers) {
  Setting setting{std::move(path), std::move(key), *layers.back(), node.unit};
  for (auto below = layers.rbegin() + 1; below != layers.rend(); ++below) {
    setting.overridden.push_back(**below);
  }
  return setting;
}

std::string bound(std::string_view what, const Setting& other, const Setting& setting) {
  std::string text{"must be "};
  text.append(what).append(" ").append(other.path).append(" (").append(describe(other.value));
  return text.append("), not ").append(describe(setting.value));
}

// Who changed a value is told, not who kept the default that it contradicts.
std::optional<Problem> exceeds(const Setting& setting, const Setting& limit) {
  if (setting.value.as_integer() <= limit.value.as_integer()) return std::nullopt;
  if (setting.value.mark().kind() == SourceMark::Kind::kDefault) {
    return Problem{limit.value.mark(), limit.path, bound("at least", setting, limit)};
  }
  return Problem{setting.value.mark(), setting.path, bound("at most", limit, setting)};
}

}  // namespace

Checked<Settings> Settings::merge(const Schema& schema,
                                  const std::vector<Assignment>& assignments) {
  Layers layers;
  for (const auto& leaf : schema.leaves()) {
    SYMPHONY_ASSERT(leaf.node->default_value.has_value());
    if (!leaf.node->is_map()) {
      layers[{leaf.path, ""}].push_back(&*leaf.node->default_value);
    } else {
      for (const auto& entry : leaf.node->default_value->as_object()) {
        layers[{leaf.path, entry.key}].push_back(&entry.value);
      }
    }
  }
  for (const auto& each : assignments) layers[{each.path, each.key}].push_back(&each.value);

  Settings settings;
  for (const auto& leaf : schema.leaves()) {
    const auto first = settings.all_.size();
    auto layer = layers.lower_bound({leaf.path, ""});
    for (; layer != layers.end() && layer->first.first == leaf.path; ++layer) {
      const auto& key = layer->first.second;
      const bool entry = leaf.node->is_map();
      const auto& node = entry ? *leaf.node->additional : *leaf.node;
      settings.all_.push_back(
          strongest(entry ? join_path(leaf.path, key) : leaf.path, key, node, layer->second));
    }
    if (leaf.node->is_map()) {
      settings.maps_[leaf.path] = {first, settings.all_.size()};
    } else {
      settings.index_[leaf.path] = first;
    }
  }
  Checked<Settings> result;
  for (const auto& leaf : schema.leaves()) {
    if (leaf.node->at_most.empty()) continue;
    auto problem = exceeds(settings.at(leaf.path), settings.at(leaf.node->at_most));
    if (problem) result.problems.add(std::move(*problem));
  }
  if (result.problems.empty()) result.value = std::move(settings);
  return result;
}

const Setting& Settings::at(std::string_view path) const {
  const auto found = index_.find(path);
  SYMPHONY_ASSERT(found != index_.end());
  return all_[found->second];
}

std::chrono::milliseconds Settings::get_ms(std::string_view path) const {
  const auto& setting = at(path);
  SYMPHONY_ASSERT(setting.unit == "ms");
  return std::chrono::milliseconds{setting.value.as_integer()};
}

std::uint64_t Settings::get_bytes(std::string_view path) const {
  constexpr std::string_view kUnits[] = {"bytes", "KiB", "MiB", "GiB"};
  const auto& setting = at(path);
  const auto unit = std::find(std::begin(kUnits), std::end(kUnits), setting.unit);
  SYMPHONY_ASSERT(unit != std::end(kUnits));
  const auto shift = 10 * static_cast<unsigned>(unit - std::begin(kUnits));
  const auto amount = setting.value.as_integer();
  SYMPHONY_ASSERT(amount >= 0 && amount <= (INT64_MAX >> shift));
  return static_cast<std::uint64_t>(amount) << shift;
}

const Value::Array& Settings::get_list(std::string_view path) const {
  return at(path).value.as_array();
}

std::vector<const Setting*> Settings::get_map(std::string_view path) const {
  const auto found = maps_.find(path);
  SYMPHONY_ASSERT(found != maps_.end());
  std::vector<const Setting*> entries;
  for (auto i = found->second.first; i < found->second.second; ++i) entries.push_back(&all_[i]);
  return entries;
}

SettingsSection Settings::section(std::string_view name) const { return {*this, name}; }

}  // namespace symphony::runtime
