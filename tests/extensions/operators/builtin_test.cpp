#include <gtest/gtest.h>

#include <set>

#include "actors/orchestration/operator_help.hpp"
#include "extensions/operators/operators.hpp"

namespace symphony::extensions {
namespace {

actors::OperatorRegistry all_operators() {
  actors::OperatorRegistry registry;
  add_builtin_operators(registry);
  return registry;
}

TEST(BuiltinOperators, DocumentEveryArgumentAndResult) {
  const auto registry = all_operators();
  EXPECT_GE(registry.names().size(), 20u);
  for (const auto& name : registry.names()) {
    SCOPED_TRACE(name);
    const auto& spec = registry.find(name)->spec();
    EXPECT_FALSE(spec.summary.empty());
    EXPECT_FALSE(spec.summary.ends_with('.')) << spec.summary;
    EXPECT_FALSE(spec.summary.ends_with('.')) << spec.summary;
    EXPECT_FALSE(spec.results.empty());
    std::set<std::string> seen;
    for (const auto& argument : spec.arguments) {
      EXPECT_TRUE(seen.insert(argument.name).second) << argument.name;
      EXPECT_FALSE(argument.summary.empty()) << argument.name;
      EXPECT_TRUE(argument.default_value.is_null() ||
                  actors::is_of_type(argument.default_value, argument.type))
          << argument.name;
    }
    seen.clear();
    for (const auto& result : spec.results) {
      EXPECT_TRUE(seen.insert(result.name).second) << result.name;
      EXPECT_FALSE(result.summary.empty()) << result.name;
    }
  }
}

TEST(OperatorHelp, ShowsOneOperatorAsTextAndJson) {
  const auto registry = all_operators();
  const auto text = actors::operator_help_text(registry, "file.read", 80);
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->find("path path"), std::string::npos);
  EXPECT_NE(text->find("(required)"), std::string::npos);
  EXPECT_NE(text->find("1048576)"), std::string::npos);
  for (std::size_t at = 0; at < text->size();) {
    const auto end = text->find('\n', at);
    EXPECT_LE(end - at, 80u) << text->substr(at, end - at);
    at = end + 1;
  }
  const auto json = actors::operator_help_json(registry, "file.read");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["arguments"][0]["type"], "path");
}

TEST(OperatorHelp, ListsAllByFamilyAndSuggestsNames) {
  const auto registry = all_operators();
  const auto text = actors::operators_help_text(registry);
  for (const auto& name : registry.names()) EXPECT_NE(text.find(name), std::string::npos) << name;
  EXPECT_EQ(actors::operators_help_json(registry).size(), registry.names().size());
  const auto missing = actors::operator_help_text(registry, "file.globb");
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("did you mean \"file.glob\"?"), std::string::npos);
}

}  // namespace
}  // namespace symphony::extensions
