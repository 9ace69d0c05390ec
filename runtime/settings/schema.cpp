#include "runtime/settings/schema.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <nlohmann/json.hpp>
#include <regex>
#include <utility>

#include "runtime/settings/value_json.hpp"

namespace symphony::runtime {
namespace {

using OrderedJson = nlohmann::ordered_json;  // the order of keys is the order of the docs
using Type = SchemaNode::Type;

constexpr std::array<std::pair<std::string_view, Type>, 6> kTypes{{{"boolean", Type::kBoolean},
                                                                   {"integer", Type::kInteger},
                                                                   {"number", Type::kNumber},
                                                                   {"string", Type::kString},
                                                                   {"array", Type::kArray},
                                                                   {"object", Type::kObject}}};

Status fault(const std::string& place, std::string message) {
  return Error{Errc::INVALID_ARGUMENT, "schema: " + std::move(message), place};
}

Status read_text(const OrderedJson& json, const std::string& place, std::string& into) {
  if (!json.is_string()) return fault(place, "must be text");
  into = json.get<std::string>();
  return {};
}

Status read_size(const OrderedJson& json, const std::string& place,
                 std::optional<std::size_t>& into) {
  if (!json.is_number_unsigned()) return fault(place, "must be an integer, 0 or more");
  into = json.get<std::size_t>();
  return {};
}

Status read_value(const OrderedJson& json, const std::string& place, std::optional<Value>& into) {
  auto value = to_value(Json::parse(json.dump()), SourceMark{});
  if (!value) return fault(place, value.error().message);
  into = std::move(*value);
  return {};
}

Status read_bound(const OrderedJson& json, const std::string& place, Type type,
                  std::optional<Value>& into) {
  if (type == Type::kInteger ? !json.is_number_integer() : !json.is_number()) {
    return fault(place, "must be of the type that it limits");
  }
  return read_value(json, place, into);
}

Status read_pattern(const OrderedJson& json, const std::string& place, std::string& into) {
  if (auto status = read_text(json, place, into); !status) return status;
  try {
    const std::regex compiled{into, std::regex::ECMAScript};
  } catch (const std::regex_error& error) {
    return fault(place, std::string{"is not a pattern: "} + error.what());
  }
  return {};
}

Status read_enum(const OrderedJson& json, const std::string& place,
                 std::vector<std::string>& into) {
  if (!json.is_array() || json.empty()) return fault(place, "must be a list of text");
  for (const auto& item : json) {
    if (!item.is_string()) return fault(place, "must be a list of text");
    into.push_back(item.get<std::string>());
  }
  return {};
}

Status read_node(const OrderedJson& json, const std::string& place, std::size_t depth,
                 SchemaNode& node);

Status read_child(const OrderedJson& json, const std::string& place, std::size_t depth,
                  std::unique_ptr<SchemaNode>& into) {
  into = std::make_unique<SchemaNode>();
  return read_node(json, place, depth + 1, *into);
}

Status read_properties(const OrderedJson& json, const std::string& place, std::size_t depth,
                       SchemaNode& node) {
  if (!json.is_object()) return fault(place, "must be an object");
  for (const auto& [name, child] : json.items()) {
    SchemaNode::Property property{name, {}};
    if (auto status = read_node(child, place + "/" + name, depth + 1, property.node); !status) {
      return status;
    }
    node.properties.push_back(std::move(property));
  }
  return {};
}

using Types = std::initializer_list<Type>;

// One keyword: what it applies to and how it is read.
struct Keyword {
  std::string_view name;
  Types applies;
  std::function<Status(const OrderedJson&, const std::string&, std::size_t, SchemaNode&)> read;
};

const std::vector<Keyword>& keywords() {
  static constexpr Types kAll{Type::kBoolean, Type::kInteger, Type::kNumber,
                              Type::kString,  Type::kArray,   Type::kObject};
  static constexpr Types kNumeric{Type::kInteger, Type::kNumber};
  static constexpr Types kInteger{Type::kInteger};
  static constexpr Types kString{Type::kString};
  static constexpr Types kArray{Type::kArray};
  static constexpr Types kObject{Type::kObject};
  static const std::vector<Keyword> kKeywords{
      {"type", kAll, [](auto&, auto&, auto, auto&) { return Status{}; }},
      {"title", kAll, [](auto& j, auto& p, auto, auto& n) { return read_text(j, p, n.title); }},
      {"description", kAll,
       [](auto& j, auto& p, auto, auto& n) { return read_text(j, p, n.description); }},
      {"default", kAll,
       [](auto& j, auto& p, auto, auto& n) { return read_value(j, p, n.default_value); }},
      {"minimum", kNumeric,
       [](auto& j, auto& p, auto, auto& n) { return read_bound(j, p, n.type, n.minimum); }},
      {"maximum", kNumeric,
       [](auto& j, auto& p, auto, auto& n) { return read_bound(j, p, n.type, n.maximum); }},
      {"x-unit", kNumeric, [](auto& j, auto& p, auto, auto& n) { return read_text(j, p, n.unit); }},
      {"x-at-most", kInteger,
       [](auto& j, auto& p, auto, auto& n) { return read_text(j, p, n.at_most); }},
      {"enum", kString, [](auto& j, auto& p, auto, auto& n) { return read_enum(j, p, n.allowed); }},
      {"pattern", kString,
       [](auto& j, auto& p, auto, auto& n) { return read_pattern(j, p, n.pattern); }},
      {"x-form", kString, [](auto& j, auto& p, auto, auto& n) { return read_text(j, p, n.form); }},
      {"minLength", kString,
       [](auto& j, auto& p, auto, auto& n) { return read_size(j, p, n.min_length); }},
      {"maxLength", kString,
       [](auto& j, auto& p, auto, auto& n) { return read_size(j, p, n.max_length); }},
      {"items", kArray,
       [](auto& j, auto& p, auto d, auto& n) { return read_child(j, p, d, n.items); }},
      {"maxItems", kArray,
       [](auto& j, auto& p, auto, auto& n) { return read_size(j, p, n.max_items); }},
      {"properties", kObject,
       [](auto& j, auto& p, auto d, auto& n) { return read_properties(j, p, d, n); }},
      {"additionalProperties", kObject,
       [](auto& j, auto& p, auto d, auto& n) {
         const bool forbidden = j.is_boolean() && !j.template get<bool>();
         return forbidden ? Status{} : read_child(j, p, d, n.additional);
       }},
      {"maxProperties", kObject,
       [](auto& j, auto& p, auto, auto& n) { return read_size(j, p, n.max_properties); }},
  };
  return kKeywords;
}

Status read_type(const OrderedJson& json, const std::string& place, Type& into) {
  const auto found = json.find("type");
  if (found == json.end() || !found->is_string()) {
    return fault(place, "needs one \"type\"");
  }
  const auto name = found->get<std::string>();
  const auto type = std::find_if(kTypes.begin(), kTypes.end(),
                                 [&](const auto& known) { return known.first == name; });
  if (type == kTypes.end()) return fault(place + "/type", "unknown type \"" + name + "\"");
  into = type->second;
  return {};
}

Status check_whole(const OrderedJson& json, const std::string& place, const SchemaNode& node) {
  if (node.type == Type::kObject) {
    if (!json.contains("additionalProperties")) {
      return fault(place, "an object needs \"additionalProperties\"");
    }
    if (node.additional && !node.properties.empty()) {
      return fault(place, "either \"properties\" or free keys, not both");
    }
  }
  if (node.type == Type::kArray && !node.items) return fault(place, "an array needs \"items\"");
  if (node.default_value) {
    const auto problems = Schema::check(node, *node.default_value, {});
    if (!problems.empty()) return fault(place + "/default", problems[0].message);
  }
  return {};
}

Status read_node(const OrderedJson& json, const std::string& place, std::size_t depth,
                 SchemaNode& node) {
  if (depth > kMaxSchemaDepth) return fault(place, "is nested too deep");
  if (!json.is_object()) return fault(place, "must be an object");
  if (auto status = read_type(json, place, node.type); !status) return status;
  for (const auto& item : json.items()) {
    const auto& name = item.key();
    const auto& content = item.value();
    if (depth == 0 && (name == "$schema" || name == "$id")) continue;
    const auto& known = keywords();
    const auto keyword = std::find_if(known.begin(), known.end(),
                                      [&](const auto& each) { return each.name == name; });
    const auto here = place + "/" + name;
    if (keyword == known.end()) return fault(here, "unsupported keyword \"" + name + "\"");
    if (std::find(keyword->applies.begin(), keyword->applies.end(), node.type) ==
        keyword->applies.end()) {
      return fault(here, "\"" + name + "\" means nothing for this type");
    }
    if (auto status = keyword->read(content, here, depth, node); !status) return status;
  }
  return check_whole(json, place, node);
}

void collect_leaves(const SchemaNode& node, const std::string& path,
                    std::vector<Schema::Leaf>& leaves) {
  for (const auto& property : node.properties) {
    auto below = path.empty() ? property.name : path + "." + property.name;
    if (property.node.is_section()) {
      collect_leaves(property.node, below, leaves);
    } else {
      leaves.push_back({std::move(below), &property.node});
    }
  }
}

}  // namespace

SchemaNode::SchemaNode() = default;
SchemaNode::SchemaNode(SchemaNode&&) noexcept = default;
SchemaNode& SchemaNode::operator=(SchemaNode&&) noexcept = default;
SchemaNode::~SchemaNode() = default;

const SchemaNode* SchemaNode::find(std::string_view key) const {
  const auto found = std::find_if(properties.begin(), properties.end(),
                                  [key](const auto& property) { return property.name == key; });
  return found == properties.end() ? nullptr : &found->node;
}

Result<Schema> Schema::load(std::string_view json) {
  const auto document = OrderedJson::parse(json, nullptr, false);
  if (document.is_discarded()) return Error{Errc::INVALID_ARGUMENT, "schema: is not JSON"};
  Schema schema;
  schema.root_ = std::make_unique<SchemaNode>();
  if (auto status = read_node(document, "", 0, *schema.root_); !status) return status.error();
  collect_leaves(*schema.root_, {}, schema.leaves_);
  for (const auto& leaf : schema.leaves_) {
    if (leaf.node->at_most.empty()) continue;
    const auto* other = schema.find_leaf(leaf.node->at_most);
    if (other == nullptr || other->type != Type::kInteger) {
      return fault(leaf.path, "x-at-most must name an integer").error();
    }
  }
  return schema;
}

const SchemaNode* Schema::find_leaf(std::string_view path) const {
  const auto found = std::find_if(leaves_.begin(), leaves_.end(),
                                  [path](const Leaf& leaf) { return leaf.path == path; });
  return found == leaves_.end() ? nullptr : found->node;
}

std::string_view describe(SchemaNode::Type type) noexcept {
  switch (type) {
    case Type::kBoolean:
      return "true or false";
    case Type::kInteger:
      return "an integer";
    case Type::kNumber:
      return "a number";
    case Type::kString:
      return "text";
    case Type::kArray:
      return "a list";
    case Type::kObject:
      return "a table";
  }
  return {};
}

}  // namespace symphony::runtime
