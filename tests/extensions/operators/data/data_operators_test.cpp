#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

#include "tests/extensions/support.hpp"

namespace symphony::extensions {
namespace {

using testing::MemoryContext;
using testing::must;

Result<Json> data(std::string_view verb, Json arguments) {
  return testing::run(add_data_operators, "data." + std::string(verb), std::move(arguments));
}

const Json kFiles = Json::parse(R"([
  {"path": "a.c", "language": "C", "size": 10},
  {"path": "b.py", "language": "Python", "size": 5},
  {"path": "c.c", "language": "C", "size": 30},
  {"path": "d", "language": null, "size": 1}])");

TEST(DataMap, BuildsElementsFromFieldsOrOneExpression) {
  EXPECT_EQ(must(data("map", {{"list", kFiles},
                              {"expression", "size * factor + index"},
                              {"vars", {{"factor", 2}}}}))["list"],
            Json::parse("[20, 11, 62, 5]"));
  EXPECT_EQ(must(data("map", {{"list", kFiles},
                              {"keep", true},
                              {"fields", {{"kind", "path | extension"}}}}))["list"][1],
            Json::parse(R"({"path":"b.py","language":"Python","size":5,"kind":"py"})"));
  EXPECT_EQ(data("map", {{"list", kFiles}}).error().field, "fields");
  EXPECT_EQ(data("map", {{"list", kFiles}, {"fields", {{"x", "1 +"}}}}).error().field, "fields.x");
  EXPECT_NE(data("map", {{"list", kFiles}, {"strict", true}, {"expression", "nope"}})
                .error()
                .message.find("element 0"),
            std::string::npos);
}

TEST(DataFilter, KeepsWhatHolds) {
  const Json result =
      must(data("filter", {{"list", kFiles}, {"where", "size > 5 and language == 'C'"}}));
  EXPECT_EQ(result["count"], 2);
  EXPECT_EQ(result["list"][1]["path"], "c.c");
  EXPECT_EQ(data("filter", {{"list", kFiles}, {"where", ""}}).error().field, "where");
}

TEST(DataGroup, SumsUpByKey) {
  const Json result = must(data("group", {{"list", kFiles},
                                          {"by", {"language"}},
                                          {"aggregates",
                                           {{"files", "count()"},
                                            {"size", "sum(size)"},
                                            {"mean", "mean(size)"},
                                            {"mid", "median(size)"},
                                            {"top", "max(size)"},
                                            {"paths", "list(path)"},
                                            {"one", "first(path)"}}}}));
  ASSERT_EQ(result["count"], 3);
  EXPECT_EQ(result["list"][0]["language"], nullptr);
  EXPECT_EQ(result["list"][1], Json::parse(R"({"language":"C","files":2,"size":40,"mean":20.0,
      "mid":20.0,"top":30,"paths":["a.c","c.c"],"one":"a.c"})"));
}

TEST(DataGroup, WithoutKeysGivesOneGroupEvenOfNothing) {
  const Json result =
      must(data("group", {{"list", Json::array()}, {"aggregates", {{"n", "sum(x)"}}}}));
  EXPECT_EQ(result["list"], Json::parse(R"([{"n": 0}])"));
  EXPECT_EQ(data("group", {{"list", kFiles}, {"aggregates", {{"n", "total(x)"}}}}).error().field,
            "aggregates.n");
}

TEST(DataSort, IsStableAndLimited) {
  EXPECT_EQ(must(data("map", {{"list", must(data("sort", {{"list", kFiles},
                                                          {"by", {"language desc", "size"}},
                                                          {"limit", 3}}))["list"]},
                              {"expression", "path"}}))["list"],
            Json::parse(R"(["b.py", "a.c", "c.c"])"));
}

TEST(DataJoin, PairsEqualKeys) {
  const Json right = Json::parse(R"([{"file": "a.c", "commits": 3, "size": 99},
                                     {"file": "a.c", "commits": 4}, {"file": "z"}])");
  const Json inner = must(
      data("join", {{"left", kFiles}, {"right", right}, {"on", "path"}, {"right_on", "file"}}));
  EXPECT_EQ(inner["count"], 2);
  EXPECT_EQ(inner["list"][0]["commits"], 3);
  EXPECT_EQ(inner["list"][0]["size"], 10);  // the left one's own
  const Json left = must(data("join", {{"left", kFiles},
                                       {"right", right},
                                       {"on", "path"},
                                       {"right_on", "file"},
                                       {"kind", "left"},
                                       {"as", "git"}}));
  EXPECT_EQ(left["count"], 5);
  EXPECT_EQ(left["list"][1]["git"]["commits"], 4);
  EXPECT_EQ(left["list"][2]["git"], nullptr);
}

