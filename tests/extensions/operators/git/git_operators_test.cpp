#include <gtest/gtest.h>

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

class GitOperators : public ::testing::Test {
 protected:
  GitOperators() { add_git_operators(registry_); }

  Json run(std::string_view name, Json arguments) {
    return must(testing::run(registry_, name, std::move(arguments)));
  }
  static Json find(const Json& list, std::string_view key, std::string_view value) {
    for (const Json& item : list) {
      if (item.at(std::string(key)) == value) return item;
    }
    return nullptr;
  }

  actors::OperatorRegistry registry_;
};

TEST_F(GitOperators, SayThatThereIsNoRepositoryInsteadOfFailing) {
  const TempDir directory;
  directory.write("a.txt", "a\n");
  EXPECT_EQ(run("git.info", {{"path", directory.path()}})["is_repository"], false);
  EXPECT_EQ(run("git.log", {{"path", directory.path()}})["commits"], Json::array());
  EXPECT_EQ(run("git.churn", {{"path", directory.path()}})["files"], Json::array());
  EXPECT_EQ(run("git.authors", {{"path", directory.path()}})["bus_factor"], nullptr);
  const Json items{{{"path", "a.txt"}, {"line", 1}}};
  const Json blame = run("git.blame_age", {{"path", directory.path()}, {"items", items}});
  EXPECT_EQ(blame["is_repository"], false);
  EXPECT_EQ(blame["items"], items);
  const Json info = run("git.info", {{"path", directory.path()}});
  EXPECT_EQ(info["note"], "Not in a git repository.");
  for (const char* unknown : {"commits", "dirty", "changed_files"})
    EXPECT_EQ(info[unknown], nullptr) << unknown << " is not known, and no zero";
  EXPECT_EQ(run("git.churn", {{"path", directory.path()}})["commits"], nullptr);
}

TEST_F(GitOperators, LiveWithARepositoryThatHasNoCommits) {
  const ScratchRepository repository;
  const Json info = run("git.info", {{"path", repository.path()}});
  EXPECT_EQ(info["is_repository"], true);
  EXPECT_EQ(info["head"], "");
  EXPECT_EQ(info["branch"], "main");
  EXPECT_EQ(info["commits"], 0);
  EXPECT_EQ(run("git.churn", {{"path", repository.path()}})["files"], Json::array());
}

TEST_F(GitOperators, TellHowFarTheyAre) {
  const ScratchRepository repository;
  repository.write("a.txt", "a\n");
  repository.commit(1, kAda);
  const Json items{{{"path", "a.txt"}, {"line", 1}}};
  for (const auto& [name, arguments] : {std::pair<std::string, Json>{"git.churn", Json::object()},
                                        {"git.blame_age", {{"items", items}}}}) {
    MemoryContext context;
    Json all = arguments;
    all["path"] = repository.path();
    must(testing::run(registry_, name, std::move(all), context));
    EXPECT_EQ(context.fraction, 1) << name;
  }
}

TEST_F(GitOperators, LiveWithADamagedRepository) {
  const ScratchRepository repository;
  repository.write(".git/config", "[core]\n\trepositoryformatversion = 99\n");
  const Json info = run("git.info", {{"path", repository.path()}});
  EXPECT_EQ(info["is_repository"], false);
  EXPECT_NE(info["note"].get<std::string>().find("version"), std::string::npos) << info["note"];
  EXPECT_EQ(run("git.blame_age", {{"path", repository.path()}})["note"], info["note"]);
}

TEST_F(GitOperators, TellHeadBranchAndWhetherFilesChanged) {
  const ScratchRepository repository;
  repository.write("a.txt", "a\n");
  repository.commit(0);
  repository.write("untracked.txt", "u\n");
  Json info = run("git.info", {{"path", repository.path()}});
  EXPECT_EQ(info["dirty"], false);
  EXPECT_EQ(info["commits"], 1);
  EXPECT_EQ(info["head"].get<std::string>().size(), 40u);
  EXPECT_EQ(info["head_time"], "2020-01-01T00:00:00Z");
  repository.write("a.txt", "b\n");
  repository.git({"checkout", "-q", "--detach"});
  info = run("git.info", {{"path", repository.path()}});
  EXPECT_EQ(info["dirty"], true);
  EXPECT_EQ(info["branch"], "");
}

