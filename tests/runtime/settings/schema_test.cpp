#include "runtime/settings/schema.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "embedded/node_schema.hpp"
#include "messages/json_value.hpp"
#include "runtime/settings/node_schema.hpp"
#include "runtime/settings/toml.hpp"

namespace symphony::runtime {
namespace {

// A schema whose only key `x` is described by `inner`.
std::string with_key(const std::string& inner) {
  return R"({"type":"object","additionalProperties":false,"properties":{"x":)" + inner + "}}";
}

Error refusal(const std::string& json) {
  const auto schema = Schema::load(json);
  EXPECT_FALSE(schema.ok()) << json;
  return schema.ok() ? Error{} : schema.error();
}

// What the schema `inner` of key x says of the TOML value `toml`; empty when it is content.
std::string verdict(const std::string& inner, const std::string& toml) {
  const auto schema = Schema::load(with_key(inner));
  EXPECT_TRUE(schema.ok()) << to_string(schema.error());
  const auto tree = parse_toml("x = " + toml + "\n", "f");
  EXPECT_TRUE(tree.ok()) << tree.problems.text();
  return schema->check(*tree.value).text();
}

TEST(Schema, RefusesAKeywordThatItDoesNotUnderstand) {
  const auto error = refusal(with_key(R"({"type":"integer","multipleOf":2})"));
  EXPECT_EQ(error.code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(error.field, "/properties/x/multipleOf");
  EXPECT_EQ(error.message, "schema: unsupported keyword \"multipleOf\"");
  for (const char* keyword : {"$ref", "oneOf", "const", "required", "minimun", "format"}) {
    refusal(with_key(std::string{R"({"type":"string",")"} + keyword + R"(":"a"})"));
  }
}

TEST(Schema, RefusesAKeywordWhereItMeansNothing) {
  EXPECT_EQ(refusal(with_key(R"({"type":"string","minimum":1})")).field, "/properties/x/minimum");
  EXPECT_EQ(refusal(with_key(R"({"type":"integer","pattern":"a"})")).field,
            "/properties/x/pattern");
  EXPECT_EQ(refusal(with_key(R"({"$id":"a","type":"integer"})")).field, "/properties/x/$id");
}

TEST(Schema, RefusesWhatContradictsItself) {
  refusal("{");
  refusal("[]");
  refusal(with_key(R"({"description":"no type"})"));
  refusal(with_key(R"({"type":"date"})"));
  refusal(with_key(R"({"type":["integer","string"]})"));
  refusal(with_key(R"({"type":"integer","minimum":0.5})"));
  refusal(with_key(R"({"type":"integer","default":"a"})"));
  refusal(with_key(R"({"type":"integer","minimum":1,"default":0})"));
  refusal(with_key(R"({"type":"integer","default":18446744073709551615})"));
  refusal(with_key(R"({"type":"string","pattern":"("})"));
  refusal(with_key(R"({"type":"string","enum":[]})"));
  refusal(with_key(R"({"type":"string","enum":["a"],"default":"b"})"));
  refusal(with_key(R"({"type":"array"})"));
  refusal(with_key(R"({"type":"object"})"));
  refusal(with_key(R"({"type":"object","additionalProperties":true})"));
  refusal(with_key(R"({"type":"integer","x-at-most":"y"})"));
}

TEST(Schema, RefusesNestingBeyondItsLimit) {
  std::string inner = R"({"type":"integer"})";
  for (std::size_t i = 0; i <= kMaxSchemaDepth; ++i) inner = with_key(inner);
  EXPECT_EQ(refusal(inner).message, "schema: is nested too deep");
}

TEST(Schema, ChecksEveryKeywordThatItUnderstands) {
  EXPECT_EQ(verdict(R"({"type":"boolean"})", "true"), "");
  EXPECT_EQ(verdict(R"({"type":"boolean"})", "1"), "f:1: x: must be true or false, not 1\n");
  EXPECT_EQ(verdict(R"({"type":"integer","minimum":-1,"maximum":1})", "-1"), "");
  EXPECT_EQ(verdict(R"({"type":"integer","minimum":-1})", "-2"),
            "f:1: x: must be at least -1, not -2\n");
  EXPECT_EQ(verdict(R"({"type":"number","maximum":0.5})", "1"),
            "f:1: x: must be at most 0.5, not 1\n");
  EXPECT_EQ(verdict(R"({"type":"string","minLength":2,"maxLength":3})", "'üöä'"), "");
  EXPECT_EQ(verdict(R"({"type":"string","minLength":2})", "'ü'"),
            "f:1: x: must be at least 2 characters long, not \"ü\"\n");
  EXPECT_EQ(verdict(R"({"type":"string","maxLength":3})", "'abcd'"),
            "f:1: x: must be at most 3 characters long, not \"abcd\"\n");
  EXPECT_EQ(verdict(R"({"type":"string","pattern":"^a+$"})", "'aa'"), "");
  EXPECT_EQ(verdict(R"({"type":"string","pattern":"^a+$"})", "'ab'"),
            "f:1: x: must match ^a+$, not \"ab\"\n");
  EXPECT_EQ(verdict(R"({"type":"array","items":{"type":"integer"},"maxItems":2})", "[1, 2]"), "");
  EXPECT_EQ(verdict(R"({"type":"array","items":{"type":"integer"},"maxItems":2})", "[1, 2, 3]"),
            "f:1: x: must have at most 2 items, not 3\n");
  EXPECT_EQ(verdict(R"({"type":"array","items":{"type":"integer"}})", "[1, 'a']"),
            "f:1: x[1]: must be an integer, not \"a\"\n");
  const std::string map =
      R"({"type":"object","additionalProperties":{"type":"integer"},"maxProperties":1})";
  EXPECT_EQ(verdict(map, "{a = 1}"), "");
  EXPECT_EQ(verdict(map, "{a = 1, b = 2}"), "f:1: x: must have at most 1 keys, not 2\n");
}

TEST(Schema, LongTextMatchesNoPatternInsteadOfExhaustingTheStack) {
  const auto text = "'" + std::string(kMaxPatternTextBytes + 1, 'a') + "'";
  EXPECT_NE(verdict(R"({"type":"string","pattern":"^a*$"})", text), "");
}

TEST(NodeSchema, DescribesEveryKeyWithLimitsAndADefault) {
  const auto schema = load_node_schema();
  EXPECT_GE(schema.leaves().size(), 40u);
  for (const auto& leaf : schema.leaves()) {
    EXPECT_FALSE(leaf.node->description.empty()) << leaf.path;
    EXPECT_TRUE(leaf.node->default_value.has_value()) << leaf.path;
    const bool number = leaf.node->type == SchemaNode::Type::kInteger ||
                        leaf.node->type == SchemaNode::Type::kNumber;
    EXPECT_EQ(number, leaf.node->minimum && leaf.node->maximum) << leaf.path;
    EXPECT_EQ(leaf.path.ends_with("_ms"), leaf.node->unit == "ms") << leaf.path;
  }
  for (const auto& section : schema.root().properties) {
    EXPECT_FALSE(section.node.title.empty()) << section.name;
  }
}

TEST(NodeSchema, SaysNoKeyTwice) {
  std::vector<std::set<std::string>> open;
  const auto watch = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key) {
      EXPECT_TRUE(open.back().insert(value.get<std::string>()).second) << value;
    }
    return true;
  };
  EXPECT_TRUE(Json::parse(embedded::node_schema, watch).is_object());
}

}  // namespace
}  // namespace symphony::runtime
