#include "extensions/operators/file/walk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "extensions/operators/file/io.hpp"
#include "extensions/operators/file/work_tree.hpp"
#include "extensions/operators/git/repository.hpp"
#include "extensions/operators/paths.hpp"

namespace symphony::extensions {

namespace {

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

class Walk {
 public:
  Walk(const std::string& root, const WalkOptions& options, const git::Caller& caller,
       const std::function<Status()>& going_on)
      : root_(root), options_(options), caller_(caller), going_on_(going_on) {}

  Result<WalkResult> run() {
    struct stat info {};
    if (::stat(root_.c_str(), &info) != 0) return system_error("walk", root_, errno);
    if (!S_ISDIR(info.st_mode)) {
      return Error{Errc::FAILED_PRECONDITION,
                   "cannot walk '" + encode_path(root_) + "': it is not a directory"};
    }
    // A root that cannot be read at all is an error, not an empty list.
    if (!open_directory(root_, true)) return system_error("read directory", root_, errno);
    for (const std::string& path : options_.exclude_paths) {
      struct stat excluded {};
      if (::stat(path.c_str(), &excluded) == 0)
        excluded_.emplace(excluded.st_dev, excluded.st_ino);
      else if (errno != ENOENT && errno != ENOTDIR)
        return system_error("look at", path, errno);  // it may be there, and would be listed
    }
    if (options_.gitignore && git::is_git_directory(root_)) {
      return Error{Errc::FAILED_PRECONDITION,
                   "'" + encode_path(root_) +
                       "' is a bare git repository: it has no files but git's own. Make a work "
                       "tree of it first (git clone, or git worktree add)."};
    }
    if (options_.gitignore) {
      auto found = WorkTree::discover(root_, caller_);
      if (!found) return found.error();
      work_tree_ = std::move(*found);
      tell_unread();
    }
    if (auto done = enter("", 0); !done) return done.error();
    if (auto going = going_on_(); !going) return going.error();
    if (work_tree_ && !work_tree_->asked()) return work_tree_->asked().error();
    if (work_tree_ && !work_tree_->problem().empty()) {
      skip(".git",
           "what git tracks cannot be read, so files that it tracks and ignores are left "
           "out: " +
               work_tree_->problem());
    }
    std::ranges::sort(result_.files, std::ranges::less(), &WalkedFile::path);
    return std::move(result_);
  }

 private:
  static Directory open_directory(const std::string& path, bool follow) {
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW);
    runtime::Descriptor file(::open(path.c_str(), flags));
    if (!file) return {nullptr, &::closedir};
    Directory directory(::fdopendir(file.get()), &::closedir);
    if (directory) file.release();
    return directory;
  }

  void skip(const std::string& path, std::string reason) {
    result_.skipped.push_back({path, std::move(reason)});
  }

  // Rules that could not be read: files that they name are listed.
  void tell_unread() {
    if (!work_tree_) return;
    for (auto& [path, reason] : work_tree_->take_unread())
      skip(path, "ignore rules that cannot be read: " + reason);
  }

  // The names in a directory, sorted; nothing when it cannot be read or was visited before.
  std::optional<std::vector<std::string>> names_in(const std::string& path) {
    const Directory directory =
        open_directory(join_path(root_, path), path.empty() || options_.follow_symlinks);
    struct stat info {};
    if (!directory || ::fstat(::dirfd(directory.get()), &info) != 0) {
      skip(path, "unreadable directory: " + reason_of(errno));
      return std::nullopt;
    }
    if (!visited_.emplace(info.st_dev, info.st_ino).second) {
      skip(path, "directory already visited through another link");
      return std::nullopt;
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      if (++entries_ > kMaxWalkEntries) break;
      errno = 0;
    }
    if (errno != 0) skip(path, "directory read in part: " + reason_of(errno));
    std::ranges::sort(names);
    return names;
  }

  Status enter(const std::string& path, std::size_t depth) {
    if (auto going = going_on_(); !going) return going;
    if (depth > kMaxWalkDepth) {
      skip(path, "more than " + std::to_string(kMaxWalkDepth) + " directories deep");
      return {};
    }
    if (options_.gitignore && depth > 0 && git::is_git_directory(join_path(root_, path))) {
      skip(path, "a bare git repository");
      return {};
    }
    const auto names = names_in(path);
    if (!names) return {};
    if (work_tree_) work_tree_->enter(path);
    tell_unread();
    for (const std::string& name : *names) {
      if (full()) break;
      if (auto looked = look_at(join_path(path, name), name, depth); !looked) return looked;
    }
    if (work_tree_) work_tree_->leave();
    return {};
  }

  bool full() {
    if (result_.files.size() < options_.max_files && entries_ <= kMaxWalkEntries) return false;
    result_.truncated = true;
    return true;
  }

  bool unwanted(const std::string& path, const std::string& name, const struct stat& info) {
    const bool is_directory = S_ISDIR(info.st_mode);
    if (name == ".git") return true;
    if (excluded_.contains({info.st_dev, info.st_ino})) return true;
    if (!options_.hidden && name.front() == '.') return true;
    if (options_.exclude.verdict(path, is_directory).value_or(false)) return true;
    return work_tree_ && work_tree_->ignored(path, is_directory);
  }

  Status look_at(const std::string& path, const std::string& name, std::size_t depth) {
    const std::string full_path = join_path(root_, path);
    struct stat info {};
    if (::lstat(full_path.c_str(), &info) != 0) {
      skip(path, reason_of(errno));
      return {};
    }
    const bool link = S_ISLNK(info.st_mode);
    const bool followed = link && options_.follow_symlinks;
    if (followed && ::stat(full_path.c_str(), &info) != 0) {
      skip(path, "symbolic link to nowhere: " + reason_of(errno));
      return {};
    }
    if (unwanted(path, name, info)) return {};
    if (S_ISDIR(info.st_mode)) return enter(path, depth + 1);
    if (!options_.include.empty() && !options_.include.covers(path)) return {};
    if (link && !followed) {
      skip(path, "symbolic link");
    } else if (!S_ISREG(info.st_mode)) {
      skip(path, "special file (" + std::string(file_type(info.st_mode)) + ")");
    } else {
      const auto size_bytes = static_cast<std::uint64_t>(info.st_size);
      result_.files.push_back({path, size_bytes, info.st_mode});
      result_.total_bytes += size_bytes;
    }
    return {};
  }

  const std::string& root_;
  const WalkOptions& options_;
  const git::Caller& caller_;
  const std::function<Status()>& going_on_;
  std::unique_ptr<WorkTree> work_tree_;
  std::set<std::pair<dev_t, ino_t>> visited_;
  std::set<std::pair<dev_t, ino_t>> excluded_;
  std::size_t entries_ = 0;
  WalkResult result_;
};

}  // namespace

Result<WalkResult> walk(const std::string& root, const WalkOptions& options,
                        const git::Caller& caller, const std::function<Status()>& going_on) {
  return Walk(root, options, caller, going_on).run();
}

}  // namespace symphony::extensions
