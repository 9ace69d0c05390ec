#include "actors/orchestration/melody/binding.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "actors/orchestration/melody/table_reader.hpp"

namespace symphony::actors {
namespace {

const Json kInputs{{"n", 3}, {"t", "x"}, {"list", {1, {{"a", "b"}}}}};

RunScope scope_of_inputs() {
  RunScope scope;
  scope.inputs = &kInputs;
  return scope;
}

Binding read(const std::string& text) {
  runtime::Problems problems;
  Binding value = read_binding(runtime::Value(text), "", problems);
  EXPECT_TRUE(problems.empty()) << problems.text();
  return value;
}

Result<Json> value_of(const std::string& text) { return evaluate(read(text), scope_of_inputs()); }

TEST(Binding, ExactlyOneReferenceKeepsTheTypeOfItsValue) {
  EXPECT_EQ(*value_of("${inputs.n}"), Json(3));
  EXPECT_EQ(*value_of("${inputs.list}"), kInputs["list"]);
}

TEST(Binding, AReferenceInsideTextIsRenderedAsText) {
  EXPECT_EQ(*value_of("n=${inputs.n}, ${inputs.t}${inputs.list[1]}"), Json("n=3, x{\"a\":\"b\"}"));
}

TEST(Binding, APathLeadsIntoListsAndTables) {
  EXPECT_EQ(*value_of("${inputs.list[1].a}"), Json("b"));
  EXPECT_EQ(value_of("${inputs.list[2]}").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(value_of("${inputs.list[1].z}").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(value_of("${inputs.list.a}").error().code, Errc::INVALID_ARGUMENT);
}

TEST(Binding, TwoDollarsAreALiteralDollarBrace) {
  EXPECT_EQ(*value_of("$${inputs.n} $5 $ $$"), Json("${inputs.n} $5 $ $$"));
  EXPECT_EQ(to_json(read("$${inputs.n} ${inputs.n}")), Json("$${inputs.n} ${inputs.n}"));
}

TEST(Binding, AResultOfAMappedNodeIsTheListOfItsChildrensResults) {
  const Json results = Json::array({{{"z", 1}}, nullptr, {{"z", 3}}});
  RunScope scope;
  scope.results = [&](NodeIndex) { return &results; };
  Reference reference = *parse_reference("nodes.y.z");
  reference.node = 0;
  EXPECT_EQ(evaluate_reference(reference, scope)->value, Json({1, nullptr, 3}));
}

TEST(Binding, APositionInAMappedNodeLooksAtThatChildOnly) {
  const std::vector<Json> children{{{"z", {{"k", 1}}}}, {{"z", 2}}};
  std::vector<std::uint64_t> asked;
  RunScope scope;
  scope.results = [](NodeIndex) -> const Json* {
    ADD_FAILURE() << "all children were asked for";
    return nullptr;
  };
  scope.children = [](NodeIndex) { return std::optional<std::uint64_t>(3); };
  scope.child = [&](NodeIndex, std::uint64_t position) -> const Json* {
    asked.push_back(position);
    return position < children.size() ? &children[position] : nullptr;
  };
  const auto value = [&](const std::string& text) {
    Reference reference = *parse_reference(text);
    reference.node = 0;
    return evaluate_reference(reference, scope);
  };
  EXPECT_EQ(value("nodes.y.z[1]")->value, Json(2));
  EXPECT_EQ(value("nodes.y.z[0].k")->value, Json(1));
  EXPECT_EQ(value("nodes.y.z[2].k")->value, Json(nullptr)) << "a child that was skipped";
  EXPECT_EQ(value("nodes.y.other[1]")->value, Json(nullptr));
  EXPECT_EQ(value("nodes.y.z[3]").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(value("nodes.y.z[1].k").error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(asked, (std::vector<std::uint64_t>{1, 0, 2, 1, 1}));
}

TEST(Binding, AResultOfASkippedNodeIsNullAndSaysSo) {
  RunScope scope;
  scope.results = [](NodeIndex) { return nullptr; };
  Reference reference = *parse_reference("nodes.y.z.a[0]");
  reference.node = 0;
  const auto evaluated = evaluate_reference(reference, scope);
  ASSERT_TRUE(evaluated.ok());
  EXPECT_TRUE(evaluated->value.is_null());
  EXPECT_TRUE(evaluated->from_skipped);
}

TEST(Binding, WhatTheScopeLacksIsAnErrorNotAGuess) {
  EXPECT_EQ(value_of("${item}").error().code, Errc::FAILED_PRECONDITION);
  EXPECT_EQ(value_of("${inputs.other}").error().code, Errc::FAILED_PRECONDITION);
}

RC_GTEST_PROP(BindingProperty, EscapedTextEvaluatesToItself, (const std::string& any)) {
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

RC_GTEST_PROP(BindingProperty, AReferenceWrittenOutParsesBackToItself, ()) {
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
