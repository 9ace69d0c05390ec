// Melodies in files with what is expected of them beside: bad/*.toml with the problems in
// *.expected, good/*.toml with *.show and *.dot.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "actors/orchestration/melody/render.hpp"
#include "tests/actors/orchestration/melody/test_operators.hpp"

namespace symphony::actors {
namespace {

namespace fs = std::filesystem;

fs::path folder(std::string_view name) {
  return fs::path(SYMPHONY_SOURCE_DIR) / "tests/actors/orchestration/melody" / name;
}

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in.good()) << file;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<fs::path> melodies(std::string_view name) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder(name))) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

LoadedMelody load(const fs::path& file) {
  const OperatorRegistry operators = test::described_operators();
  return load_melody(content(file), file.filename().string(), operators);
}

fs::path beside(fs::path file, std::string_view extension) {
  return file.replace_extension(extension);
}

TEST(MelodyFiles, EveryBadMelodyIsRefusedWithALineForEachProblem) {
  const auto files = melodies("bad");
  ASSERT_GE(files.size(), 20U);
  for (const fs::path& file : files) {
    const LoadedMelody loaded = load(file);
    EXPECT_FALSE(loaded.plan.has_value()) << file;
    EXPECT_EQ(loaded.problems.text(), content(beside(file, ".expected"))) << file;
  }
}

TEST(MelodyFiles, EveryGoodMelodyShowsAndDrawsAsExpected) {
  const auto files = melodies("good");
  ASSERT_GE(files.size(), 3U);
  for (const fs::path& file : files) {
    const LoadedMelody loaded = load(file);
    ASSERT_TRUE(loaded.plan.has_value()) << file << "\n" << loaded.problems.text();
    EXPECT_EQ(render_text(*loaded.plan), content(beside(file, ".show"))) << file;
    EXPECT_EQ(to_dot(*loaded.plan), content(beside(file, ".dot"))) << file;
  }
}

}  // namespace
}  // namespace symphony::actors
