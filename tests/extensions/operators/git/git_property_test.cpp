// Random histories: what the operators say is what git says.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <sstream>

#include "tests/extensions/operators/git/scratch_repository.hpp"
#include "tests/extensions/support.hpp"

namespace symphony::extensions {
namespace {

using testing::must;

constexpr std::array kPeople = {"Ada", "Bob", "Cy"};
constexpr std::array kNames = {"a.c", "b.c", "lib/c.c", "lib/d e.c", "f.c", "g.c"};

// A line of commits that make, change, rename, delete and make anew a handful of files, as a stream
// for git fast-import. No line occurs twice, so that only what was renamed looks renamed.
class RandomHistory {
 public:
  explicit RandomHistory(unsigned seed) : random_(seed) {
    for (int i = 0; i < 30; ++i) commit(i);
  }
  const std::string& stream() const { return stream_; }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& [name, lines] : files_) names.push_back(name);
    return names;
  }

 private:
  using Lines = std::vector<std::string>;

  std::size_t below(std::size_t end) { return random_() % end; }
  std::string new_line() { return "line " + std::to_string(lines_++) + " of many"; }

  void commit(int day) {
    const std::string person = kPeople[below(kPeople.size())];
    const std::string stamp = person + " <" + person + "@example.org> " +
                              std::to_string(ScratchRepository::kStart_s + day * 86'400L) +
                              " +0000\n";
    stream_ +=
        "commit refs/heads/main\nauthor " + stamp + "committer " + stamp + "data 6\nChange\n";
    touched_.clear();
    const std::size_t steps = 1 + below(2);
    for (std::size_t i = 0; i < steps; ++i) step();
    stream_ += "\n";
  }

  void step() {
    const std::string name = kNames[below(kNames.size())];
    if (!touched_.insert(name).second) return;
    const auto found = files_.find(name);
    if (found == files_.end()) {
      Lines lines;
      for (std::size_t i = 0; i < 12 + below(10); ++i) lines.push_back(new_line());
      return put(name, std::move(lines));
    }
    switch (below(6)) {
      case 0:
        stream_ += "D \"" + name + "\"\n";
        files_.erase(found);
        return;
      case 1:
      case 2:
        return rename(name);
      default:
        Lines lines = found->second;
        change(lines);
        put(name, std::move(lines));
    }
  }

  void rename(const std::string& name) {
    const std::string other = kNames[below(kNames.size())];
    if (files_.contains(other) || !touched_.insert(other).second) return;
    Lines lines = files_[name];
    files_.erase(name);
    stream_ += "R \"" + name + "\" \"" + other + "\"\n";
    if (below(2) == 0) change(lines);
    put(other, std::move(lines));
  }

  // A few lines: the file stays similar to what it was.
  void change(Lines& lines) {
    lines[below(lines.size())] = new_line();
    if (below(2) == 0)
      lines.insert(lines.begin() + static_cast<long>(below(lines.size())), new_line());
  }

  void put(const std::string& name, Lines lines) {
    std::string content;
    for (const std::string& line : lines) content += line + "\n";
    stream_ += "M 100644 inline \"" + name + "\"\ndata " + std::to_string(content.size()) + "\n" +
               content + "\n";
    files_[name] = std::move(lines);
  }

  std::mt19937 random_;
  std::string stream_;
  std::map<std::string, Lines> files_;
  std::set<std::string> touched_;
  int lines_ = 0;
};

struct Followed {
  int commits = 0, added = 0, removed = 0;
  std::map<std::string, int> changes_of;
  bool operator==(const Followed&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Followed& f) {
    out << f.commits << " commits, +" << f.added << " -" << f.removed;
    for (const auto& [name, changes] : f.changes_of) out << ", " << name << " " << changes;
    return out;
  }
};

// What `git log --follow` says of a file back to where it was made: git itself goes on, to files of
// the same name that were deleted before.
Followed followed(const ScratchRepository& repository, const std::string& file) {
  std::istringstream log(repository.answer(
      {"log", "--follow", "-M", "--raw", "--numstat", "--format=by %an", "--", file}));
  Followed result;
  std::string author;
  bool made = false;
  for (std::string line; std::getline(log, line);) {
    if (line.starts_with(':')) {
      made = line.find(" A\t") != line.npos;
    } else if (line.starts_with("by ")) {
      if (made) break;
      author = line.substr(3);
      ++result.commits;
    } else if (!line.empty()) {
      std::istringstream numbers(line);
      int added = 0, removed = 0;
      numbers >> added >> removed;
      result.added += added;
      result.removed += removed;
      result.changes_of[author] += std::max(1, added + removed);
    }
  }
  return result;
}

Followed measured(const Json& file, const Json& authors) {
  Followed result{file["commits"], file["lines_added"], file["lines_removed"], {}};
  for (const Json& owner : file["owners"])
    result.changes_of[authors[owner[0].get<std::size_t>()]["name"]] = owner[1];
  return result;
}

class GitProperty : public ::testing::TestWithParam<unsigned> {
 protected:
  GitProperty() { add_git_operators(registry_); }
  Json run(std::string_view name, Json arguments) {
    return must(testing::run(registry_, name, std::move(arguments)));
  }
  actors::OperatorRegistry registry_;
};

TEST_P(GitProperty, ChurnAndOwnersAreWhatGitLogFollowSays) {
  const RandomHistory history(GetParam());
  const ScratchRepository repository;
  repository.import(history.stream());
  const Json churn = run("git.churn", {{"path", repository.path()}});
  std::map<std::string, Followed> ours;
  for (const Json& file : churn["files"]) ours[file["path"]] = measured(file, churn["authors"]);
  std::map<std::string, Followed> gits;
  for (const std::string& file : history.files()) gits[file] = followed(repository, file);
  EXPECT_EQ(ours, gits);
}

TEST_P(GitProperty, LinesAreAsOldAsGitBlameSays) {
  const RandomHistory history(GetParam() + 1'000);
  const ScratchRepository repository;
  repository.import(history.stream());
  for (const std::string& file : history.files()) {
    std::vector<std::pair<std::string, std::int64_t>> gits;
    std::istringstream blame(repository.answer({"blame", "--line-porcelain", "--", file}));
    std::string author;
    for (std::string line; std::getline(blame, line);) {
      if (line.starts_with("author ")) author = line.substr(7);
      if (line.starts_with("committer-time "))
        gits.emplace_back(author, std::stoll(line.substr(15)));
    }
    Json items = Json::array();
    for (std::size_t i = gits.size(); i-- > 0;) items.push_back({{"path", file}, {"line", i + 1}});
    const Json ours =
        run("git.blame_age", {{"path", repository.path()}, {"items", items}})["items"];
    for (const Json& item : ours) {
      const auto& [name, time_s] = gits[item["line"].get<std::size_t>() - 1];
      EXPECT_EQ(item["author"], name) << file << ":" << item["line"];
      EXPECT_EQ(item["time_s"], time_s) << file << ":" << item["line"];
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, GitProperty, ::testing::Range(1u, 9u));

}  // namespace
}  // namespace symphony::extensions
