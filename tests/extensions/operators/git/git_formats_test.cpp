// Repositories as people have them: every format and state that git reads is read, and what cannot
// be read is said.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "tests/extensions/operators/git/scratch_repository.hpp"
#include "tests/extensions/support.hpp"

namespace symphony::extensions {
namespace {

using testing::MemoryContext;
using testing::must;
using testing::TempDir;

const Author kAda{"Ada", "ada@example.org"};
const Author kBob{"Bob", "bob@example.org"};

class GitFormats : public ::testing::Test {
 protected:
  GitFormats() {
    add_git_operators(registry_);
    add_file_operators(registry_);
  }
  Json run(std::string_view name, Json arguments) {
    return must(testing::run(registry_, name, std::move(arguments)));
  }
  Json on(std::string_view name, const std::string& path, Json arguments = Json::object()) {
    arguments["path"] = path;
    return run(name, std::move(arguments));
  }
  static std::string text(const Json& value) { return value.get<std::string>(); }
  static bool has(const Json& note, std::string_view words) {
    return text(note).find(words) != std::string::npos;
  }
  std::vector<std::string> listed(const std::string& root) {
    std::vector<std::string> paths;
    const Json found = run("file.glob", {{"root", root}, {"hidden", true}});
    for (const Json& file : found["files"]) paths.push_back(text(file["path"]));
    return paths;
  }
  // Tracked files, of which .gitignore names one.
  static void fill(const ScratchRepository& repository) {
    repository.write("a.c", "int a;\n");
    repository.write(".gitignore", "*.gen.c\n");
    repository.write("b.gen.c", "int g;\n");
    repository.git({"add", "-f", "."});
    repository.commit(0, kAda);
  }

  actors::OperatorRegistry registry_;
  TempDir elsewhere_;
  const std::vector<std::string> kAll{".gitignore", "a.c", "b.gen.c"};
};

// It would be kept as what the repository is like, and not be tried again.
TEST_F(GitFormats, ThatGitCannotBeStartedIsAFailureAndNoAnswer) {
  const ScratchRepository repository;
  fill(repository);
  const Json here{{"path", repository.path()}};
  const Json items{{{"path", "a.c"}, {"line", 1}}};
  for (const char* program : {"/no/such/program", "/bin/true"}) {
    runtime::ForkServer broken({.program = program});
    MemoryContext context;
    context.own_fork_server = &broken;
    const auto fails = [&](std::string_view name, const Json& arguments) {
      const auto result = testing::run(registry_, name, arguments, context);
      ASSERT_FALSE(result.ok()) << name << ": " << result->dump();
      EXPECT_TRUE(result.error().retryable) << to_string(result.error());
    };
    for (const char* name : {"git.info", "git.churn", "git.authors", "git.log"}) fails(name, here);
    fails("git.blame_age", {{"path", repository.path()}, {"items", items}});
    fails("file.glob", {{"root", repository.path()}});
  }
}

TEST_F(GitFormats, ReadARepositoryWithSha256Names) {
  const ScratchRepository repository({"--object-format=sha256"});
  fill(repository);
  repository.write("a.c", "int a;\n// TODO\n");
  repository.commit(1, kBob);
  const Json info = on("git.info", repository.path());
  EXPECT_EQ(info["commits"], 2);
  EXPECT_EQ(text(info["head"]).size(), 64u);
  EXPECT_EQ(on("git.churn", repository.path())["files"][0]["lines_added"], 2);
  const Json items{{{"path", "a.c"}, {"line", 2}}};
  EXPECT_EQ(on("git.blame_age", repository.path(), {{"items", items}})["items"][0]["author"],
            "Bob");
  EXPECT_EQ(listed(repository.path()), kAll);
}

TEST_F(GitFormats, CountCommitsButNoLinesInAPartialCloneAndFetchNothing) {
  const ScratchRepository origin;
  origin.write("a.c", "int a;\nint b;\n");
  origin.commit(0, kAda);
  origin.write("a.c", "int a;\nint c;\nint d;\n");
  origin.commit(1, kBob);
  origin.git({"config", "uploadpack.allowFilter", "true"});
  const std::string clone = elsewhere_ / "clone";
  origin.git({"clone", "-q", "--filter=blob:none", "file://" + origin.path(), clone});
  const auto objects = [&] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(clone + "/.git/objects"))
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  };
  const std::size_t before = objects();
  const Json churn = on("git.churn", clone);
  EXPECT_EQ(churn["commits"], 2);
  EXPECT_EQ(churn["with_lines"], false);
  EXPECT_TRUE(has(churn["note"], "partial clone")) << churn["note"];
  ASSERT_EQ(churn["files"].size(), 1u);
  EXPECT_EQ(churn["files"][0]["commits"], 2);
  EXPECT_EQ(churn["files"][0]["lines_added"], nullptr);
  EXPECT_EQ(churn["authors"].size(), 2u);
  const Json blame = on("git.blame_age", clone, {{"files", {"a.c"}}});
  EXPECT_TRUE(has(blame["note"], "cannot be blamed")) << blame["note"];
  EXPECT_EQ(objects(), before) << "something was fetched";
}

