// A git repository in its own temporary directory, made with the git command and no configuration
// from outside; removed afterwards.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/extensions/support.hpp"

namespace symphony::extensions {

inline std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

struct Author {
  std::string name = "Ada";
  std::string email = "ada@example.org";
};

class ScratchRepository {
 public:
  explicit ScratchRepository(std::vector<std::string> init_options = {}) {
    std::vector<std::string> arguments{"init", "-q", "-b", "main"};
    arguments.insert(arguments.end(), init_options.begin(), init_options.end());
    git(arguments);
  }

  std::string path() const { return directory_.path(); }
  void write(const std::string& name, std::string_view content) const {
    directory_.write(name, content);
  }

  std::string read(const std::string& name) const { return directory_.read(name); }

  // Runs git in the repository; the test fails when the command does.
  void git(const std::vector<std::string>& arguments) const {
    git_as({}, std::to_string(kStart_s) + " +0000", arguments);
  }

  // Commits everything there is, at `day` days after 2020-01-01T00:00:00Z.
  void commit(int day, const Author& author = {}, const std::string& message = "Change") const {
    git({"add", "-A"});
    const std::string date = std::to_string(kStart_s + day * 86'400L) + " +0000";
    git_as(author, date, {"commit", "-q", "--allow-empty", "-m", message});
  }

  // Makes the commits of a stream for `git fast-import`, and checks them out.
  void import(std::string_view stream) const {
    write(".git/stream", stream);
    git_as({}, std::to_string(kStart_s) + " +0000", {"fast-import", "--quiet"}, " < .git/stream");
    git({"reset", "-q", "--hard"});
  }

  // What git prints.
  std::string answer(const std::vector<std::string>& arguments) const {
    git_as({}, std::to_string(kStart_s) + " +0000", arguments, " > .git/answer");
    return directory_.read(".git/answer");
  }

  static constexpr long kStart_s = 1'577'836'800;  // 2020-01-01

 private:
  void git_as(const Author& author, const std::string& date,
              const std::vector<std::string>& arguments, const std::string& behind = "") const {
    std::string command =
        "cd " + shell_quoted(path()) +
        " && env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE GIT_CONFIG_GLOBAL=/dev/null "
        "GIT_CONFIG_SYSTEM=/dev/null GIT_AUTHOR_NAME=" +
        shell_quoted(author.name) + " GIT_AUTHOR_EMAIL=" + shell_quoted(author.email) +
        " GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@example.org GIT_AUTHOR_DATE=" +
        shell_quoted(date) + " GIT_COMMITTER_DATE=" + shell_quoted(date) +
        " git -c protocol.file.allow=always";
    for (const std::string& argument : arguments) command += " " + shell_quoted(argument);
    command += behind;
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
  }

  testing::TempDir directory_;
};

}  // namespace symphony::extensions
