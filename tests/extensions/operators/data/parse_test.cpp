#include "extensions/operators/data/parse.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace symphony::extensions {
namespace {

// The value, or the error's message as text.
Json of(Result<Json> result) { return result ? std::move(*result) : Json(result.error().message); }

void expect_refused(Result<Json> result, std::string_view words) {
  ASSERT_FALSE(result.ok()) << result->dump();
  EXPECT_NE(result.error().message.find(words), std::string::npos) << result.error().message;
}

TEST(Parsing, OfJsonKeepsEveryDigitAndKey) {
  EXPECT_EQ(
      of(parse_json("\xEF\xBB\xBF{\"a\": [1, 18446744073709551615, -2.5, null, true, \"x\"]}")),
      Json::parse("{\"a\": [1, 18446744073709551615, -2.5, null, true, \"x\"]}"));
  expect_refused(parse_json("{\"a\": 1,\n \"a\": 2}"), "\"a\" stands here twice");
  expect_refused(parse_json("123456789012345678901234567890"), "too many digits");
  expect_refused(parse_json("{\"a\":\n\n ]"), "line 3");
  expect_refused(parse_json(""), "line 1");
  expect_refused(parse_json(std::string(100'000, '[')), "nested deeper than 64 levels");
  EXPECT_TRUE(parse_json(std::string(64, '[') + std::string(64, ']')).ok());
}

TEST(Parsing, OfJsonLinesNamesTheLine) {
  EXPECT_EQ(of(parse_json_lines("{\"a\":1}\r\n\n[2]\n3")), Json::parse("[{\"a\":1},[2],3]"));
  EXPECT_EQ(of(parse_json_lines("")), Json::array());
  expect_refused(parse_json_lines("1\n{\n"), "line 2");
}

TEST(Parsing, OfCsvFollowsItsQuotes) {
  EXPECT_EQ(of(parse_csv("name,note\r\nAnn,\"a, \"\"b\"\"\nc\"\r\n\"\",x\n", {})),
            Json::parse(R"([{"name":"Ann","note":"a, \"b\"\nc"},{"name":"","note":"x"}])"));
  EXPECT_EQ(of(parse_csv("1;2\n3;4", {.separator = ';', .header = false})),
            Json::parse(R"([["1","2"],["3","4"]])"));
  EXPECT_EQ(of(parse_csv("a,b,c,d,e,f\n1,-2.5,007,true,,\"1\"\n", {.values = true})),
            Json::parse(R"([{"a":1,"b":-2.5,"c":"007","d":true,"e":null,"f":"1"}])"));
  EXPECT_EQ(of(parse_csv("id\n99999999999999999999\n", {.values = true})),
            Json::parse(R"([{"id":"99999999999999999999"}])"));
  EXPECT_EQ(of(parse_csv("a,b\n", {})), Json::array());
  EXPECT_EQ(of(parse_csv("", {})), Json::array());
  expect_refused(parse_csv("a,b\n1,2\n\"x\ny\",3,4\n", {}),
                 "line 3: has 3 fields, the header has 2");
  expect_refused(parse_csv("a\n\"x\n", {}), "line 2: the quote");
  expect_refused(parse_csv("a\n\"x\"y\n", {}), "line 2: text follows");
  expect_refused(parse_csv("a,a\n", {}), "two columns are called \"a\"");
}

TEST(Parsing, OfTomlAndYamlGivesTheSameValues) {
  const Json wanted = Json::parse(R"({"a":{"b":[1,2.5,true,"x"]},"c":"2024-01-31"})");
  EXPECT_EQ(of(parse_toml("c = \"2024-01-31\"\n[a]\nb = [1, 2.5, true, \"x\"]\n")), wanted);
  EXPECT_EQ(of(parse_yaml("a:\n  b: [1, 2.5, true, x]\nc: 2024-01-31\n")), wanted);
}

TEST(Parsing, OfTomlNamesThePlaceOfAMistake) {
  expect_refused(parse_toml("a = 1\nb = \n"), ":2:");
  expect_refused(parse_toml("a = 1\na = 2\n"), "2");
}

TEST(Parsing, OfYamlFollowsTheCoreSchema) {
  EXPECT_EQ(of(parse_yaml("[yes, no, on, ~, null, 'null', \"1\", 0x1F, 0o17, 1e3, .5, +1, 1.2.3]")),
            Json::parse(R"(["yes","no","on",null,null,"null","1",31,15,1000.0,0.5,1,"1.2.3"])"));
  EXPECT_EQ(of(parse_yaml("x: &a {k: 1}\ny: *a\n")), Json::parse(R"({"x":{"k":1},"y":{"k":1}})"));
  EXPECT_EQ(of(parse_yaml("")), Json(nullptr));
  expect_refused(parse_yaml("a: 1\na: 2\n"), "line 2, column 1: the key \"a\"");
  expect_refused(parse_yaml("a: [1\nb: 2\n"), "line ");
  expect_refused(parse_yaml("--- 1\n--- 2\n"), "more than one document");
  expect_refused(parse_yaml("99999999999999999999"), "too many digits");
}

TEST(Parsing, OfYamlIsBoundedWhateverItsAliasesAre) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) bomb += ", " + before;
    bomb += "]\n";
  }
  expect_refused(parse_yaml(bomb), "more than 2000000 values");
  expect_refused(parse_yaml("&a [*a]"), "");
  expect_refused(parse_yaml(std::string(100'000, '[')), "");
}

TEST(Parsing, OfLinesAndOfKeyValues) {
  EXPECT_EQ(of(parse_lines("a\r\n\nb")), Json::parse(R"(["a","","b"])"));
  EXPECT_EQ(of(parse_key_values("# c\nexport A=1\nB = 'x y' \n\nC=\"\"\nD=a=b\n")),
            Json::parse(R"({"A":"1","B":"x y","C":"","D":"a=b"})"));
  expect_refused(parse_key_values("A=1\nnonsense\n"), "line 2: is not KEY=VALUE");
  expect_refused(parse_key_values("A=1\nA=2\n"), "line 2: the key A was given before");
  expect_refused(parse_key_values("A=\"x\n"), "line 1: the quote");
}

RC_GTEST_PROP(Parsing, OfCsvGivesBackWhatWasWritten, ()) {
  const auto rows = *rc::gen::container<std::vector<std::vector<std::string>>>(
      rc::gen::container<std::vector<std::string>>(
          2, rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab,\"\n\r ;")))));
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += i > 0 ? ",\"" : "\"";
      for (const char c : row[i]) text += c == '"' ? std::string("\"\"") : std::string(1, c);
      text += '"';
    }
    text += "\n";
  }
  RC_ASSERT(of(parse_csv(text, {.header = false})) ==
            Json(rows.empty() ? Json::array() : Json(rows)));
}

RC_GTEST_PROP(Parsing, OfAnyTextEnds, ()) {
  const auto text = *rc::gen::container<std::string>(
      rc::gen::elementOf(std::string("ab01\"'\\{}[]:,=-#&*!|> \n\r\t.e")));
  (void)parse_json(text);
  (void)parse_json_lines(text);
  (void)parse_csv(text, {});
  (void)parse_toml(text);
  (void)parse_yaml(text);
  (void)parse_lines(text);
  (void)parse_key_values(text);
}

}  // namespace
}  // namespace symphony::extensions
