#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/extensions/melodies/melody_runner.hpp"
#include "tests/extensions/operators/git/scratch_repository.hpp"

namespace symphony::extensions {
namespace {

using testing::TempDir;

const std::string kMelody = std::string(SYMPHONY_SOURCE_DIR) + "/config/melodies/repo-report.toml";
const std::string kStarted = "2020-03-01T00:00:00Z";

class RepoReport : public ::testing::Test {
 protected:
  Json report_on(const std::string& path) {
    const Json inputs{{"path", path}, {"output", output_.path()}, {"title", "The tree"}};
    auto outputs = runner_.run(kMelody, inputs, kStarted);
    if (!outputs) {
      ADD_FAILURE() << to_string(outputs.error());
      return Json::object();
    }
    html_ = file_text(output_.path() + "/report.html");
    markdown_ = file_text(output_.path() + "/report.md");
    return *outputs;
  }

  TempDir output_;
  MelodyRunner runner_;
  std::string html_;
  std::string markdown_;
};

void expect_mentioned(const std::string& text, std::initializer_list<const char*> words) {
  for (const char* word : words) EXPECT_NE(text.find(word), std::string::npos) << word;
}

TEST_F(RepoReport, ShowsWhatIsInARepository) {
  const ScratchRepository repository;
  repository.write("LICENSE", "MIT License\n");
  repository.write("src/a.c", "// TODO: tidy up\nint f(int x) { return x ? 1 : 2; }\n");
  repository.commit(0);
  for (int day = 1; day < 4; ++day) {
    repository.write("src/a.c", "// TODO: tidy up\nint f(int x) { return x ? 1 : " +
                                    std::to_string(day) + "; }\n");
    repository.commit(day, {"Bob", "bob@example.org"});
  }
  repository.write("one.py", "x = 1\n");
  repository.write("two.py", "x = 1\n");
  repository.commit(5);
  const Json outputs = report_on(repository.path());
  EXPECT_EQ(outputs["html"], output_.path() + "/report.html");
  EXPECT_EQ(outputs["files"], 4);
  EXPECT_EQ(runner_.stored(), 4u + 2) << "the files, and the report in two forms";
  expect_mentioned(html_, {"The tree", "2020-03-01", "Python", "a.c", "tidy up", "2 months", "Bob",
                           "one.py", "MIT", "<svg", "prefers-color-scheme: dark"});
  expect_mentioned(markdown_, {"# The tree", "| Python |", "tidy up", "Bus factor 1"});
  EXPECT_EQ(html_.find("<script"), std::string::npos);
}

TEST_F(RepoReport, IsTheSameForTheSameInputs) {
  const ScratchRepository repository;
  repository.write("a.c", "int f(void) { return 1; } // FIXME\n");
  repository.commit(0);
  report_on(repository.path());
  const std::string first = html_ + markdown_;
  report_on(repository.path());
  EXPECT_EQ(first, html_ + markdown_);
}

TEST_F(RepoReport, DoesNotReportOnItselfHoweverItsPlaceIsWritten) {
  const TempDir tree;
  tree.write("a.c", "int f(void) { return 1; }\n");
  tree.write("sub/symphony-report/b.c", "int g(void) { return 1; }\n");
  std::filesystem::create_directory(tree / "out");
  std::filesystem::create_directory_symlink("out", tree / "link");
  const auto relative = std::filesystem::relative(tree.path()).string();
  for (const auto& output : {tree / "out", tree / "./out", tree / "sub/../out/", tree / "link",
                             relative + "/out", "./" + relative + "/out"}) {
    const Json inputs{{"path", tree.path()}, {"output", output}};
    for (int times = 0; times < 2; ++times) {
      auto outputs = runner_.run(kMelody, inputs, kStarted);
      ASSERT_TRUE(outputs) << to_string(outputs.error());
      EXPECT_EQ((*outputs)["files"], 2) << output;
    }
    EXPECT_TRUE(std::filesystem::exists(tree / "out/report.html")) << output;
  }
}

TEST_F(RepoReport, WorksWithoutARepository) {
  const TempDir tree;
  tree.write("a.c", "int f(void) { return 1; }\n");
  EXPECT_EQ(report_on(tree.path())["files"], 1);
  expect_mentioned(html_, {"Not in a git repository."});
}

TEST_F(RepoReport, WorksOnAnEmptyDirectory) {
  const TempDir tree;
  EXPECT_EQ(report_on(tree.path())["files"], 0);
  expect_mentioned(html_, {"No file in a known language"});
}

TEST_F(RepoReport, WorksOnFilesOfEveryKind) {
  const TempDir tree;
  tree.write("<b>\"'&\n|\xff.c", "int f(void) { return 1; } // TODO <script>alert(1)</script>\n");
  tree.write("binary", std::string("\0\1\2", 3));
  tree.write("empty.c", "");
  std::filesystem::create_symlink("..", tree.path() + "/loop");
  ASSERT_EQ(::mkfifo((tree.path() + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(report_on(tree.path())["files"], 3);
  EXPECT_EQ(html_.find("<script"), std::string::npos);
  EXPECT_EQ(html_.find("<b>\""), std::string::npos);
}

}  // namespace
}  // namespace symphony::extensions
