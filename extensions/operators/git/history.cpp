#include "extensions/operators/git/history.hpp"

#include "extensions/operators/paths.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <queue>
#include <set>
#include <span>
#include <thread>

namespace symphony::extensions::git {
namespace {

constexpr std::size_t kCommitsPerBatch = 256;

struct OidLess {
  bool operator()(const git_oid& a, const git_oid& b) const { return git_oid_cmp(&a, &b) < 0; }
};

struct Pending {
  std::int64_t time_s;
  git_oid id;
  bool operator<(const Pending& other) const {  // the queue's top is the newest
    if (time_s != other.time_s) return time_s < other.time_s;
    return git_oid_cmp(&id, &other.id) > 0;
  }
};

CommitHandle lookup(git_repository* repository, const git_oid& id) {
  git_commit* commit = nullptr;
  git_commit_lookup(&commit, repository, &id);
  return CommitHandle(commit);
}

// Commits from new to old. libgit2's own walk stops with an error at the edge of a shallow
// clone, this one goes round it.
class Walk {
 public:
  Walk(git_repository* repository, const HistoryOptions& options)
      : repository_(repository), options_(options) {}

  void add(const git_oid& id) {
    if (!seen_.insert(id).second) return;
    const CommitHandle commit = lookup(repository_, id);
    if (!commit) return;
    const std::int64_t time_s = git_commit_time(commit.get());
    if (time_s >= options_.since_s) queue_.push({time_s, id});
  }

  bool empty() const { return queue_.empty(); }

  git_oid next() {
    const git_oid id = queue_.top().id;
    queue_.pop();
    const CommitHandle commit = lookup(repository_, id);
    for (unsigned i = 0; i < git_commit_parentcount(commit.get()); ++i) {
      add(*git_commit_parent_id(commit.get(), i));
    }
    return id;
  }

