// What a node was told to do: one immutable tree, merged from
//
//   command line (--set a.b=value)  >  environment  >  TOML file  >  defaults of the schema
//
// Every value remembers where it came from and what it overrode. Keys, types, limits and defaults
// come from the schema (runtime/settings/schema.hpp): to add one, write it there and read it.
// Asking for a key that the schema does not have, or with another type, is a bug and ends the
// process. Thread-safe once built; views (`SettingsSection`) must not outlive the settings.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/result.hpp"
#include "runtime/settings/problems.hpp"
#include "runtime/settings/schema.hpp"
#include "runtime/settings/value.hpp"

namespace symphony::runtime {

struct Setting {
  std::string path;                    // "log.level"; an entry of a map: "log.levels./pit/pool"
  std::string key = {};                // of an entry of a map: "/pit/pool"
  Value value;                         // its mark says where it came from
  std::string unit = {};               // "ms", "MiB", …; empty when it has none
  std::vector<Value> overridden = {};  // what would hold without `value`, next best first
};

class SettingsSection;

class Settings {
 public:
  // One value from one source; `key` is the key in a map, empty elsewhere.
  struct Assignment {
    std::string path;
    std::string key;
    Value value;
  };

  // Applies `assignments` on top of the defaults, later ones over earlier ones. They must have
  // been checked; what is checked here is x-at-most, on the values that remain.
  // REQUIRES: every leaf of the schema has a default.
  static Checked<Settings> merge(const Schema& schema, const std::vector<Assignment>& assignments);

  // bool, an integer type (the value must fit it), double or std::string.
  template <class T>
  T get(std::string_view path) const {
    const auto& value = at(path).value;
    if constexpr (std::same_as<T, bool>) {
      return value.as_bool();
    } else if constexpr (std::integral<T>) {
      SYMPHONY_ASSERT(std::in_range<T>(value.as_integer()));
      return static_cast<T>(value.as_integer());
    } else if constexpr (std::same_as<T, double>) {
      return value.as_number();
    } else {
      static_assert(std::same_as<T, std::string>, "settings are bool, integer, double or text");
      return value.as_string();
    }
  }

  // REQUIRES: the unit in the schema is "ms".
  std::chrono::milliseconds get_ms(std::string_view path) const;
  // In bytes. REQUIRES: the unit in the schema is "bytes", "KiB", "MiB" or "GiB".
  std::uint64_t get_bytes(std::string_view path) const;
  // The items of a list.
  const Value::Array& get_list(std::string_view path) const;
  // The entries of a map, sorted by key; `Setting::key` is the key.
  std::vector<const Setting*> get_map(std::string_view path) const;

  // A value with its origin. REQUIRES: `path` is a key of the schema and not a map.
  const Setting& at(std::string_view path) const;

  SettingsSection section(std::string_view name) const;

  // Everything, in the order of the schema; an empty map has no element.
  const std::vector<Setting>& all() const noexcept { return all_; }

 private:
  std::vector<Setting> all_;
  std::map<std::string, std::size_t, std::less<>> index_;  // of values outside maps
  std::map<std::string, std::pair<std::size_t, std::size_t>, std::less<>> maps_;  // ranges
};

// The settings of one component: `section("log").get<std::string>("level")`.
class SettingsSection {
 public:
  // REQUIRES: `settings` outlives the section.
  SettingsSection(const Settings& settings, std::string_view name)
      : settings_(&settings), prefix_(std::string{name} + ".") {}

  template <class T>
  T get(std::string_view key) const {
    return settings_->get<T>(path(key));
  }
  std::chrono::milliseconds get_ms(std::string_view key) const {
    return settings_->get_ms(path(key));
  }
  std::uint64_t get_bytes(std::string_view key) const { return settings_->get_bytes(path(key)); }
  const Value::Array& get_list(std::string_view key) const {
    return settings_->get_list(path(key));
  }
  std::vector<const Setting*> get_map(std::string_view key) const {
    return settings_->get_map(path(key));
  }

 private:
  std::string path(std::string_view key) const { return prefix_ + std::string{key}; }

  const Settings* settings_;
  std::string prefix_;
};

}  // namespace symphony::runtime
