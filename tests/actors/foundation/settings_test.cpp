#include "actors/foundation/settings.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "messages/json_value.hpp"
#include "runtime/settings/node_schema.hpp"
#include "runtime/settings/settings.hpp"
#include "runtime/settings/sources.hpp"
#include "runtime/settings/toml.hpp"
#include "runtime/testing/test_node.hpp"

namespace symphony::actors {
namespace {

using namespace runtime;

struct Row {
  std::string value;
  std::string origin;
  bool operator==(const Row&) const = default;
};

class SettingsViewTest : public testing::Test {
 protected:
  SettingsViewTest() {
    node_.spawn("/foundation/settings",
                [this](Host& host) { return std::make_unique<SettingsView>(host, settings_); });
  }

  std::map<std::string, Row> show(const std::string& prefix) {
    const auto answer = WaitingRef<protocol::Settings>{node_.asker()}
                            .show([&](auto request) { request.setPrefix(prefix); })
                            .get();
    EXPECT_TRUE(answer.ok());
    std::map<std::string, Row> rows;
    for (const auto row : (*answer)->getSettings())
      rows[row.getKey().cStr()] = {row.getValue().cStr(), row.getOrigin().cStr()};
    return rows;
  }

  static runtime::Settings load() {
    const auto tree =
        parse_toml("[log]\nmax_files = 7\nlevel = \"debug\"\n[log.levels]\n\"/pit\" = \"trace\"\n",
                   "node.toml");
    auto result =
        combine_settings(load_node_schema(), tree.value, {{"SYMPHONY_LOG_MAX_FILES", "9"}}, {});
    EXPECT_TRUE(result.ok()) << result.problems.text();
    return std::move(*result.value);
  }

  const runtime::Settings settings_ = load();
  TestNode node_;
};

TEST_F(SettingsViewTest, ShowsValuesAsJsonWithTheirOrigin) {
  const auto rows = show("log");
  EXPECT_EQ(rows.at("log.level"), (Row{"\"debug\"", "node.toml:3"}));
  EXPECT_EQ(rows.at("log.max_files"), (Row{"9", "environment SYMPHONY_LOG_MAX_FILES"}));
  EXPECT_EQ(rows.at("log.levels./pit"), (Row{"\"trace\"", "node.toml:5"}));
}

TEST_F(SettingsViewTest, ShowsAllWithoutAPrefixEachAsJsonThatCanBeRead) {
  const auto rows = show("");
  EXPECT_EQ(rows.size(), settings_.all().size());
  for (const auto& [key, row] : rows) EXPECT_TRUE(Json::accept(row.value)) << key;
  EXPECT_EQ(rows.at("health.interval_ms").origin, "default");
}

TEST_F(SettingsViewTest, APrefixIsAWholeSectionOrKey) {
  for (const auto& [key, row] : show("log")) EXPECT_TRUE(key.starts_with("log.")) << key;
  EXPECT_EQ(show("log.level").size(), 1u);
  EXPECT_TRUE(show("lo").empty());
}

}  // namespace
}  // namespace symphony::actors