TEST_F(GitOperators, ListCommitsFromNewToOldAndSince) {
  const ScratchRepository repository;
  repository.write("a.txt", "a\n");
  repository.commit(0, kAda, "First");
  repository.write("b.txt", "b\n");
  repository.commit(10, kBob, "Second\n\nwith a body");
  const Json log = run("git.log", {{"path", repository.path()}});
  ASSERT_EQ(log["commits"].size(), 2u);
  EXPECT_EQ(log["commits"][0]["summary"], "Second");
  EXPECT_EQ(log["commits"][0]["author"], "Bob");
  EXPECT_EQ(log["commits"][0]["files"], Json({"b.txt"}));
  EXPECT_EQ(log["commits"][1]["time"], "2020-01-01T00:00:00Z");
  EXPECT_EQ(log["truncated"], false);
  const Json since = run("git.log", {{"path", repository.path()}, {"since", "2020-01-05"}});
  EXPECT_EQ(since["commits"].size(), 1u);
  const Json one = run("git.log", {{"path", repository.path()}, {"max_commits", 1}});
  EXPECT_EQ(one["commits"].size(), 1u);
  EXPECT_EQ(one["truncated"], true);
}

TEST_F(GitOperators, RefuseATimeThatIsNone) {
  MemoryContext context;
  const auto result =
      testing::run(registry_, "git.log", {{"path", "."}, {"since", "soon"}}, context);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(result.error().field, "since");
}

TEST_F(GitOperators, CountChurnPerFileWithItsPeople) {
  const ScratchRepository repository;
  repository.write("src/hot.c", "1\n2\n3\n");
  repository.write("cold.c", "1\n");
  repository.commit(0, kAda);
  repository.write("src/hot.c", "1\n2\nthree\nfour\n");
  repository.commit(1, kBob);
  repository.write("gone.c", "x\n");
  repository.commit(2, kBob);
  std::filesystem::remove(repository.path() + "/gone.c");
  repository.commit(3, kBob);
  const Json churn = run("git.churn", {{"path", repository.path()}});
  ASSERT_EQ(churn["files"].size(), 2u) << churn["files"];
  const Json& hot = churn["files"][0];
  EXPECT_EQ(hot["path"], "src/hot.c");
  EXPECT_EQ(hot["commits"], 2);
  EXPECT_EQ(hot["lines_added"], 5);
  EXPECT_EQ(hot["lines_removed"], 1);
  EXPECT_EQ(hot["last_change"], "2020-01-02T00:00:00Z");
  EXPECT_EQ(hot["authors"], 2);
  EXPECT_EQ(hot["top_author"], "Ada");
  EXPECT_DOUBLE_EQ(hot["top_author_share"].get<double>(), 0.5);
  EXPECT_EQ(churn["commits"], 4);
  EXPECT_EQ(churn["authors"][0]["name"], "Ada");
  EXPECT_EQ(churn["authors"][0]["changes"], 4);
  EXPECT_EQ(churn["authors"][1]["changes"], 3);
}

