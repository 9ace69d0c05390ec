#include "runtime/settings/settings.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "runtime/settings/node_schema.hpp"
#include "runtime/settings/sources.hpp"
#include "runtime/settings/toml.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;

class SettingsTest : public testing::Test {
 protected:
  Settings combined(const std::string& toml, const Environment& environment = {},
                    const std::vector<std::string>& options = {}) {
    const auto tree = parse_toml(toml, "node.toml");
    auto result = combine_settings(schema_, tree.value, environment, options);
    EXPECT_TRUE(result.ok()) << result.problems.text();
    return std::move(*result.value);
  }

  std::string problems(const std::string& toml, const Environment& environment = {},
                       const std::vector<std::string>& options = {}) {
    const auto tree = parse_toml(toml, "node.toml");
    return combine_settings(schema_, tree.value, environment, options).problems.text();
  }

  const Schema schema_ = load_node_schema();
};

TEST_F(SettingsTest, AreTheDefaultsWhenNothingElseIsSaid) {
  const auto settings = combined("");
  for (const auto& leaf : schema_.leaves()) {
    if (leaf.node->is_map()) continue;
    EXPECT_EQ(settings.at(leaf.path).value, *leaf.node->default_value) << leaf.path;
    EXPECT_EQ(settings.at(leaf.path).value.mark().text(), "default") << leaf.path;
  }
}

TEST_F(SettingsTest, ComeFromTheStrongestSourceAndRememberTheOthers) {
  const std::string file = "[log]\nmax_files = 1\n";
  const Environment environment{{"SYMPHONY_LOG_MAX_FILES", "2"}};
  EXPECT_EQ(combined(file).get<int>("log.max_files"), 1);
  EXPECT_EQ(combined(file, environment).get<int>("log.max_files"), 2);
  const auto settings = combined(file, environment, {"log.max_files=3", "log.max_files=4"});
  const auto& setting = settings.at("log.max_files");
  EXPECT_EQ(setting.value, Value{std::int64_t{4}});
  std::vector<std::string> origins{setting.value.mark().text()};
  for (const auto& other : setting.overridden) {
    origins.push_back(describe(other) + " " + other.mark().text());
  }
  EXPECT_EQ(origins, (std::vector<std::string>{"--set log.max_files=4", "3 --set log.max_files=3",
                                               "2 environment SYMPHONY_LOG_MAX_FILES",
                                               "1 node.toml:2", "5 default"}));
}

TEST_F(SettingsTest, AreReadWithTheirTypes) {
  const auto settings = combined("[log]\nmax_size_mib = 2\n[link]\nmax_frame_bytes = 4096\n");
  EXPECT_EQ(settings.get<std::string>("log.level"), "info");
  EXPECT_EQ(settings.get<std::uint16_t>("log.max_size_mib"), 2);
  EXPECT_DOUBLE_EQ(settings.get<double>("supervision.jitter"), 0.2);
  EXPECT_EQ(settings.get_ms("boot.drain_ms"), 5000ms);
  EXPECT_EQ(settings.get_bytes("log.max_size_mib"), 2u << 20);
  EXPECT_EQ(settings.get_bytes("link.max_frame_bytes"), 4096u);
  EXPECT_EQ(settings.section("log").get<int>("max_size_mib"), 2);
  EXPECT_EQ(settings.section("health").get_ms("interval_ms"), 1000ms);
}

TEST_F(SettingsTest, BooleansNumbersAndListsAreReadFromText) {
  const auto schema = Schema::load(R"({"type":"object","additionalProperties":false,"properties":{
    "a":{"type":"object","additionalProperties":false,"properties":{
      "on":{"type":"boolean","default":false},
      "share":{"type":"number","default":1},
      "paths":{"type":"array","items":{"type":"string"},"default":[]}}}}})");
  ASSERT_TRUE(schema.ok());
  const Environment environment{{"SYMPHONY_A_ON", "true"}, {"SYMPHONY_A_PATHS", "/x,/y z"}};
  const auto result = combine_settings(*schema, {}, environment, {"a.share=0.25"});
  ASSERT_TRUE(result.ok()) << result.problems.text();
  EXPECT_TRUE(result.value->get<bool>("a.on"));
  EXPECT_DOUBLE_EQ(result.value->get<double>("a.share"), 0.25);
  ASSERT_EQ(result.value->get_list("a.paths").size(), 2u);
  EXPECT_EQ(result.value->get_list("a.paths")[1].as_string(), "/y z");
}

