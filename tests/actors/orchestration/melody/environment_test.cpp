// What programs of a run see.
#include "actors/orchestration/melody/environment.hpp"

#include <gtest/gtest.h>

#include "tests/actors/orchestration/melody/test_operators.hpp"

namespace symphony::actors {
namespace {

constexpr std::string_view kMelody = R"(
name = "m"
version = "1"
env = { COLOUR = "red", SIZE = "large", PATH = "/melody" }
pass_env = ["TOKEN"]
[nodes.one]
use = "file.glob"
env = { COLOUR = "blue" }
pass_env = ["API_KEY", "SIZE"]
with = { root = "." }
[nodes.two]
use = "file.glob"
with = { root = "." }
)";

const Environment kCaller{{"PATH", "/bin"},   {"HOME", "/home/me"}, {"LC_ALL", "C"},
                          {"LCX", "no"},      {"OTHER", "no"},      {"TOKEN", "t"},
                          {"API_KEY", "key"}, {"SIZE", "small"}};

Plan plan() {
  auto loaded = load_melody(kMelody, "m.toml", test::described_operators());
  EXPECT_TRUE(loaded.plan.has_value()) << loaded.problems.text();
  return std::move(*loaded.plan);
}

TEST(RunEnvironment, TakesAFewVariablesAlongAndNoOthers) {
  for (const char* name : {"PATH", "HOME", "LANG", "LC_ALL", "LC_", "TZ", "TMPDIR", "USER"})
    EXPECT_TRUE(is_taken_along(name)) << name;
  for (const char* name : {"", "PATHS", "path", "LC", "LANGUAGE", "SHELL", "SSH_AUTH_SOCK"})
    EXPECT_FALSE(is_taken_along(name)) << name;
  EXPECT_EQ(chosen_environment(kCaller, {}),
            (Environment{{"HOME", "/home/me"}, {"LC_ALL", "C"}, {"PATH", "/bin"}}));
  EXPECT_EQ(
      chosen_environment(kCaller, {"MISSING", "OTHER"}),
      (Environment{{"HOME", "/home/me"}, {"LC_ALL", "C"}, {"OTHER", "no"}, {"PATH", "/bin"}}));
}

TEST(RunEnvironment, OfANodeIsTheCallersThenTheMelodysThenItsOwn) {
  const Plan melody = plan();
  EXPECT_EQ(environment_of(melody, melody.nodes[1], kCaller), (Environment{{"COLOUR", "red"},
                                                                           {"HOME", "/home/me"},
                                                                           {"LC_ALL", "C"},
                                                                           {"PATH", "/melody"},
                                                                           {"SIZE", "large"},
                                                                           {"TOKEN", "t"}}));
  EXPECT_EQ(environment_of(melody, melody.nodes[0], kCaller), (Environment{{"API_KEY", "key"},
                                                                           {"COLOUR", "blue"},
                                                                           {"HOME", "/home/me"},
                                                                           {"LC_ALL", "C"},
                                                                           {"PATH", "/melody"},
                                                                           {"SIZE", "small"},
                                                                           {"TOKEN", "t"}}));
}

TEST(RunEnvironment, NamesWhatIsToBePassedEachOnce) {
  const std::vector<std::string> names{"API_KEY", "SIZE", "TOKEN"};
  EXPECT_EQ(passed_variables(plan()), names);
  EXPECT_EQ(passed_variables(parse_melody(kMelody, "m.toml").melody), names);
}

TEST(RunEnvironment, LackingVariablesAreToldWithTheirLine) {
  EXPECT_EQ(lacking_variables(plan(), {{"SIZE", "s"}}).text(),
            "m.toml:5: pass_env: the variable TOKEN is not set here: set it, or take it out of "
            "pass_env\n"
            "m.toml:9: nodes.one.pass_env: the variable API_KEY is not set here: set it, or take "
            "it out of pass_env\n");
  EXPECT_TRUE(lacking_variables(plan(), kCaller).empty());
}

TEST(RunEnvironment, IsPartOfWhatAMelodyMeans) {
  const Json json = to_json(plan());
  EXPECT_EQ(json["env"]["COLOUR"], "red");
  EXPECT_EQ(json["pass_env"], Json::array({"TOKEN"}));
  EXPECT_EQ(json["nodes"]["one"]["env"], (Json{{"COLOUR", "blue"}}));
}

}  // namespace
}  // namespace symphony::actors
