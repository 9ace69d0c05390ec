#include "extensions/operators/file/work_tree.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "extensions/operators/file/io.hpp"
#include "extensions/operators/file/walk.hpp"
#include "extensions/operators/paths.hpp"

namespace symphony::extensions {

namespace {

constexpr std::size_t kMaxGitFileBytes = 64 << 10;

// The repository's directory as the file `.git` of a linked work tree or submodule names it.
std::string named_directory(const std::string& file, std::string_view mark,
                            const std::string& base) {
  std::string text;
  if (!read_prefix(file, kMaxGitFileBytes, text).ok() || !text.starts_with(mark)) return "";
  text.erase(0, mark.size());
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return join_path(base, text);
}

// The directory that all work trees of a repository share: it holds info/exclude.
std::string common_directory(const std::string& top) {
  const std::string dot_git = top + "/.git";
  struct stat info {};
  if (::stat(dot_git.c_str(), &info) != 0) return "";
  const std::string own =
      S_ISDIR(info.st_mode) ? dot_git : named_directory(dot_git, "gitdir: ", top);
  const std::string common = named_directory(own + "/commondir", "", own);
  return common.empty() ? own : common;
}

}  // namespace

Result<std::unique_ptr<WorkTree>> WorkTree::discover(const std::string& root, git::Caller caller) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(root.c_str(), nullptr),
                                                         &std::free);
  if (!real) return system_error("walk", root, errno);
  const std::string absolute = real.get();
  std::string top = absolute;
  for (;; top.resize(top.rfind('/'))) {
    struct stat info {};
    const std::string git = top + "/.git";
    if (::lstat(git.c_str(), &info) == 0) break;
    if (errno != ENOENT && errno != ENOTDIR) return system_error("look at", git, errno);
    if (top.empty() || top == "/") return std::unique_ptr<WorkTree>();
  }
  auto tree = std::unique_ptr<WorkTree>(new WorkTree(std::move(caller)));
  tree->top_ = top;
  if (absolute.size() > top.size()) tree->root_base_ = absolute.substr(top.size() + 1) + "/";
  if (const std::string common = common_directory(top); !common.empty())
    tree->push("", common + "/info/exclude");
  // Directories from the top down to just above the root; the walk enters the root itself.
  for (std::size_t at = 0; at < tree->root_base_.size();) {
    const std::string base = tree->root_base_.substr(0, at);
    tree->push(base, top + "/" + base + ".gitignore");
    at = tree->root_base_.find('/', at) + 1;
  }
  return tree;
}

void WorkTree::push(std::string base, const std::string& ignore_file) {
  Level level{.base = std::move(base), .patterns = {}};
  std::string text;
  const auto read = read_prefix(ignore_file, kMaxIgnoreFileBytes, text);
  if (read)
    level.patterns.add_lines(text);
  else if (read.error().code != Errc::NOT_FOUND)
    unread_.emplace_back(ignore_file, read.error().message);
  levels_.push_back(std::move(level));
}

void WorkTree::enter(std::string_view directory) {
  std::string base = root_base_ + std::string(directory);
  if (!directory.empty()) base += '/';
  const std::string ignore_file = top_ + "/" + base + ".gitignore";
  push(std::move(base), ignore_file);
}

void WorkTree::leave() { levels_.pop_back(); }

// Asked of git only once something is ignored: most trees have nothing that is both.
bool WorkTree::tracked(const std::string& path, bool is_directory) {
  if (!tracked_) {
    tracked_.emplace();
    auto listed = git::run_git({top_, {"ls-files", "-z"}}, caller_);
    if (!listed) {
      problem_ = listed.error().message;
      if (git::is_passed_on(listed.error())) failure_ = listed.error();
    } else if (!listed->ok()) {
      problem_ = listed->complaint;
    } else {
      for (std::size_t at = 0; at < listed->output.size();) {
        const auto end = std::min(listed->output.find('\0', at), listed->output.size());
        tracked_->insert(listed->output.substr(at, end - at));
        at = end + 1;
      }
    }
  }
  if (!is_directory) return tracked_->contains(path);
  const auto inside = tracked_->lower_bound(path + "/");
  return inside != tracked_->end() && inside->starts_with(path + "/");
}

bool WorkTree::ignored(std::string_view path, bool is_directory) {
  const std::string full = root_base_ + std::string(path);
  for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
    if (level->patterns.empty()) continue;
    const auto inside = std::string_view(full).substr(level->base.size());
    if (const auto verdict = level->patterns.verdict(inside, is_directory))
      return *verdict && !tracked(full, is_directory);
  }
  return false;
}

}  // namespace symphony::extensions
