#include "extensions/operators/code/report.hpp"

#include <gtest/gtest.h>

#include "tests/extensions/support.hpp"

namespace symphony::extensions {
namespace {

using testing::must;

class CodeReport : public ::testing::Test {
 protected:
  CodeReport() { add_code_operators(registry_); }

  Json report(Json arguments) {
    arguments["title"] = "T";
    arguments["now"] = "2020-03-01";
    if (!arguments.contains("code")) arguments["code"] = Json::object();
    return must(testing::run(registry_, "code.report", std::move(arguments)));
  }

  actors::OperatorRegistry registry_;
};

TEST_F(CodeReport, SaysThatNothingStandsOutWhenNothingDoes) {
  const Json result = report(Json::object());
  ASSERT_EQ(result["findings"].size(), 1u);
  EXPECT_EQ(result["findings"][0]["level"], "good");
}

TEST_F(CodeReport, RanksHotSpotsByChangesTimesComplexity) {
  const Json result = report({{"code",
                               {{"files",
                                 {{{"path", "calm.c"}, {"complexity", 90}, {"code", 10}},
                                  {{"path", "hot.c"}, {"complexity", 40}, {"code", 10}}}}}},
                              {"churn",
                               {{"files",
                                 {{{"path", "calm.c"}, {"commits", 1}},
                                  {{"path", "hot.c"}, {"commits", 6}},
                                  {{"path", "gone.c"}, {"commits", 99}}}}}}});
  const Json& rows = result["report"]["hotspots"]["rows"];
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["path"], "hot.c");
  EXPECT_EQ(rows[0]["score"], "240");
  EXPECT_EQ(rows[1]["path"], "calm.c");
  EXPECT_EQ(result["findings"][0]["title"], "hot.c is the hottest spot");
}

TEST_F(CodeReport, PutsWhatIsUrgentFirst) {
  const Json result =
      report({{"code",
               {{"totals", {{"code", 100}}},
                {"licences", {{{"licence", ""}, {"files", 3}}}},
                {"files", {{{"path", "a.c"}, {"complexity", 500}}}},
                {"skipped", {{{"path", "secret"}, {"reason", "Permission denied"}}}}}},
              {"duplicates", {{"duplicated_lines", 5}}},
              {"ownership", {{"bus_factor", 1}, {"owners", {{{"name", "Ada"}, {"share", 0.9}}}}}},
              {"todos", {{{"path", "a.c"}, {"line", 1}, {"tag", "TODO"}, {"age_days", 800}}}}});
  std::vector<std::string> titles;
  for (const Json& finding : result["findings"]) titles.push_back(finding["title"]);
  EXPECT_EQ(titles, (std::vector<std::string>{
                        "The bus factor is 1", "No licence is stated anywhere",
                        "5.0 % of the code occurs more than once", "1 file is very complex",
                        "1 note for later is over a year old", "1 file could not be read"}));
}

TEST_F(CodeReport, SumsUpNotesByAge) {
  Json todos = Json::array();
  for (const int days : {3, 40, 200, 500, 5'000}) {
    todos.push_back(
        {{"path", "a.c"}, {"line", days}, {"tag", "TODO"}, {"text", "x"}, {"age_days", days}});
  }
  todos.push_back({{"path", "new.c"}, {"line", 1}, {"tag", "XXX"}, {"text", "y"}});
  const Json view = report({{"todos", todos}})["report"]["todos"];
  for (const Json& bar : view["chart"]) EXPECT_EQ(bar["value"], 1) << bar["label"];
  EXPECT_EQ(view["chart"].size(), 6u);
  EXPECT_EQ(view["old"], 2);
  EXPECT_EQ(view["rows"][0]["age"], "13.7 years");
}

TEST_F(CodeReport, GivesChartsTheirNumbersAndMarksTheHottest) {
  Json files = Json::array();
  Json churn = Json::array();
  for (int i = 1; i <= 7; ++i) {
    const std::string path = "f" + std::to_string(i) + ".c";
    files.push_back({{"path", path}, {"complexity", 10 * i}, {"code", i}});
    churn.push_back({{"path", path}, {"commits", i}});
  }
  const Json view = report({{"code", {{"files", files}}},
                            {"churn", {{"files", churn}, {"commits", 7}}}})["report"]["hotspots"];
  ASSERT_EQ(view["chart"].size(), 7u);
  EXPECT_EQ(view["chart"][0]["path"], "f7.c");
  EXPECT_EQ(view["chart"][0]["commits"], 7);
  EXPECT_EQ(view["chart"][4]["group"], "hottest");
  EXPECT_EQ(view["chart"][5]["group"], "others");
}

TEST_F(CodeReport, SaysWhyThereIsNoHistoryInEachSectionThatNeedsIt) {
  const Json view = report({{"git", {{"is_repository", false}, {"note", "It is damaged."}}},
                            {"churn", {{"note", "It is damaged."}, {"commits", nullptr}}},
                            {"todos_note", "It is damaged."}})["report"];
  EXPECT_EQ(view["hotspots"]["why"], "It is damaged.");
  EXPECT_EQ(view["people"]["why"], "It is damaged.");
  EXPECT_EQ(view["remarks"], Json({"It is damaged."})) << "once, not for each operator";
}

TEST_F(CodeReport, SaysWhatIsMissingOfTheHistoryOnce) {
  const Json view =
      report({{"git", {{"note", "A shallow clone."}}},
              {"churn", {{"note", "A shallow clone. Lines are not known."}, {"with_lines", false}}},
              {"todos_note", "A shallow clone. 1 file cannot be blamed."}})["report"];
  EXPECT_EQ(view["remarks"],
            Json({"A shallow clone. Lines are not known. 1 file cannot be blamed."}));
  EXPECT_EQ(view["people"]["of"], "changes to files");
}

}  // namespace
}  // namespace symphony::extensions