TEST_F(GitOperators, FollowARenameToTheNewestName) {
  const ScratchRepository repository;
  repository.write("old.c", "1\n2\n3\n4\n5\n6\n7\n8\n");
  repository.commit(0);
  repository.git({"mv", "old.c", "new.c"});
  repository.commit(1);
  repository.write("new.c", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  repository.commit(2);
  const Json churn = run("git.churn", {{"path", repository.path()}});
  ASSERT_EQ(churn["files"].size(), 1u);
  EXPECT_EQ(churn["files"][0]["path"], "new.c");
  EXPECT_EQ(churn["files"][0]["commits"], 3);
  EXPECT_EQ(churn["files"][0]["lines_added"], 9);
}

TEST_F(GitOperators, KeepPathsRelativeToASubdirectory) {
  const ScratchRepository repository;
  repository.write("lib/a b.c", "1\n");
  repository.write("other.c", "1\n");
  repository.commit(0);
  const Json churn = run("git.churn", {{"path", repository.path() + "/lib"}});
  ASSERT_EQ(churn["files"].size(), 1u);
  EXPECT_EQ(churn["files"][0]["path"], "a b.c");
  const Json blame =
      run("git.blame_age", {{"path", repository.path() + "/lib"}, {"files", {"a b.c"}}});
  ASSERT_EQ(blame["files"].size(), 1u);
  EXPECT_EQ(blame["files"][0]["lines"], 1);
}

TEST_F(GitOperators, CountNothingTwiceAcrossAMerge) {
  const ScratchRepository repository;
  repository.write("a.c", "1\n");
  repository.commit(0);
  repository.git({"checkout", "-q", "-b", "side"});
  repository.write("b.c", "1\n2\n");
  repository.commit(1);
  repository.git({"checkout", "-q", "main"});
  repository.write("a.c", "1\n2\n");
  repository.commit(2);
  repository.git({"-c", "user.name=m", "-c", "user.email=m@example.org", "merge", "-q", "--no-ff",
                  "-m", "Merge", "side"});
  const Json churn = run("git.churn", {{"path", repository.path()}});
  EXPECT_EQ(churn["commits"], 4);
  EXPECT_EQ(find(churn["files"], "path", "b.c")["commits"], 1);
  EXPECT_EQ(find(churn["files"], "path", "b.c")["lines_added"], 2);
}

TEST_F(GitOperators, ReadPathsWithQuotesNewlinesAndStrayBytes) {
  const ScratchRepository repository;
  const std::string nasty = "a \"b\"\n\xff.c";
  repository.write(nasty, "1\n");
  repository.commit(0);
  const Json churn = run("git.churn", {{"path", repository.path()}});
  ASSERT_EQ(churn["files"].size(), 1u);
  EXPECT_NO_THROW(churn.dump());  // the path is UTF-8 now
  const Json blame =
      run("git.blame_age", {{"path", repository.path()}, {"files", {churn["files"][0]["path"]}}});
  EXPECT_EQ(blame["files"].size(), 1u);
}

TEST_F(GitOperators, ReadBareShallowAndLinkedRepositories) {
  const ScratchRepository repository;
  for (int day = 0; day < 3; ++day) {
    repository.write("a.c", std::string(static_cast<std::size_t>(day + 1), '\n'));
    repository.commit(day);
  }
  const TempDir elsewhere;
  repository.git({"clone", "-q", "--bare", repository.path(), elsewhere.path() + "/bare"});
  repository.git({"clone", "-q", "--depth", "2", "file://" + repository.path(),
                  elsewhere.path() + "/shallow"});
  repository.git({"worktree", "add", "-q", "--detach", elsewhere.path() + "/linked"});

  const Json bare = run("git.info", {{"path", elsewhere.path() + "/bare"}});
  EXPECT_EQ(bare["bare"], true);
  EXPECT_EQ(bare["commits"], 3);
  EXPECT_EQ(run("git.churn", {{"path", elsewhere.path() + "/bare"}})["files"][0]["commits"], 3);

  const Json shallow = run("git.churn", {{"path", elsewhere.path() + "/shallow"}});
  EXPECT_EQ(shallow["commits"], 2);
  EXPECT_NE(shallow["note"], "");
  EXPECT_EQ(shallow["files"][0]["commits"], 1);  // what the edge changed is not known

  const Json linked = run("git.info", {{"path", elsewhere.path() + "/linked"}});
  EXPECT_EQ(linked["is_repository"], true);
  EXPECT_EQ(linked["commits"], 3);
}

TEST_F(GitOperators, PassOverSubmodules) {
  const ScratchRepository inner;
  inner.write("i.c", "1\n");
  inner.commit(0);
  const ScratchRepository outer;
  outer.write("o.c", "1\n");
  outer.git({"submodule", "--quiet", "add", inner.path(), "sub"});
  outer.commit(1);
  const Json churn = run("git.churn", {{"path", outer.path()}});
  EXPECT_EQ(find(churn["files"], "path", "sub"), nullptr);
  EXPECT_NE(find(churn["files"], "path", "o.c"), nullptr);
}

TEST_F(GitOperators, FindTheFewWhoMadeMostOfTheChanges) {
  const ScratchRepository repository;
  repository.write("core/a.c", "1\n2\n3\n4\n5\n6\n");
  repository.commit(0, kAda);
  repository.write("ui/b.c", "1\n2\n3\n");
  repository.commit(1, kBob);
  repository.write("ui/c.c", "1\n2\n");
  repository.commit(2, {"Cy", "cy@example.org"});
  Json authors = run("git.authors", {{"path", repository.path()}});
  EXPECT_EQ(authors["bus_factor"], 1);  // Ada: 6 of 11
  EXPECT_EQ(authors["owners"][0]["name"], "Ada");
  const Json ui = find(authors["directories"], "directory", "ui");
  EXPECT_EQ(ui["people"], 2);
  EXPECT_EQ(ui["bus_factor"], 1);
  EXPECT_EQ(ui["owners"][0]["name"], "Bob");

  const Json churn = run("git.churn", {{"path", repository.path()}});
  const Json reused =
      run("git.authors",
          {{"path", "/nonexistent"}, {"files", churn["files"]}, {"authors", churn["authors"]}});
  EXPECT_EQ(reused["directories"], authors["directories"]);
  EXPECT_EQ(reused["owners"], authors["owners"]);
}

TEST_F(GitOperators, KnowOnePersonByTheirMailmap) {
  const ScratchRepository repository;
  repository.write(".mailmap", "Ada Lovelace <ada@example.org> <ada@home>\n");
  repository.commit(0, kAda);
  repository.write("a.c", "1\n");
  repository.commit(1, {"ada", "ada@home"});
  const Json authors = run("git.authors", {{"path", repository.path()}});
  ASSERT_EQ(authors["authors"].size(), 1u);
  EXPECT_EQ(authors["authors"][0]["name"], "Ada Lovelace");
}

TEST_F(GitOperators, DateLinesAlsoInAFileThatWasChangedSince) {
  const ScratchRepository repository;
  repository.write("a.c", "one\ntwo\nthree\n");
  repository.commit(0, kAda);
  repository.write("a.c", "one\ntwo\nthree\nfour\n");
  repository.commit(10, kBob);
  repository.write("a.c", "zero\none\nthree\nfour\n");  // not committed
  const Json items{{{"path", "a.c"}, {"line", 1}},
                   {{"path", "a.c"}, {"line", 2}},
                   {{"path", "a.c"}, {"line", 4}},
                   {{"path", "a.c"}, {"line", 99}},
                   {{"path", "untracked.c"}, {"line", 1}}};
  const Json blame = run(
      "git.blame_age",
      {{"path", repository.path()}, {"files", {"a.c"}}, {"items", items}, {"now", "2020-01-31"}});
  EXPECT_EQ(blame["items"][0]["uncommitted"], true);
  EXPECT_EQ(blame["items"][1]["age_days"], 30);
  EXPECT_EQ(blame["items"][1]["author"], "Ada");
  EXPECT_EQ(blame["items"][2]["age_days"], 20);
  EXPECT_EQ(blame["items"][2]["author"], "Bob");
  EXPECT_EQ(blame["items"][3], items[3]);
  EXPECT_EQ(blame["items"][4], items[4]);
  ASSERT_EQ(blame["files"].size(), 1u);
  EXPECT_EQ(blame["files"][0]["uncommitted_lines"], 1);
  EXPECT_EQ(blame["files"][0]["oldest_days"], 30);
  EXPECT_EQ(blame["files"][0]["newest_days"], 20);
}

TEST_F(GitOperators, StopWhenCancelled) {
  const ScratchRepository repository;
  repository.write("a.c", "1\n");
  repository.commit(0);
  MemoryContext context;
  context.cancel();
  const auto result = testing::run(registry_, "git.churn", {{"path", repository.path()}}, context);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Errc::CANCELLED);
}

TEST_F(GitOperators, GiveTheSameOnOneThreadAndOnMany) {
  const ScratchRepository repository;
  for (int day = 0; day < 12; ++day) {
    repository.write("f" + std::to_string(day % 3) + ".c", std::string(10, 'a' + day) + "\n");
    repository.commit(day / 4, day % 2 == 0 ? kAda : kBob);
  }
  MemoryContext one(1);
  MemoryContext many(4);
  const auto first = testing::run(registry_, "git.churn", {{"path", repository.path()}}, one);
  const auto second = testing::run(registry_, "git.churn", {{"path", repository.path()}}, many);
  EXPECT_EQ(*first, *second);
}

}  // namespace
}  // namespace symphony::extensions
