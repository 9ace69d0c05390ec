// The part of JSON Schema (draft 2020-12) that settings are described with, and its check on a
// marked tree.
//
// config/schema/node.schema.json is the source of truth for every key: type, limits, default and
// documentation. Schema libraries lose the places that problems have to point at, so this one
// reads the schema and walks the tree itself.
//
// Understood are: $schema, $id, title, description, default, type (one of boolean, integer,
// number, string, array, object), enum (of text), minimum, maximum, minLength, maxLength, pattern
// (ECMAScript), items, maxItems, properties, additionalProperties (false or a schema),
// maxProperties; and the annotations
//   x-unit     unit of a number: "ms", "bytes", "KiB", "MiB", "GiB"
//   x-form     what `pattern` means, in words for people
//   x-at-most  path of another integer that must not be smaller than this one
// Any other keyword, or one where it means nothing, is an error of the schema: nothing that is
// written there is ever ignored. Stricter than the standard: 5.0 is not an integer, numbers are
// finite, an object says what may be in it, text is at most kMaxTextBytes long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/result.hpp"
#include "runtime/settings/problems.hpp"
#include "runtime/settings/value.hpp"

namespace symphony::runtime {

inline constexpr std::size_t kMaxSchemaDepth = 16;
inline constexpr std::size_t kMaxTextBytes = 64 * 1024;
// std::regex recurses once for each character; longer text does not match any pattern.
inline constexpr std::size_t kMaxPatternTextBytes = 1024;

struct SchemaNode {
  enum class Type : std::uint8_t { kBoolean, kInteger, kNumber, kString, kArray, kObject };
  struct Property;

  SchemaNode();
  SchemaNode(SchemaNode&&) noexcept;
  SchemaNode& operator=(SchemaNode&&) noexcept;
  ~SchemaNode();

  Type type = Type::kObject;
  std::string title;
  std::string description;
  std::string unit;
  std::string form;
  std::string at_most;
  std::optional<Value> default_value;
  std::optional<Value> minimum;
  std::optional<Value> maximum;
  std::optional<std::size_t> min_length;  // in code points
  std::optional<std::size_t> max_length;
  std::optional<std::size_t> max_items;
  std::optional<std::size_t> max_properties;
  std::string pattern;
  std::vector<std::string> allowed;
  std::vector<Property> properties;        // in the order of the schema
  std::unique_ptr<SchemaNode> additional;  // what keys not in `properties` hold; null: forbidden
  std::unique_ptr<SchemaNode> items;

  // An object with a fixed list of keys, as opposed to a value or a map.
  bool is_section() const noexcept { return type == Type::kObject && !additional; }
  bool is_map() const noexcept { return type == Type::kObject && additional != nullptr; }
  const SchemaNode* find(std::string_view key) const;
};

struct SchemaNode::Property {
  std::string name;
  SchemaNode node;
};

// Immutable once loaded: thread-safe.
class Schema {
 public:
  struct Leaf {
    std::string path;  // "log.level"
    const SchemaNode* node = nullptr;
  };

  // Errc::INVALID_ARGUMENT with the place in `field` ("/properties/log/minimun").
  static Result<Schema> load(std::string_view json);

  const SchemaNode& root() const noexcept { return *root_; }
  // Every path that holds a value or a map, in the order of the schema.
  const std::vector<Leaf>& leaves() const noexcept { return leaves_; }
  const SchemaNode* find_leaf(std::string_view path) const;

  // All problems of a tree, in the order of the tree. x-at-most is not looked at: it concerns
  // values that may come from different sources.
  Problems check(const Value& tree) const;

  // All problems of one value at `path`.
  static Problems check(const SchemaNode& node, const Value& value, const std::string& path);

  // What to tell who wrote `key` in the section at `section_path`, where no such key is.
  Problem unknown_key(const SourceMark& mark, std::string_view section_path,
                      std::string_view key) const;

 private:
  Schema() = default;

  std::unique_ptr<SchemaNode> root_;  // on the heap, so that leaves may point into it
  std::vector<Leaf> leaves_;
};

// "an integer", "text", "a table", …
std::string_view describe(SchemaNode::Type type) noexcept;

}  // namespace symphony::runtime
