#include "actors/orchestration/melody/template.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "actors/orchestration/melody/table_reader.hpp"

namespace symphony::actors {
namespace {

const Json kInputs{{"n", 3}, {"t", "x"}, {"list", {1, {{"a", "b"}}}}};

Scope scope_of_inputs() {
  Scope scope;
  scope.inputs = &kInputs;
  return scope;
}

Template read(const std::string& text) {
  runtime::Problems problems;
  Template value = read_template(runtime::Value(text), "", problems);
  EXPECT_TRUE(problems.empty()) << problems.text();
  return value;
}

Result<Json> value_of(const std::string& text) { return evaluate(read(text), scope_of_inputs()); }

TEST(Template, ExactlyOneReferenceKeepsTheTypeOfItsValue) {
  EXPECT_EQ(*value_of("${inputs.n}"), Json(3));
  EXPECT_EQ(*value_of("${inputs.list}"), kInputs["list"]);
}

TEST(Template, AReferenceInsideTextIsRenderedAsText) {
  EXPECT_EQ(*value_of("n=${inputs.n}, ${inputs.t}${inputs.list[1]}"), Json("n=3, x{\"a\":\"b\"}"));
}

TEST(Template, APathLeadsIntoListsAndTables) {
  EXPECT_EQ(*value_of("${inputs.list[1].a}"), Json("b"));
  EXPECT_EQ(value_of("${inputs.list[2]}").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(value_of("${inputs.list[1].z}").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(value_of("${inputs.list.a}").error().code, Errc::INVALID_ARGUMENT);
}

TEST(Template, TwoDollarsAreALiteralDollarBrace) {
  EXPECT_EQ(*value_of("$${inputs.n} $5 $ $$"), Json("${inputs.n} $5 $ $$"));
  EXPECT_EQ(to_json(read("$${inputs.n} ${inputs.n}")), Json("$${inputs.n} ${inputs.n}"));
}

TEST(Template, AResultOfAMappedNodeIsTheListOfItsChildrensResults) {
  const Json results = Json::array({{{"z", 1}}, nullptr, {{"z", 3}}});
  Scope scope;
  scope.results = [&](NodeIndex) { return &results; };
  Reference reference = *parse_reference("nodes.y.z");
  reference.node = 0;
  EXPECT_EQ(evaluate_reference(reference, scope)->value, Json({1, nullptr, 3}));
}

TEST(Template, AResultOfASkippedNodeIsNullAndSaysSo) {
  Scope scope;
  scope.results = [](NodeIndex) { return nullptr; };
  Reference reference = *parse_reference("nodes.y.z.a[0]");
  reference.node = 0;
  const auto evaluated = evaluate_reference(reference, scope);
  ASSERT_TRUE(evaluated.ok());
  EXPECT_TRUE(evaluated->value.is_null());
  EXPECT_TRUE(evaluated->from_skipped);
}

TEST(Template, WhatTheScopeLacksIsAnErrorNotAGuess) {
  EXPECT_EQ(value_of("${item}").error().code, Errc::FAILED_PRECONDITION);
  EXPECT_EQ(value_of("${inputs.other}").error().code, Errc::FAILED_PRECONDITION);
}

RC_GTEST_PROP(TemplateProperty, EscapedTextEvaluatesToItself, (const std::string& any)) {
  // Texts with many dollars and braces.
  std::string text;
  for (const char c : any) text += (c % 4 == 0) ? "${" : std::string(1, "${}a"[c & 3]);
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("${")) escaped += '$';
    escaped += text[i];
  }
  auto pieces = parse_interpolation(escaped);
  RC_ASSERT(pieces.ok());
  std::string joined;
  for (const Piece& piece : *pieces) joined += std::get<std::string>(piece);
  RC_ASSERT(joined == text);
}

RC_GTEST_PROP(TemplateProperty, AReferenceWrittenOutParsesBackToItself, ()) {
  const auto word = rc::gen::nonEmpty(
      rc::gen::container<std::string>(rc::gen::elementOf(std::string("abcXYZ019_-"))));
  Reference reference;
  reference.kind = *rc::gen::element(ReferenceKind::input, ReferenceKind::node, ReferenceKind::item,
                                     ReferenceKind::index);
  if (reference.kind == ReferenceKind::input || reference.kind == ReferenceKind::node) {
    reference.name = *word;
  }
  if (reference.kind == ReferenceKind::node) reference.result = *word;
  const int steps = *rc::gen::inRange(0, 5);
  for (int i = 0; i < steps; ++i) {
    if (*rc::gen::arbitrary<bool>()) {
      reference.path.push_back({*word});
    } else {
      reference.path.push_back({"", *rc::gen::arbitrary<std::uint64_t>()});
    }
  }
  const std::string text = to_string(reference);
  const auto parsed = parse_reference(std::string_view(text).substr(2, text.size() - 3));
  RC_ASSERT(parsed.ok());
  RC_ASSERT(*parsed == reference);
}

}  // namespace
}  // namespace symphony::actors
