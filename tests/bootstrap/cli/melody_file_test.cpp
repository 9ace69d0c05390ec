#include "actors/bootstrap/cli/melody_file.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_dir.hpp"

namespace symphony::cli {
namespace {

namespace fs = std::filesystem;

class MelodyFile : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto& directory : directories) fs::create_directories(directory);
  }
  static void put(const fs::path& file) { std::ofstream{file} << "name = \"m\"\n"; }

  test::TempDir dir;
  std::vector<fs::path> directories{dir.path() / "own", dir.path() / "shipped"};
};

TEST_F(MelodyFile, IsFoundByNameInTheFirstDirectoryThatHasIt) {
  put(directories[1] / "report.toml");
  EXPECT_EQ(find_melody("report", directories), (directories[1] / "report.toml").native());
  put(directories[0] / "report.toml");
  EXPECT_EQ(find_melody("report", directories), (directories[0] / "report.toml").native());
}

TEST_F(MelodyFile, StaysWhatItIsWhenItIsAPathOrLiesNowhere) {
  put(directories[0] / "report.toml");
  for (const auto* named : {"report.toml", "./report", "../own/report", "", "other"})
    EXPECT_EQ(find_melody(named, directories), named);
}

TEST_F(MelodyFile, ThatCannotBeLookedAtIsNotReplacedByAnother) {
  fs::create_symlink("report.toml", directories[0] / "report.toml");  // ELOOP, for root too
  put(directories[1] / "report.toml");
  EXPECT_EQ(find_melody("report", directories), (directories[0] / "report.toml").native());
}

}  // namespace
}  // namespace symphony::cli
