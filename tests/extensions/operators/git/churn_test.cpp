#include "extensions/operators/git/churn.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "extensions/operators/git/blame.hpp"

namespace symphony::extensions::git {
namespace {

Commit commit(std::int64_t time_s, std::vector<FileChange> changes,
              Person author = {"Ada", "a@x"}) {
  return {.id = std::to_string(time_s),
          .time_s = time_s,
          .author = std::move(author),
          .changes = std::move(changes)};
}
FileChange made(std::string path) { return {.path = std::move(path), .added = 1, .created = true}; }
FileChange changed(std::string path) { return {.path = std::move(path), .added = 1}; }
FileChange deleted(std::string path) { return {.path = std::move(path), .deleted = true}; }
FileChange renamed(std::string from, std::string to) {
  return {.path = std::move(to), .old_path = std::move(from)};
}

// From new to old, as they are given.
std::map<std::string, std::int64_t> commits_of(const std::vector<Commit>& history) {
  ChurnTable table;
  for (const Commit& one : history) table.add(one);
  std::map<std::string, std::int64_t> commits;
  for (const FileChurn& file : std::move(table).finish(std::nullopt).files)
    commits[file.path] = file.commits;
  return commits;
}

TEST(ChurnTable, StartsAnewWhenANameIsDeletedAndMadeAgain) {
  EXPECT_EQ(
      commits_of({commit(9, {changed("b")}), commit(8, {renamed("a", "b")}), commit(7, {made("a")}),
                  commit(6, {deleted("b")}), commit(5, {changed("b")}), commit(4, {made("b")})}),
      (std::map<std::string, std::int64_t>{{"b", 3}}));
}

TEST(ChurnTable, KeepsTwoLivesOfANameApartAlsoWhenTheFirstWasRenamedAway) {
  EXPECT_EQ(commits_of({commit(9, {made("a")}), commit(8, {renamed("a", "b")}),
                        commit(7, {changed("a")}), commit(6, {made("a")})}),
            (std::map<std::string, std::int64_t>{{"a", 1}, {"b", 3}}));
}

TEST(ChurnTable, LetsTwoFilesSwapTheirNames) {
  EXPECT_EQ(commits_of({commit(9, {renamed("b", "a"), renamed("a", "b")}),
                        commit(8, {changed("a")}), commit(7, {made("a"), made("b")})}),
            (std::map<std::string, std::int64_t>{{"a", 2}, {"b", 3}}));
}

TEST(ChurnTable, TakesAFileMadeOnTwoBranchesForOne) {
  EXPECT_EQ(commits_of({commit(9, {made("a")}), commit(8, {changed("a")}), commit(7, {made("a")})}),
            (std::map<std::string, std::int64_t>{{"a", 3}}));
}

TEST(ChurnTable, LeavesOutWhatHeadDoesNotHave) {
  ChurnTable table;
  table.add(commit(2, {changed("kept"), changed("gone in a merge")}));
  const auto files = std::move(table).finish(std::set<std::string>{"kept"}).files;
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].path, "kept");
}

TEST(People, AreOneWhenAChainOfNamesAndAddressesJoinsThem) {
  People people;
  people.add({"Ada", "ada@home"});
  people.add({"Bob", "bob@home"});
  people.add({"A. L.", "ada@work"});
  people.add({" ada ", "ADA@work"});
  people.add({"", ""});
  people.add({"", ""});
  const auto groups = people.groups();
  EXPECT_EQ(groups.group_of, (std::vector<std::size_t>{0, 1, 0, 0, 2}));
  EXPECT_EQ(groups.people[0].name, "Ada");
  EXPECT_EQ(groups.people[2].name, "unknown");
}

const std::string kId(40, 'a');

TEST(LogText, ReadsChangesOfEveryKind) {
  const auto nul = [](std::string text) { return text + '\0'; };
  const std::string text = nul(kId) + nul(":100644 100644 1 2 R077") + nul("old") + nul("new") +
                           nul(":000000 120000 0 1 A") + nul("link") + nul(":100755 000000 1 0 D") +
                           nul(":odd") + nul("5\t1\t") + nul("old") + nul("new") +
                           nul("1\t0\tlink") + nul("-\t-\t:odd") + nul(std::string(40, 'b'));
  const auto commits = parse_changes(text);
  ASSERT_EQ(commits.size(), 2u);
  ASSERT_EQ(commits[0].changes.size(), 2u) << "a link is no file";
  EXPECT_EQ(commits[0].changes[0].path, ":odd");
  EXPECT_TRUE(commits[0].changes[0].deleted);
  EXPECT_EQ(commits[0].changes[1].old_path, "old");
  EXPECT_EQ(commits[0].changes[1].added, 5u);
  EXPECT_EQ(commits[0].changes[1].removed, 1u);
}

RC_GTEST_PROP(LogText, NeverFailsWhateverGitWrites, (std::vector<std::string> parts)) {
  std::string text = kId + '\0';
  for (const std::string& part : parts) text += part + (part.size() % 3 == 0 ? '\n' : '\0');
  (void)parse_changes(text);
  (void)parse_commits(text);
  for (const std::uint32_t origin : parse_blame(text, 3).line_origin)
    RC_ASSERT(origin == kNotAsked || origin == kUncommitted || origin < text.size());
}

}  // namespace
}  // namespace symphony::extensions::git
