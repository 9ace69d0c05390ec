#include "extensions/operators/code/report.hpp"

#include <gtest/gtest.h>

#include "tests/extensions/support.hpp"

namespace symphony::extensions {
namespace {

using testing::must;

TEST(ReportWords, SayNumbersAsPeopleDo) {
  EXPECT_EQ(code::grouped(0), "0");
  EXPECT_EQ(code::grouped(-1'234'567), "-1,234,567");
  EXPECT_EQ(code::bytes_text(1), "1 byte");
  EXPECT_EQ(code::bytes_text(999'700), "1.0 MB");
  EXPECT_EQ(code::bytes_text(12'345'678), "12 MB");
  EXPECT_EQ(code::percent(0), "0 %");
  EXPECT_EQ(code::percent(0.0001), "< 0.1 %");
  EXPECT_EQ(code::percent(0.054), "5.4 %");
  EXPECT_EQ(code::percent(1), "100 %");
  EXPECT_EQ(code::age_text(-3), "today");
  EXPECT_EQ(code::age_text(1), "1 day");
  EXPECT_EQ(code::age_text(75), "2 months");
  EXPECT_EQ(code::age_text(1'000), "2.7 years");
}

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
  for (const Json& bar : view["bars"]) EXPECT_EQ(bar["count"], "1") << bar["label"];
  EXPECT_EQ(view["bars"].size(), 6u);
  EXPECT_EQ(view["old"], 2);
  EXPECT_EQ(view["rows"][0]["age"], "13.7 years");
}

}  // namespace
}  // namespace symphony::extensions