TEST_F(SettingsTest, EntriesOfAMapAreMergedOneByOne) {
  const auto settings =
      combined("[log.levels]\nengine = \"warn\"\n\"/pit/pool\" = \"error\"\n",
               {{"SYMPHONY_LOG_LEVELS", "engine=debug,dag=trace"}}, {"log.levels./a.b=off"});
  std::vector<std::string> entries;
  for (const auto* entry : settings.get_map("log.levels")) {
    entries.push_back(entry->key + "=" + entry->value.as_string() + " from " +
                      entry->value.mark().text());
  }
  EXPECT_EQ(entries,
            (std::vector<std::string>{"/a.b=off from --set log.levels./a.b=off",
                                      "/pit/pool=error from node.toml:3",
                                      "dag=trace from environment SYMPHONY_LOG_LEVELS",
                                      "engine=debug from environment SYMPHONY_LOG_LEVELS"}));
  EXPECT_TRUE(combined("").get_map("log.levels").empty());
}

TEST_F(SettingsTest, ProblemsOfAllSourcesAreReportedAtOnce) {
  EXPECT_EQ(problems("[log]\nlevl = \"info\"\n",
                     {{"SYMPHONY_LOG_MAX_FILES", "many"}, {"SYMPHONY_LOG_LEVLE", "info"}},
                     {"boot.drain=1", "mailbox.limit=0"}),
            "node.toml:2: log.levl: unknown key (did you mean \"level\"?)\n"
            "environment SYMPHONY_LOG_LEVLE: unknown variable (did you mean "
            "\"SYMPHONY_LOG_LEVEL\"?)\n"
            "environment SYMPHONY_LOG_MAX_FILES: log.max_files: must be an integer, not \"many\"\n"
            "--set boot.drain=1: boot.drain: unknown key (did you mean \"drain_ms\"?)\n"
            "--set mailbox.limit=0: mailbox.limit: must be at least 1, not 0\n");
}

TEST_F(SettingsTest, AnOverriddenValueIsCheckedToo) {
  EXPECT_NE(problems("[mailbox]\nlimit = 0\n", {}, {"mailbox.limit=5"}), "");
}

TEST_F(SettingsTest, OptionsThatAreNotSettingsSayWhatToWrite) {
  EXPECT_EQ(problems("", {}, {"log.level"}), "--set log.level: write it as section.key=value\n");
  EXPECT_EQ(problems("", {}, {"=x"}), "--set =x: write it as section.key=value\n");
  EXPECT_EQ(problems("", {}, {"log=x"}),
            "--set log=x: log: is not a single setting; name a key in it, as in log.level\n");
  EXPECT_EQ(problems("", {}, {"lgo.level=x"}),
            "--set lgo.level=x: lgo: unknown key (did you mean \"log\"?)\n");
  EXPECT_EQ(problems("", {}, {"log.levels=x"}),
            "--set log.levels=x: log.levels: must be key=value,key=value, not \"x\"\n");
}

TEST_F(SettingsTest, AContradictionIsBlamedOnWhoeverChangedTheDefault) {
  EXPECT_EQ(problems("", {}, {"health.stuck_after_ms=20"}),
            "--set health.stuck_after_ms=20: health.stuck_after_ms: must be at least "
            "health.interval_ms (1000), not 20\n");
  EXPECT_EQ(problems("", {}, {"health.stuck_after_ms=20", "health.interval_ms=20"}), "");
}

TEST_F(SettingsTest, EveryKeyHasAVariableThatSetsIt) {
  for (const auto& leaf : schema_.leaves()) {
    const auto names = environment_names(schema_, leaf.path);
    ASSERT_FALSE(names.empty()) << leaf.path;
    if (leaf.node->type != SchemaNode::Type::kInteger) continue;
    const auto text = describe(*leaf.node->default_value);
    for (const auto& name : names) {
      const auto settings = combined("", {{name, text}});
      EXPECT_EQ(settings.at(leaf.path).value.mark().text(), "environment " + name);
    }
  }
  EXPECT_EQ(environment_names(schema_, "log.max_files"),
            (std::vector<std::string>{"SYMPHONY_LOG_MAX_FILES", "SYMPHONY_LOG__MAX_FILES"}));
}