 private:
  git_repository* repository_;
  const HistoryOptions& options_;
  std::set<git_oid, OidLess> seen_;
  std::priority_queue<Pending> queue_;
};

std::string first_line(const char* message) {
  const std::string_view text = message == nullptr ? "" : message;
  return to_utf8_lossy(text.substr(0, text.find('\n')).substr(0, 300));
}

DiffHandle diff_to_parent(const Repository& repository, git_commit* commit, git_commit* parent) {
  git_tree* raw = nullptr;
  if (git_commit_tree(&raw, commit) != 0) return nullptr;
  const TreeHandle tree(raw);
  raw = nullptr;
  if (parent != nullptr && git_commit_tree(&raw, parent) != 0) return nullptr;
  const TreeHandle parent_tree(raw);

  git_diff_options options;
  git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
  options.flags = GIT_DIFF_DISABLE_PATHSPEC_MATCH | GIT_DIFF_IGNORE_SUBMODULES;
  options.context_lines = 0;
  options.max_size = kMaxDiffedBytes;
  std::string folder = repository.prefix();
  char* folders[] = {folder.data()};
  if (!folder.empty()) options.pathspec = {folders, 1};
  git_diff* diff = nullptr;
  if (git_diff_tree_to_tree(&diff, repository.get(), parent_tree.get(), tree.get(), &options) !=
      0) {
    return nullptr;
  }
  return DiffHandle(diff);
}

void find_renames(git_diff* diff) {
  const std::size_t added = git_diff_num_deltas_of_type(diff, GIT_DELTA_ADDED);
  const std::size_t deleted = git_diff_num_deltas_of_type(diff, GIT_DELTA_DELETED);
  if (added == 0 || deleted == 0 || std::max(added, deleted) > kMaxRenameCandidates) return;
  git_diff_find_options options;
  git_diff_find_options_init(&options, GIT_DIFF_FIND_OPTIONS_VERSION);
  options.flags = GIT_DIFF_FIND_RENAMES;
  options.rename_limit = kMaxRenameCandidates;
  git_diff_find_similar(diff, &options);
}

bool is_file(std::uint16_t mode) {
  return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

std::optional<FileChange> change_of(git_diff* diff, std::size_t index, bool with_lines,
                                    std::size_t prefix_size) {
  const git_diff_delta* delta = git_diff_get_delta(diff, index);
  const bool deleted = delta->status == GIT_DELTA_DELETED;
  const git_diff_file& file = deleted ? delta->old_file : delta->new_file;
  if (!is_file(file.mode)) return std::nullopt;
  FileChange change;
  change.path = std::string(file.path).substr(prefix_size);
  change.deleted = deleted;
  if (delta->status == GIT_DELTA_RENAMED) {
    change.old_path = std::string(delta->old_file.path).substr(prefix_size);
  }
  if (!with_lines) return change;
  git_patch* raw = nullptr;
  if (git_patch_from_diff(&raw, diff, index) == 0 && raw != nullptr) {
    const PatchHandle patch(raw);
    std::size_t added = 0;
    std::size_t removed = 0;
    if (git_patch_line_stats(nullptr, &added, &removed, raw) == 0) {
      change.added = static_cast<std::uint32_t>(added);
      change.removed = static_cast<std::uint32_t>(removed);
    }
  }
  return change;
}

void read_changes(const Repository& repository, git_commit* commit, bool with_lines, Commit& out) {
  CommitHandle parent;
  if (git_commit_parentcount(commit) == 1) {
    parent = lookup(repository.get(), *git_commit_parent_id(commit, 0));
    out.boundary = parent == nullptr;
  }
  if (out.merge || out.boundary) return;
  const DiffHandle diff = diff_to_parent(repository, commit, parent.get());
  if (!diff) return;
  if (git_diff_num_deltas(diff.get()) > kMaxFilesPerCommit) {
    out.bulk = true;
    return;
  }
  find_renames(diff.get());
  const std::size_t count = git_diff_num_deltas(diff.get());
  for (std::size_t i = 0; i < count; ++i) {
    auto change = change_of(diff.get(), i, with_lines, repository.prefix().size());
    if (change) out.changes.push_back(std::move(*change));
  }
  std::sort(out.changes.begin(), out.changes.end(),
            [](const FileChange& a, const FileChange& b) { return a.path < b.path; });
}

Commit read_commit(const Repository& repository, const git_oid& id, const HistoryOptions& options) {
  Commit out;
  out.id = id;
  const CommitHandle commit = lookup(repository.get(), id);
  if (!commit) return out;
  out.time_s = git_commit_time(commit.get());
  out.author = repository.person(git_commit_author(commit.get()));
  out.summary = first_line(git_commit_message(commit.get()));
  out.merge = git_commit_parentcount(commit.get()) > 1;
  if (options.with_changes) read_changes(repository, commit.get(), options.with_lines, out);
  return out;
}

// Opens the repository once more for each further thread: libgit2 shares no objects between them.
class Readers {
 public:
  Readers(const Repository& first, int threads) : first_(first) {
    const std::string path = git_repository_path(first.get());
    const char* root = git_repository_workdir(first.get());
    const std::string asked = root == nullptr ? path : root + first.prefix();
    for (int i = 1; i < threads; ++i) {
      auto opened = Repository::open(asked);
      if (opened.ok() && opened.value()) others_.push_back(std::move(**opened));
    }
  }

  std::vector<Commit> read(std::span<const git_oid> ids, const HistoryOptions& options,
                           const actors::OperatorContext& context) const {
    std::vector<Commit> commits(ids.size());
    std::atomic<std::size_t> next{0};
    const auto work = [&](const Repository& repository) {
      for (std::size_t i = next++; i < ids.size() && !context.cancelled(); i = next++) {
        commits[i] = read_commit(repository, ids[i], options);
      }
    };
    std::vector<std::jthread> threads;
    for (const Repository& other : others_) {
      threads.emplace_back([&work, &other] { work(other); });
    }
    work(first_);
    threads.clear();
    return commits;
  }

 private:
  const Repository& first_;
  std::vector<Repository> others_;
};

}  // namespace

Result<HistoryEnd> walk_history(const Repository& repository, const HistoryOptions& options,
                                actors::OperatorContext& context,
                                const std::function<void(Commit&&)>& visit) {
  HistoryEnd end;
  const auto head = repository.head();
  if (!head) return end;
  Walk walk(repository.get(), options);
  walk.add(*head);
  const Error cancelled{Errc::CANCELLED, "Reading the git history was cancelled."};
  std::vector<git_oid> ids;  // found first, so that progress has a whole to be part of
  while (!walk.empty() && static_cast<std::int64_t>(ids.size()) < options.max_commits) {
    if (context.cancelled()) return cancelled;
    ids.push_back(walk.next());
  }
  end.truncated = !walk.empty();
  const Readers readers(repository, options.with_changes ? std::min(context.cores(), 16) : 1);
  const std::span all(ids);
  for (std::size_t from = 0; from < all.size(); from += kCommitsPerBatch) {
    auto commits = readers.read(all.subspan(from, std::min(kCommitsPerBatch, all.size() - from)),
                                options, context);
    if (context.cancelled()) return cancelled;
    end.commits += static_cast<std::int64_t>(commits.size());
    for (Commit& commit : commits) visit(std::move(commit));
    context.progress(static_cast<double>(end.commits), static_cast<double>(all.size()));
  }
  return end;
}

}  // namespace symphony::extensions::git
