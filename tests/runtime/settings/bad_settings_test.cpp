// Each bad/NAME.toml is refused with exactly the lines of bad/NAME.expected.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "runtime/settings/node_schema.hpp"
#include "runtime/settings/sources.hpp"
#include "runtime/settings/toml.hpp"

namespace symphony::runtime {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path{SYMPHONY_SOURCE_DIR} / "tests/runtime/settings/bad";

std::string content(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator{kFolder}) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class BadSettings : public testing::TestWithParam<std::string> {};

TEST_P(BadSettings, AreRefusedWithALineForEachProblem) {
  const auto file = kFolder / (GetParam() + ".toml");
  const auto schema = load_node_schema();
  const auto parsed = parse_toml(content(file), file.filename().string());
  auto problems = parsed.problems;
  if (parsed.ok()) {
    const auto combined = combine_settings(schema, parsed.value, {}, {});
    EXPECT_FALSE(combined.ok());
    problems = combined.problems;
  }
  EXPECT_EQ(problems.text(), content(kFolder / (GetParam() + ".expected")));
}

INSTANTIATE_TEST_SUITE_P(Files, BadSettings, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param; });

TEST(BadSettingsFiles, AreThere) { EXPECT_GE(cases().size(), 10u); }

}  // namespace
}  // namespace symphony::runtime
