#include "extensions/operators/chart/chart.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "extensions/operators/chart/svg.hpp"
#include "tests/extensions/support.hpp"

namespace symphony::extensions {
namespace {

using testing::must;
using testing::TempDir;

Result<Json> chart(Json arguments) {
  if (!arguments.contains("title")) arguments["title"] = "Sizes";
  return testing::run(add_data_operators, "chart.svg", std::move(arguments));
}

std::string svg_of(Json arguments) {
  return must(chart(std::move(arguments)))["svg"].get<std::string>();
}

const Json kFiles = Json::parse(R"([
  {"path": "src/very/long/path/that/does/not/fit/into/a/label/column/of/a/chart.cpp", "size": 90210,
   "commits": 12, "language": "C++"},
  {"path": "<b>&\"evil\"</b>", "size": 1234.5, "commits": 3, "language": "HTML"},
  {"path": "\u65e5\u672c\u8a9e.py", "size": 17, "commits": 40, "language": "Python"},
  {"path": "control\u0001\n\uffff", "size": 0, "commits": 0, "language": null},
  {"path": "null", "size": null, "commits": null, "language": "C++"}])");

std::vector<Json> every_kind(const Json& list) {
  return {
      {{"kind", "bar"}, {"list", list}, {"label", "path"}, {"value", "size"}, {"format", "bytes"}},
      {{"kind", "stacked"},
       {"list", list},
       {"label", "path"},
       {"series", {{{"name", "size"}, {"value", "size"}}, {{"name", "n"}, {"value", "commits"}}}}},
      {{"kind", "donut"}, {"list", list}, {"label", "path"}, {"value", "size"}},
      {{"kind", "treemap"},
       {"list", list},
       {"label", "path"},
       {"value", "size"},
       {"group", "language"}},
      {{"kind", "scatter"},
       {"list", list},
       {"label", "path"},
       {"x", "size"},
       {"y", "commits"},
       {"size", "size"},
       {"log_x", true},
       {"x_title", "size"},
       {"y_title", "commits"}},
      {{"kind", "histogram"}, {"list", list}, {"value", "size"}},
      {{"kind", "timeline"}, {"list", list}, {"label", "path"}, {"value", "commits"}},
  };
}

// Parses every file of a directory as XML, as strictly as expat does.
int parse_as_xml(const TempDir& dir) {
  const std::string program =
      "import sys,glob,xml.dom.minidom as m\n"
      "files=glob.glob(sys.argv[1]+'/*.svg')\n"
      "[m.parse(f) for f in files]\n"
      "sys.exit(0 if files else 1)";
  return std::system(("python3 -c \"" + program + "\" '" + dir.path() + "'").c_str());
}

TEST(ChartSvg, IsWellFormedWhateverTheDataHolds) {
  TempDir dir;
  int number = 0;
  for (const Json& list : {kFiles, Json::array(), Json::array({kFiles[3]})}) {
    for (const auto& arguments : every_kind(list))
      dir.write(std::to_string(number++) + ".svg", svg_of(arguments));
  }
  ASSERT_EQ(number, 21);
  EXPECT_EQ(parse_as_xml(dir), 0);
}

TEST(ChartSvg, IsAccessibleAndSelfContained) {
  for (const auto& arguments : every_kind(kFiles)) {
    const std::string svg = svg_of(arguments);
    EXPECT_NE(svg.find("role=\"img\" aria-labelledby=\"chart-title chart-desc\""),
              std::string::npos);
    EXPECT_NE(svg.find("<title id=\"chart-title\">Sizes</title>"), std::string::npos);
    EXPECT_NE(svg.find("currentColor"), std::string::npos);
    EXPECT_EQ(svg.find("<script"), std::string::npos);
    EXPECT_EQ(svg.find("href"), std::string::npos);
    EXPECT_EQ(svg.find("<b>"), std::string::npos);
    EXPECT_EQ(svg.find("nan"), std::string::npos);
  }
}

TEST(ChartSvg, KeepsTheFullTextOfALabelThatIsCut) {
  const std::string svg = svg_of(every_kind(kFiles)[0]);
  EXPECT_NE(svg.find("<title>src/very/long/path/that/does/not/fit/into/a/label/column/of/a/"
                     "chart.cpp: 88.1 KiB</title>"),
            std::string::npos);
  EXPECT_NE(svg.find("\u2026</text>"), std::string::npos);
}

TEST(ChartSvg, IsTheSameBytesForTheSameInput) {
  for (const auto& arguments : every_kind(kFiles)) EXPECT_EQ(svg_of(arguments), svg_of(arguments));
}

TEST(ChartSvg, SumsUpWhatIsBeyondTheLimit) {
  Json list = Json::array();
  for (int i = 0; i < 30; ++i) list.push_back({{"n", "x" + std::to_string(i)}, {"v", 1}});
  const std::string svg =
      svg_of({{"kind", "bar"}, {"list", list}, {"label", "n"}, {"value", "v"}, {"limit", 5}});
  EXPECT_NE(svg.find("26 others: 26"), std::string::npos);
  EXPECT_EQ(svg.find(">x4<"), std::string::npos);
}

TEST(ChartSvg, NamesWhatIsWrong) {
  const Json list = Json::parse(R"([{"v": -1}])");
  EXPECT_EQ(chart({{"kind", "pie"}, {"list", list}}).error().field, "kind");
  EXPECT_EQ(chart({{"kind", "bar"}, {"list", list}}).error().field, "value");
  EXPECT_EQ(chart({{"kind", "stacked"}, {"list", list}}).error().field, "series");
  EXPECT_EQ(
      chart({{"kind", "bar"}, {"list", list}, {"value", "v"}, {"format", "byte"}}).error().field,
      "format");
  EXPECT_NE(chart({{"kind", "bar"}, {"list", list}, {"value", "v"}}).error().message.find("not -1"),
            std::string::npos);
  EXPECT_EQ(chart({{"kind", "bar"}, {"list", list}, {"value", "1"}, {"id", "a b"}}).error().field,
            "id");
}

TEST(NiceTicks, AreRoundAndReachTheMaximum) {
  EXPECT_EQ(nice_ticks(9, 4), (std::vector<double>{0, 5, 10}));
  EXPECT_EQ(nice_ticks(100, 5), (std::vector<double>{0, 20, 40, 60, 80, 100}));
  EXPECT_EQ(nice_ticks(0, 5), (std::vector<double>{0}));
}

TEST(SvgNumber, IsShortAndNeverExponential) {
  EXPECT_EQ(svg_number(1), "1");
  EXPECT_EQ(svg_number(-0.001), "0");
  EXPECT_EQ(svg_number(2.5), "2.5");
  EXPECT_EQ(svg_number(1e20), "100000000000000000000");
  EXPECT_EQ(svg_number(std::nan("")), "0");
}

RC_GTEST_PROP(Squarify, TilesTheWholeInProportion, ()) {
  auto weights = *rc::gen::nonEmpty(rc::gen::container<std::vector<double>>(
      rc::gen::map(rc::gen::inRange(1, 10000), [](int n) { return static_cast<double>(n); })));
  std::ranges::sort(weights, std::ranges::greater());
  const Rectangle whole{10, 20, 700, 300};
  const auto tiles = squarify(weights, whole);
  RC_ASSERT(tiles.size() == weights.size());
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const double expected = whole.width * whole.height * weights[i] / total;
    RC_ASSERT(std::abs(tiles[i].width * tiles[i].height - expected) < 1e-3 * expected + 1e-6);
    RC_ASSERT(tiles[i].x >= whole.x - 1e-6 && tiles[i].y >= whole.y - 1e-6);
    RC_ASSERT(tiles[i].x + tiles[i].width <= whole.x + whole.width + 1e-6);
    RC_ASSERT(tiles[i].y + tiles[i].height <= whole.y + whole.height + 1e-6);
  }
}

RC_GTEST_PROP(FitText, NeverSplitsACharacterOrGrows, ()) {
  const auto text = *rc::gen::arbitrary<std::string>();
  const auto width = static_cast<double>(*rc::gen::inRange(0, 200));
  const auto fitted = fit_text(text, width);
  RC_ASSERT(fitted.empty() || fitted == text || text_width(fitted) <= width + 1e-9);
}

}  // namespace
}  // namespace symphony::extensions