TEST_F(GitFormats, SayThatChangedFilesAreUnknownInACloneWithoutDirectories) {
  const ScratchRepository origin;
  origin.write("d/a.c", "int a;\n");
  origin.commit(0, kAda);
  origin.write("d/a.c", "int b;\n");
  origin.commit(1, kBob);
  origin.git({"config", "uploadpack.allowFilter", "true"});
  const std::string clone = elsewhere_ / "clone";
  origin.git({"clone", "-q", "--filter=tree:0", "--no-checkout", "file://" + origin.path(), clone});
  const Json churn = on("git.churn", clone);
  EXPECT_EQ(churn["commits"], 2);
  EXPECT_EQ(churn["file_count"], nullptr) << "not zero";
  EXPECT_TRUE(has(churn["note"], "not known")) << churn["note"];
  const Json log = on("git.log", clone);
  ASSERT_EQ(log["commits"].size(), 2u);
  EXPECT_EQ(log["commits"][0]["files"], nullptr);
}

TEST_F(GitFormats, SeeTrackedAndChangedFilesThroughEveryFormOfTheIndex) {
  using Steps = std::vector<std::vector<std::string>>;
  const std::vector<std::pair<std::string, Steps>> forms{
      {"split", {{"update-index", "--split-index"}}},
      {"version 4", {{"update-index", "--index-version", "4"}}},
      {"untracked cache", {{"update-index", "--force-untracked-cache"}}},
      {"sparse", {{"sparse-checkout", "set", "--cone", "--sparse-index", "kept"}}}};
  for (const auto& [form, steps] : forms) {
    const ScratchRepository repository;
    repository.write("kept/k.c", "int k;\n");
    repository.write("away/w.c", "int w;\n");
    fill(repository);
    for (const auto& step : steps) repository.git(step);
    repository.write("a.c", "int b;\n");
    const Json info = on("git.info", repository.path());
    EXPECT_EQ(info["changed_files"], 1) << form << ": " << info["note"];
    const auto files = listed(repository.path());
    EXPECT_NE(std::ranges::find(files, "b.gen.c"), files.end()) << form;
    EXPECT_EQ(on("git.churn", repository.path())["files"].size(), 5u) << form;
  }
}

TEST_F(GitFormats, ReadWorkTreesOfOtherOwners) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const ScratchRepository repository;
  fill(repository);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(repository.path()))
    ASSERT_EQ(::lchown(entry.path().c_str(), 12345, 12345), 0);
  ASSERT_EQ(::lchown(repository.path().c_str(), 12345, 12345), 0);
  EXPECT_EQ(on("git.info", repository.path())["commits"], 1);
  EXPECT_EQ(listed(repository.path()), kAll);
}

