#include "extensions/operators/file/work_tree.hpp"

#include <git2.h>
#include <sys/stat.h>

#include <cstdlib>
#include <ranges>

#include "extensions/operators/file/io.hpp"
#include "extensions/operators/file/walk.hpp"

namespace symphony::extensions {

// The index of the repository, for files that are tracked although ignored.
class WorkTree::Tracked {
 public:
  explicit Tracked(const std::string& top) {
    git_libgit2_init();
    if (git_repository_open(&repository_, top.c_str()) == 0)
      git_repository_index(&index_, repository_);
  }
  ~Tracked() {
    git_index_free(index_);
    git_repository_free(repository_);
    git_libgit2_shutdown();
  }
  Tracked(const Tracked&) = delete;
  Tracked& operator=(const Tracked&) = delete;

  bool holds(const std::string& path, bool is_directory) const {
    if (!index_) return false;
    if (!is_directory) return git_index_get_bypath(index_, path.c_str(), 0) != nullptr;
    std::size_t position = 0;
    return git_index_find_prefix(&position, index_, (path + "/").c_str()) == 0;
  }
  // The directory that holds info/exclude.
  std::string common_directory() const {
    const char* directory = repository_ ? git_repository_commondir(repository_) : nullptr;
    return directory ? directory : "";
  }

 private:
  git_repository* repository_ = nullptr;
  git_index* index_ = nullptr;
};

WorkTree::~WorkTree() = default;

std::unique_ptr<WorkTree> WorkTree::discover(const std::string& root) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(root.c_str(), nullptr),
                                                         &std::free);
  if (!real) return nullptr;
  const std::string absolute = real.get();
  std::string top = absolute;
  for (;; top.resize(top.rfind('/'))) {
    struct stat info {};
    if (::lstat((top + "/.git").c_str(), &info) == 0) break;
    if (top.empty() || top == "/") return nullptr;
  }
  auto tree = std::unique_ptr<WorkTree>(new WorkTree);
  tree->top_ = top;
  if (absolute.size() > top.size()) tree->root_base_ = absolute.substr(top.size() + 1) + "/";
  tree->tracked_ = std::make_unique<Tracked>(top);
  if (const std::string common = tree->tracked_->common_directory(); !common.empty())
    tree->push("", common + "info/exclude");
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
  if (read_file(ignore_file, kMaxIgnoreFileBytes, text).ok()) level.patterns.add_lines(text);
  levels_.push_back(std::move(level));
}

void WorkTree::enter(std::string_view directory) {
  std::string base = root_base_ + std::string(directory);
  if (!directory.empty()) base += '/';
  const std::string ignore_file = top_ + "/" + base + ".gitignore";
  push(std::move(base), ignore_file);
}

void WorkTree::leave() { levels_.pop_back(); }

bool WorkTree::ignored(std::string_view path, bool is_directory) const {
  const std::string full = root_base_ + std::string(path);
  for (const Level& level : std::views::reverse(levels_)) {
    if (level.patterns.empty()) continue;
    const auto inside = std::string_view(full).substr(level.base.size());
    if (const auto verdict = level.patterns.verdict(inside, is_directory))
      return *verdict && !tracked_->holds(full, is_directory);
  }
  return false;
}

}  // namespace symphony::extensions