TEST(DataConcat, JoinsListsAndThoseInsideResults) {
  EXPECT_EQ(must(data("concat", {{"lists", {{1, 2}, Json::array(), nullptr, {3}}}}))["list"],
            Json::parse("[1,2,3]"));
  EXPECT_EQ(must(data("concat", {{"lists", {{{"files", {1}}}, {{"files", {2}}}}},
                                 {"field", "files"}}))["list"],
            Json::parse("[1,2]"));
  EXPECT_EQ(data("concat", {{"lists", {1}}}).error().field, "lists[0]");
}

TEST(DataSelect, TakesPartsAndMergeJoinsObjects) {
  EXPECT_EQ(
      must(data("select", {{"from", {{"a", {{"b", {1, 2}}}}}}, {"expression", "a.b[1]"}}))["value"],
      2);
  EXPECT_EQ(must(data("select",
                      {{"from", {{"a", 1}}}, {"fields", {{"x", "a"}, {"y", "a + 1"}}}}))["value"],
            Json::parse(R"({"x":1,"y":2})"));
  EXPECT_EQ(
      must(data("merge", {{"objects", {{{"a", 1}, {"b", 1}}, nullptr, {{"b", 2}}}}}))["value"],
      Json::parse(R"({"a":1,"b":2})"));
}

TEST(DataOperators, StopWhenCancelled) {
  MemoryContext context;
  context.cancel();
  Json list = Json::array();
  for (int i = 0; i < 1000; ++i) list.push_back(i);
  const auto result =
      testing::run(add_data_operators, "data.map", {{"list", list}, {"expression", "it"}}, context);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Errc::CANCELLED);
}

Json numbers_list() {
  Json list = Json::array();
  for (const int n : *rc::gen::container<std::vector<int>>(rc::gen::inRange(-5, 6)))
    list.push_back(n);
  return list;
}

RC_GTEST_PROP(DataChunk, ConcatenatesBackToTheList, ()) {
  const Json list = numbers_list();
  const int size = *rc::gen::inRange(1, 8);
  const Json chunks = must(data("chunk", {{"list", list}, {"size", size}}));
  for (const auto& chunk : chunks["chunks"])
    RC_ASSERT(!chunk.empty() && chunk.size() <= static_cast<std::size_t>(size));
  RC_ASSERT(must(data("concat", {{"lists", chunks["chunks"]}}))["list"] == list);
}

RC_GTEST_PROP(DataSort, OrdersLikeAStableSort, ()) {
  const Json list = numbers_list();
  auto expected = list.get<std::vector<int>>();
  std::ranges::stable_sort(expected, {}, [](int n) { return n % 3; });
  RC_ASSERT(must(data("sort", {{"list", list}, {"by", {"it % 3"}}}))["list"] == Json(expected));
}

RC_GTEST_PROP(DataGroup, CountsLikeAMap, ()) {
  const Json list = numbers_list();
  std::map<int, int> expected;
  for (const auto& n : list) ++expected[n.get<int>()];
  const Json groups = must(data("group", {{"list", list}, {"by", {{"n", "it"}}}}))["list"];
  RC_ASSERT(groups.size() == expected.size());
  for (const auto& group : groups) RC_ASSERT(group["count"] == expected[group["n"].get<int>()]);
}

}  // namespace
}  // namespace symphony::extensions