TEST_F(GitFormats, ReadSettingsOfALinkedWorkTreeAndItsExcludes) {
  const ScratchRepository repository;
  fill(repository);
  repository.git({"config", "extensions.worktreeConfig", "true"});
  const std::string linked = elsewhere_ / "linked";
  repository.git({"worktree", "add", "-q", "-b", "side", linked});
  repository.git({"-C", linked, "config", "--worktree", "core.whitespace", "cr-at-eol"});
  repository.write(".git/info/exclude", "private.c\n");
  elsewhere_.write("linked/private.c", "int p;\n");
  const Json info = on("git.info", linked);
  EXPECT_EQ(info["branch"], "side");
  EXPECT_EQ(info["changed_files"], 0);
  EXPECT_EQ(listed(linked), kAll);
}

TEST_F(GitFormats, FollowAlternatesReplacementsAndGrafts) {
  const ScratchRepository repository;
  for (int day = 0; day < 3; ++day) {
    repository.write("a.c", "int a" + std::to_string(day) + ";\n");
    repository.commit(day, kAda);
  }
  const std::string borrowing = elsewhere_ / "borrowing";
  repository.git({"clone", "-q", "--shared", repository.path(), borrowing});
  EXPECT_EQ(on("git.churn", borrowing)["files"][0]["commits"], 3);
  repository.git({"replace", "--graft", "HEAD", "HEAD~2"});
  EXPECT_EQ(on("git.churn", repository.path())["files"][0]["commits"], 2) << "as git log has it";
}

TEST_F(GitFormats, ReadTextInTheEncodingThatACommitDeclares) {
  const ScratchRepository repository;
  repository.write("a.c", "1\n");
  repository.git({"config", "i18n.commitEncoding", "ISO-8859-1"});
  repository.commit(0, {"J\xf6rg", "joerg@example.org"},
                    "Gr\xfc\xdf"
                    "e");
  const Json log = on("git.log", repository.path());
  EXPECT_EQ(log["commits"][0]["author"], "J\u00f6rg");
  EXPECT_EQ(log["commits"][0]["summary"], "Gr\u00fc\u00dfe");
  const Json blame =
      on("git.blame_age", repository.path(), {{"items", Json{{{"path", "a.c"}, {"line", 1}}}}});
  EXPECT_EQ(blame["items"][0]["author"], "J\u00f6rg");
}

TEST_F(GitFormats, TellADamagedBranchFromOneWithoutCommits) {
  const ScratchRepository repository;
  EXPECT_TRUE(has(on("git.info", repository.path())["note"], "no commits yet"));
  repository.write("a.c", "1\n");
  repository.commit(0);
  repository.write(".git/refs/heads/main", "");
  const Json info = on("git.info", repository.path());
  EXPECT_TRUE(has(info["note"], "damaged")) << info["note"];
  EXPECT_TRUE(has(on("git.churn", repository.path())["note"], "damaged"));
}

TEST_F(GitFormats, ReadAroundADamagedObjectAndSaySo) {
  const ScratchRepository repository;
  for (int day = 0; day < 4; ++day) {
    repository.write("a.c", "line " + std::to_string(day) + "\n");
    repository.commit(day, kAda);
  }
  const std::string blob = repository.answer({"rev-parse", "HEAD~1:a.c"}).substr(0, 40);
  const std::string object =
      repository.path() + "/.git/objects/" + blob.substr(0, 2) + "/" + blob.substr(2);
  ASSERT_TRUE(std::filesystem::remove(object));
  const Json churn = on("git.churn", repository.path());
  EXPECT_EQ(churn["commits"], 4);
  EXPECT_EQ(churn["files"][0]["commits"], 2) << "the commits on either side need it";
  EXPECT_TRUE(has(churn["note"], "2 commits")) << churn["note"];
}

