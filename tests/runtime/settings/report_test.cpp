#include "runtime/settings/report.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "messages/json_value.hpp"
#include "runtime/settings/node_schema.hpp"
#include "runtime/settings/toml.hpp"

namespace symphony::runtime {
namespace {

const std::string kSample = std::string{SYMPHONY_SOURCE_DIR} + "/config/samples/node.toml";

// The words of the line of `text` that starts with `key`, with single spaces between them.
std::string row(const std::string& text, const std::string& key) {
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::string joined;
    for (std::string word; words >> word;) joined += (joined.empty() ? "" : " ") + word;
    if (joined.starts_with(key + " ")) return joined;
  }
  return {};
}

TEST(ConfigCheck, IsContentWithTheSample) {
  const auto report = check_config(load_node_schema(), {.config_file = kSample});
  EXPECT_EQ(report.output, kSample + ": no problems\n");
  EXPECT_EQ(report.errors, "");
  EXPECT_EQ(report.exit_code, 0);
}

TEST(ConfigCheck, NamesAllProblemsAndExitsWithTwo) {
  const auto report =
      check_config(load_node_schema(), {.options = {"log.levl=x", "mailbox.limit=0"}});
  EXPECT_EQ(report.output, "");
  EXPECT_EQ(report.errors,
            "--set log.levl=x: log.levl: unknown key (did you mean \"level\"?)\n"
            "--set mailbox.limit=0: mailbox.limit: must be at least 1, not 0\n");
  EXPECT_EQ(report.exit_code, 2);
}

TEST(ConfigShow, TellsEveryValueWithItsOriginAndWhatItOverrode) {
  const auto schema = load_node_schema();
  const auto report = show_config(schema,
                                  {.config_file = kSample,
                                   .options = {"log.level=debug", "log.levels./pit/pool=warn"},
                                   .environment = {{"SYMPHONY_BOOT_DRAIN_MS", "10"}}},
                                  false);
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_TRUE(row(report.output, "log.level")
                  .starts_with("log.level \"debug\" --set log.level=debug (over \"info\" from " +
                               kSample + ":"));
  EXPECT_TRUE(
      row(report.output, "boot.drain_ms")
          .starts_with("boot.drain_ms 10 ms environment SYMPHONY_BOOT_DRAIN_MS (over 5000"));
  EXPECT_EQ(row(report.output, "log.levels./pit/pool"),
            "log.levels./pit/pool \"warn\" --set log.levels./pit/pool=warn");
  for (const auto& leaf : schema.leaves()) {
    if (!leaf.node->is_map()) {
      EXPECT_NE(row(report.output, leaf.path), "") << leaf.path;
    }
  }
}

TEST(ConfigShow, WritesJsonThatCarriesTheSame) {
  const auto schema = load_node_schema();
  const auto report = show_config(
      schema, {.config_file = kSample, .options = {"node.data_dir=/srv/\xff", "log.level=debug"}},
      true);
  const auto json = Json::parse(report.output);
  EXPECT_EQ(json["file"], kSample);
  const auto& level = json["settings"]["log.level"];
  EXPECT_EQ(level["value"], "debug");
  EXPECT_EQ(level["origin"], (Json{{"kind", "option"}, {"name", "--set log.level=debug"}}));
  ASSERT_EQ(level["overrode"].size(), 2u);
  EXPECT_EQ(level["overrode"][0]["value"], "info");
  EXPECT_EQ(level["overrode"][0]["origin"]["kind"], "file");
  EXPECT_GT(level["overrode"][0]["origin"]["line"], 1);
  EXPECT_EQ(level["overrode"][1]["origin"], (Json{{"kind", "default"}}));
  EXPECT_EQ(json["settings"]["boot.drain_ms"]["unit"], "ms");
  for (const auto& leaf : schema.leaves()) {
    if (!leaf.node->is_map()) {
      EXPECT_TRUE(json["settings"].contains(leaf.path)) << leaf.path;
    }
  }
}

TEST(SampleConfig, IsTheFileInTheRepository) {
  std::ifstream file{kSample, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_EQ(text, sample_config(load_node_schema())) << "write the second text to " << kSample;
}

TEST(SampleConfig, HoldsEveryKeyWithItsDefaultAndADescription) {
  const auto schema = load_node_schema();
  const auto sample = parse_toml_file(kSample);
  ASSERT_TRUE(sample.ok()) << sample.problems.text();
  std::ifstream file{kSample, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  for (const auto& leaf : schema.leaves()) {
    const auto dot = leaf.path.find('.');
    const auto* section = sample.value->find(leaf.path.substr(0, dot));
    ASSERT_NE(section, nullptr) << leaf.path;
    const auto* value = section->find(leaf.path.substr(dot + 1));
    ASSERT_NE(value, nullptr) << leaf.path;
    EXPECT_EQ(*value, *leaf.node->default_value) << leaf.path;
    EXPECT_NE(text.find("# " + leaf.node->description), std::string::npos) << leaf.path;
  }
}

}  // namespace
}  // namespace symphony::runtime
