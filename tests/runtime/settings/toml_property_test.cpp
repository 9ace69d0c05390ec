#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "runtime/settings/node_schema.hpp"
#include "runtime/settings/settings.hpp"
#include "runtime/settings/sources.hpp"
#include "runtime/settings/toml.hpp"
#include "runtime/settings/toml_write.hpp"

namespace symphony::runtime {
namespace {

// Text with everything that needs care in TOML: quotes, escapes, controls, non-ASCII.
rc::Gen<std::string> text() {
  const auto piece = rc::gen::element<std::string>("a", "Z", "7", " ", ".", "-", "_", "\"", "'",
                                                   "\\", "\n", "\t", "\r", "#", "=", "[", "\x01",
                                                   "\x7f", "ü", "→", "\xf0\x9f\x8e\xbb");
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                      [](const std::vector<std::string>& pieces) {
                        std::string joined;
                        for (const auto& each : pieces) joined += each;
                        return joined;
                      });
}

rc::Gen<Value> value_of(int depth) {
  auto scalar = rc::gen::oneOf(
      rc::gen::map(rc::gen::arbitrary<bool>(), [](bool v) { return Value{v}; }),
      rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t v) { return Value{v}; }),
      rc::gen::map(rc::gen::arbitrary<double>(), [](double v) { return Value{v}; }),
      rc::gen::map(text(), [](const std::string& v) { return Value{v}; }));
  if (depth == 0) return scalar;
  auto list = rc::gen::map(rc::gen::container<std::vector<Value>>(value_of(depth - 1)),
                           [](const std::vector<Value>& items) { return Value{items}; });
  auto table = rc::gen::map(rc::gen::container<std::vector<std::pair<std::string, Value>>>(
                                rc::gen::pair(text(), value_of(depth - 1))),
                            [](const std::vector<std::pair<std::string, Value>>& members) {
                              Value::Object object;
                              for (const auto& [key, value] : members) object.set(key, {}, value);
                              return Value{std::move(object)};
                            });
  return rc::gen::oneOf(std::move(scalar), std::move(list), std::move(table));
}

RC_GTEST_PROP(TomlProperty, WhatIsWrittenIsReadBackInValueAndOrder, ()) {
  const auto members =
      *rc::gen::resize(12, rc::gen::container<std::vector<std::pair<std::string, Value>>>(
                               rc::gen::pair(text(), value_of(2))));
  Value::Object object;
  for (const auto& [key, value] : members) object.set(key, {}, value);
  const auto document = to_toml_document(object);
  const auto read = parse_toml(document, "property.toml");
  RC_LOG() << document << read.problems.text();
  RC_ASSERT(read.ok());
  RC_ASSERT(*read.value == Value{object});
  RC_ASSERT(read.value->as_object().keys() == object.keys());
}

RC_GTEST_PROP(TomlProperty, AnyBytesAreReadOrRefusedWithAPlace, (const std::string& bytes)) {
  const auto read = parse_toml(bytes, "bytes.toml");
  RC_ASSERT(read.ok() == read.problems.empty());
  if (!read.ok()) RC_ASSERT(read.problems[0].text().starts_with("bytes.toml"));
}

RC_GTEST_PROP(SettingsProperty, EveryAllowedIntegerSurvivesEverySource, ()) {
  static const auto kSchema = load_node_schema();
  std::vector<const Schema::Leaf*> integers;
  for (const auto& leaf : kSchema.leaves()) {
    const bool bound_to_another = leaf.path.starts_with("boot.") ||
                                  leaf.path.starts_with("health.") ||
                                  leaf.path.starts_with("supervision.");
    if (leaf.node->type == SchemaNode::Type::kInteger && !bound_to_another) {
      integers.push_back(&leaf);
    }
  }
  const auto& leaf = **rc::gen::elementOf(integers);
  const auto number = *rc::gen::inRange<std::int64_t>(leaf.node->minimum->as_integer(),
                                                      leaf.node->maximum->as_integer() + 1);
  const auto text = std::to_string(number);
  const auto tree = parse_toml(leaf.path + " = " + text + "\n", "node.toml");
  RC_ASSERT(tree.ok());
  const auto variable = environment_names(kSchema, leaf.path).front();
  for (const auto& result : {combine_settings(kSchema, tree.value, {}, {}),
                             combine_settings(kSchema, {}, {{variable, text}}, {}),
                             combine_settings(kSchema, {}, {}, {leaf.path + "=" + text})}) {
    RC_ASSERT(result.ok());
    RC_ASSERT(result.value->get<std::int64_t>(leaf.path) == number);
    RC_ASSERT(result.value->at(leaf.path).overridden.size() == 1u);
  }
}

}  // namespace
}  // namespace symphony::runtime