TEST_F(GitFormats, SayThatABareRepositoryHoldsNoTreeOfFiles) {
  const ScratchRepository repository;
  fill(repository);
  const std::string bare = elsewhere_ / "tree/bare.git";
  repository.git({"clone", "-q", "--bare", repository.path(), bare});
  MemoryContext context;
  const auto refused = testing::run(registry_, "file.glob", {{"root", bare}}, context);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("bare git repository"), std::string::npos);
  elsewhere_.write("tree/a.c", "int a;\n");
  EXPECT_EQ(listed(elsewhere_ / "tree"), std::vector<std::string>{"a.c"});
  EXPECT_EQ(on("git.info", bare)["changed_files"], nullptr);
  EXPECT_EQ(on("git.blame_age", bare, {{"files", {"a.c"}}})["files"][0]["lines"], 1);
}

TEST_F(GitFormats, StartNoProgramThatARepositoryNames) {
  const ScratchRepository repository;
  fill(repository);
  repository.write("a.c", "int b;\n");
  repository.commit(1, kAda);
  repository.write("a.c", "int c;\n");
  const std::string trace = elsewhere_ / "started";
  const std::string program = elsewhere_ / "program";
  elsewhere_.write("program", "#!/bin/sh\necho \"$0 $*\" >> " + shell_quoted(trace) + "\ncat\n");
  ASSERT_EQ(::chmod(program.c_str(), 0755), 0);
  repository.write(".gitattributes", "*.c filter=f diff=d\n");
  for (const char* hook : {"post-index-change", "reference-transaction", "fsmonitor-watchman"}) {
    repository.write(std::string(".git/hooks/") + hook, "#!" + program + "\n");
    ASSERT_EQ(::chmod((repository.path() + "/.git/hooks/" + hook).c_str(), 0755), 0);
  }
  std::string config = repository.read(".git/config");
  config += "[core]\n\tfsmonitor = " + program + "\n\tsshCommand = " + program +
            "\n\tpager = " + program + "\n\taskPass = " + program +
            "\n[diff]\n\texternal = " + program + "\n[diff \"d\"]\n\ttextconv = " + program +
            "\n\tcommand = " + program + "\n[filter \"f\"]\n\tclean = " + program +
            "\n\tsmudge = " + program +
            "\n\trequired = true\n[log]\n\tshowSignature = true\n[gpg]\n\tprogram = " + program +
            "\n[blame]\n\tignoreRevsFile = /nonexistent\n";
  repository.write(".git/config", config);
  const Json info = on("git.info", repository.path());
  EXPECT_EQ(info["is_repository"], true) << info["note"];
  EXPECT_TRUE(has(info["note"], "filter")) << "a.c may have changed: " << info["note"];
  EXPECT_EQ(on("git.churn", repository.path())["commits"], 2);
  EXPECT_EQ(on("git.log", repository.path())["commits"].size(), 2u);
  const Json blame = on("git.blame_age", repository.path(), {{"files", {"a.c"}}});
  EXPECT_EQ(blame["files"].size(), 1u) << blame["note"];
  listed(repository.path());
  EXPECT_FALSE(std::filesystem::exists(trace)) << elsewhere_.read("started");
}

TEST_F(GitFormats, HeedNoVariableOfTheirSurroundings) {
  const ScratchRepository repository;
  fill(repository);
  const ScratchRepository other;
  ::setenv("GIT_DIR", (other.path() + "/.git").c_str(), 1);
  ::setenv("GIT_INDEX_FILE", "/nonexistent", 1);
  const Json info = on("git.info", repository.path());
  const auto files = listed(repository.path());
  ::unsetenv("GIT_DIR");
  ::unsetenv("GIT_INDEX_FILE");
  EXPECT_EQ(info["commits"], 1);
  EXPECT_EQ(info["changed_files"], 0);
  EXPECT_EQ(files, kAll);
}

