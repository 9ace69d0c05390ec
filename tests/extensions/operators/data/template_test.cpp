#include "extensions/operators/data/template.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "extensions/operators/paths.hpp"
#include "tests/extensions/support.hpp"

namespace symphony::extensions {
namespace {

using testing::must;
using testing::TempDir;

Result<Json> render(Json arguments) {
  return testing::run(add_data_operators, "template.render", std::move(arguments));
}

TEST(Template, RendersTheCasesOfItsSpecification) {
  std::ifstream file(SYMPHONY_SOURCE_DIR "/tests/extensions/operators/data/template_cases.json");
  const Json cases = Json::parse(file);
  ASSERT_GT(cases.size(), 30u);
  for (const auto& one : cases) {
    SCOPED_TRACE(one["name"].get<std::string>());
    const auto result = render({{"template", one["template"]},
                                {"data", one["data"]},
                                {"escape", one.value("escape", "html")},
                                {"lenient", one.value("lenient", false)}});
    if (one.contains("error")) {
      ASSERT_FALSE(result.ok()) << result->dump();
      EXPECT_NE(result.error().message.find(one["error"].get<std::string>()), std::string::npos)
          << result.error().message;
    } else {
      ASSERT_TRUE(result.ok()) << result.error().message;
      EXPECT_EQ((*result)["text"], one["expect"]);
    }
  }
}

TEST(Template, IsReadFromAFileWhoseNameErrorsCarry) {
  TempDir dir;
  dir.write("t.md", "{{x}}\n");
  EXPECT_EQ(must(render({{"path", dir / "t.md"}, {"data", {{"x", 1}}}}))["text"], "1\n");
  const auto bad = render({{"path", dir / "t.md"}, {"data", Json::object()}});
  EXPECT_NE(bad.error().message.find("t.md: template line 1"), std::string::npos);
  EXPECT_EQ(render({{"data", 1}}).error().field, "template");
}

TEST(Template, StopsAtItsOutputLimit) {
  const auto result = render({{"template", "{{#l}}0123456789{{/l}}"},
                              {"data", {{"l", Json::array({1, 2, 3})}}},
                              {"max_output_bytes", 29}});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Errc::RESOURCE_EXHAUSTED);
}

RC_GTEST_PROP(Template, NeverLetsMarkupThroughEscaping, ()) {
  const auto text = *rc::gen::arbitrary<std::string>();
  const auto escaped = escape_text(text, Escaping::html);
  RC_ASSERT(escaped.find_first_of("<>\"'") == std::string::npos);
}

RC_GTEST_PROP(Template, ParsesOrRefusesAnything, ()) {
  const auto text = *rc::gen::container<std::string>(
      rc::gen::elementOf(std::string("{{{}}}#^/!&ab.|()[]\" \n+-<=")));
  const auto parsed = Template::parse(text);
  if (!parsed) {
    RC_ASSERT(parsed.error().message.starts_with("template line "));
    return;
  }
  (void)parsed->render(Json{{"a", 1}, {"b", Json::array({1, 2})}}, {});
}

}  // namespace
}  // namespace symphony::extensions