TEST_F(SettingsTest, AVariableThatTwoKeysShareStandsForNeither) {
  const auto schema = Schema::load(R"({"type":"object","additionalProperties":false,"properties":{
    "a":{"type":"object","additionalProperties":false,
         "properties":{"b_c":{"type":"integer","default":0}}},
    "a_b":{"type":"object","additionalProperties":false,
           "properties":{"c":{"type":"integer","default":0}}}}})");
  ASSERT_TRUE(schema.ok());
  EXPECT_EQ(combine_settings(*schema, {}, {{"SYMPHONY_A_B_C", "1"}}, {}).problems.text(),
            "environment SYMPHONY_A_B_C: stands for several keys; write SYMPHONY_A__B_C or "
            "SYMPHONY_A_B__C\n");
  const auto result = combine_settings(*schema, {}, {{"SYMPHONY_A_B__C", "1"}}, {});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.value->get<int>("a_b.c"), 1);
  EXPECT_EQ(result.value->get<int>("a.b_c"), 0);
}

TEST_F(SettingsTest, OneKeyInTwoVariablesIsAProblem) {
  EXPECT_EQ(problems("", {{"SYMPHONY_LOG_LEVEL", "info"}, {"SYMPHONY_LOG__LEVEL", "info"}}),
            "environment SYMPHONY_LOG__LEVEL: log.level: is also set by SYMPHONY_LOG_LEVEL; unset "
            "one of them\n");
}

TEST_F(SettingsTest, ReservedAndForeignVariablesAreNotSettings) {
  combined("", {{"SYMPHONY_NODE", "alpha"},
                {"SYMPHONY_CONFIG", "/x"},
                {"HOME", "/root"},
                {"symphony_log_level", "loud"}});
}

TEST_F(SettingsTest, AskingForWhatIsNotThereIsABug) {
  const auto settings = combined("");
  EXPECT_DEATH((void)settings.get<int>("log.levl"), "broken invariant");
  EXPECT_DEATH((void)settings.get<bool>("log.level"), "broken invariant");
  EXPECT_DEATH((void)settings.get<std::uint8_t>("mailbox.limit"), "broken invariant");
  EXPECT_DEATH((void)settings.get_ms("mailbox.limit"), "broken invariant");
  EXPECT_DEATH((void)settings.get_bytes("mailbox.limit"), "broken invariant");
}

// ---- files ------------------------------------------------------------------------------------

class ConfigFile : public SettingsTest {
 protected:
  void SetUp() override {
    auto pattern = testing::TempDir() + "settingsXXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    const auto path = std::filesystem::path{folder_} / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path} << text;
    return path.string();
  }

  std::string folder_;
};

TEST_F(ConfigFile, IsTheNamedOneElseThatOfTheEnvironmentElseTheDefaultIfItExists) {
  SettingsInput input;
  EXPECT_EQ(find_config_file(input), std::nullopt);
  input.environment["HOME"] = folder_ + "/home";
  EXPECT_EQ(find_config_file(input), std::nullopt);
  const auto home = write("home/.config/symphony/node.toml", "");
  EXPECT_EQ(find_config_file(input), home);
  input.environment["XDG_CONFIG_HOME"] = folder_ + "/xdg";
  EXPECT_EQ(find_config_file(input), std::nullopt);
  const auto xdg = write("xdg/symphony/node.toml", "");
  EXPECT_EQ(find_config_file(input), xdg);
  input.environment["XDG_CONFIG_HOME"] = "relative";
  EXPECT_EQ(find_config_file(input), home);
  input.environment["SYMPHONY_CONFIG"] = "/from/environment.toml";
  EXPECT_EQ(find_config_file(input), "/from/environment.toml");
  input.config_file = "/from/option.toml";
  EXPECT_EQ(find_config_file(input), "/from/option.toml");
}

TEST_F(ConfigFile, IsReadAndItsPathIsTheOrigin) {
  const auto path = write("node.toml", "\n[node]\nname = \"alpha\"\n");
  const auto loaded = load_settings(schema_, {.config_file = path});
  ASSERT_TRUE(loaded.ok()) << loaded.problems.text();
  EXPECT_EQ(loaded.value->get<std::string>("node.name"), "alpha");
  EXPECT_EQ(loaded.value->at("node.name").value.mark().text(), path + ":3");
}

TEST_F(ConfigFile, ThatWasNamedMustExistAndOtherSourcesAreCheckedAllTheSame) {
  const auto path = folder_ + "/missing.toml";
  const auto loaded = load_settings(schema_, {.config_file = path, .options = {"log.level=loud"}});
  EXPECT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.problems.text(),
            path + ": cannot open: No such file or directory\n" +
                "--set log.level=loud: log.level: must be \"trace\", \"debug\", \"info\", "
                "\"warn\", \"error\" or \"off\", not \"loud\"\n");
}

}  // namespace
}  // namespace symphony::runtime