TEST_F(GitFormats, TakePeopleOfOneNameOrOneAddressForOnePerson) {
  const ScratchRepository repository;
  repository.write("a.c", "1\n");
  repository.commit(0, {"Ada", "ada@home.example"});
  repository.write("a.c", "2\n");
  repository.commit(1, {"Ada", "ADA@work.example"});
  repository.write("a.c", "3\n");
  repository.commit(2, {"A. Lovelace", "ada@work.example"});
  repository.write("a.c", "4\n");
  repository.commit(3, kBob);
  const Json churn = on("git.churn", repository.path());
  ASSERT_EQ(churn["authors"].size(), 2u) << churn["authors"];
  EXPECT_EQ(churn["authors"][0]["commits"], 3);
  EXPECT_EQ(churn["files"][0]["authors"], 2);
  EXPECT_EQ(on("git.authors", repository.path())["bus_factor"], 1);
}

TEST_F(GitFormats, MatchAddressesOfTheMailmapWhateverTheirCase) {
  const ScratchRepository repository;
  repository.write(".mailmap", "Ann <ann@example.org> <ann.other@corp.example.org>\n");
  repository.commit(0, {"Ann", "ann@example.org"});
  repository.commit(1, {"Somebody Else", "Ann.Other@Corp.Example.org"});
  const Json authors = on("git.authors", repository.path())["authors"];
  ASSERT_EQ(authors.size(), 1u) << authors;
  EXPECT_EQ(authors[0]["name"], "Ann");
}

TEST_F(GitFormats, SayThatLinesAtTheEdgeOfAShallowCloneMayBeOlder) {
  const ScratchRepository repository;
  for (int day = 0; day < 3; ++day) {
    repository.write("a.c", std::string("old\n") + std::to_string(day) + "\n");
    repository.commit(day, kAda);
  }
  const std::string shallow = elsewhere_ / "shallow";
  repository.git({"clone", "-q", "--depth", "2", "file://" + repository.path(), shallow});
  const Json items{{{"path", "a.c"}, {"line", 1}}, {{"path", "a.c"}, {"line", 2}}};
  const Json blame = on("git.blame_age", shallow, {{"items", items}});
  EXPECT_EQ(blame["items"][0]["at_least"], true) << blame;
  EXPECT_FALSE(blame["items"][1].contains("at_least"));
  EXPECT_TRUE(has(blame["note"], "shallow"));
  const Json limited =
      on("git.blame_age", repository.path(), {{"items", items}, {"max_commits", 2}});
  EXPECT_EQ(limited["items"][0]["at_least"], true) << limited;
}

TEST_F(GitFormats, EndAGitThatIsAtWorkWhenCancelled) {
  const ScratchRepository repository;
  repository.write("a.c", "1\n");
  repository.commit(0);
  // A git that takes a minute over each blame.
  const std::string path = ::getenv("PATH");
  elsewhere_.write("git", "#!/bin/sh\nPATH=" + path +
                              "\n[ \"$3\" = blame ] && exec sleep 60\nexec git \"$@\"\n");
  ASSERT_EQ(::chmod((elsewhere_ / "git").c_str(), 0755), 0);
  ::setenv("PATH", (elsewhere_.path() + ":" + path).c_str(), 1);
  MemoryContext context;
  context.cancel_after_polls(100);
  const auto begun = std::chrono::steady_clock::now();
  const auto result = testing::run(registry_, "git.blame_age",
                                   {{"path", repository.path()}, {"files", {"a.c"}}}, context);
  ::setenv("PATH", path.c_str(), 1);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Errc::CANCELLED);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(40));
}

TEST_F(GitFormats, SayThatGitIsNotInstalled) {
  const ScratchRepository repository;
  fill(repository);
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", elsewhere_.path().c_str(), 1);
  const Json info = on("git.info", repository.path());
  const Json glob = run("file.glob", {{"root", repository.path()}, {"hidden", true}});
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(info["is_repository"], false);
  EXPECT_TRUE(has(info["note"], "not installed")) << info["note"];
  ASSERT_EQ(glob["skipped"].size(), 1u) << "b.gen.c is missing, and that is said";
  EXPECT_TRUE(has(glob["skipped"][0]["reason"], "not installed"));
}

}  // namespace
}  // namespace symphony::extensions
