#include "extensions/operators/git/history.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

namespace symphony::extensions::git {
namespace {

constexpr std::size_t kCommitsPerBatch = 256;  // read by one git
constexpr std::size_t kBatchesPerWindow = 64;  // read before any of them is visited
constexpr int kMaxGits = 16;                   // at once
constexpr int kUnreadPerBatch = 8;             // then the rest of a batch is given up

struct Headers {
  std::vector<Commit> commits;
  bool truncated = false;
  std::string note;
};

Result<Headers> read_headers(const Repository& repository, const HistoryOptions& options) {
  std::vector<std::string> arguments{"rev-list", "--no-commit-header", kCommitFormat,
                                     "--max-count=" + std::to_string(options.max_commits + 1)};
  if (options.since_s != INT64_MIN)
    arguments.push_back("--max-age=" + std::to_string(std::max<std::int64_t>(0, options.since_s)));
  arguments.push_back("HEAD");
  arguments.push_back("--");
  auto answer = repository.run(std::move(arguments));
  if (!answer) return answer.error();
  Headers headers{.commits = parse_commits(answer->output)};
  if (!answer->ok())
    headers.note = "The git history cannot be read to its end: " + answer->complaint + ".";
  headers.truncated = static_cast<std::int64_t>(headers.commits.size()) > options.max_commits;
  if (headers.truncated) headers.commits.pop_back();
  return headers;
}

// Reads what commits changed into them.
class ChangeReader {
 public:
  ChangeReader(const Repository& repository, bool with_lines) : repository_(repository) {
    arguments_ = {"diff-tree",
                  "--stdin",
                  "--root",
                  "-r",
                  "--raw",
                  "--no-abbrev",
                  "--always",
                  "-z",
                  "--no-textconv",
                  "--no-ext-diff",
                  "--ignore-submodules=all"};
    // Without contents only equal ones can be told for renamed.
    arguments_.push_back(with_lines ? "-M" : "-M100%");
    arguments_.push_back("-l1000");
    if (with_lines) arguments_.push_back("--numstat");
    if (!repository.prefix().empty()) {
      arguments_.push_back("--");
      arguments_.push_back(".");
    }
  }

  bool lacks_objects() const { return lacks_objects_; }
  const std::string& complaint() const { return complaint_; }

  // One batch; from any thread.
  Status read(std::span<Commit> batch) {
    std::vector<Commit*> wanted;
    for (Commit& commit : batch) {
      if (!commit.merge && !commit.boundary) wanted.push_back(&commit);
    }
    int unread = 0;
    return read(std::span(wanted), unread);
  }

 private:
  Status read(std::span<Commit*> commits, int& unread) {
    if (commits.empty() || lacks_objects_) return {};
    std::string ids;
    for (const Commit* commit : commits) ids += commit->id + "\n";
    auto answer = repository_.run(arguments_, std::move(ids));
    if (!answer &&
        (is_passed_on(answer.error()) || answer.error().code != Errc::RESOURCE_EXHAUSTED))
      return answer.error();
    if (answer && answer->ok()) {
      take(commits, parse_changes(answer->output));
      return {};
    }
    if (repository_.partial()) {
      lacks_objects_ = true;
      return {};
    }
    if (commits.size() == 1 || unread >= kUnreadPerBatch) {
      give_up(commits, answer ? answer->complaint : answer.error().message, unread);
      return {};
    }
    // Something in it cannot be read: which commit?
    const auto half = commits.size() / 2;
    if (auto first = read(commits.first(half), unread); !first) return first;
    return read(commits.subspan(half), unread);
  }

  void give_up(std::span<Commit*> commits, const std::string& why, int& unread) {
    for (Commit* commit : commits) commit->unread = true;
    ++unread;
    const std::lock_guard lock(mutex_);
    // One word for all of them; which does not depend on who comes first.
    if (complaint_.empty() || why < complaint_) complaint_ = why;
  }

  void take(std::span<Commit*> commits, std::vector<CommitChanges> read) const {
    std::size_t at = 0;
    for (CommitChanges& found : read) {
      while (at < commits.size() && commits[at]->id != found.id) ++at;
      if (at == commits.size()) return;
      Commit& commit = *commits[at];
      commit.bulk = found.changes.size() > kMaxFilesPerCommit;
      if (commit.bulk) continue;
      const std::size_t prefix = repository_.prefix().size();
      for (FileChange& change : found.changes) {
        change.path.erase(0, prefix);
        if (!change.old_path.empty()) change.old_path.erase(0, prefix);
      }
      commit.changes = std::move(found.changes);
    }
  }

  const Repository& repository_;
  std::vector<std::string> arguments_;
  std::atomic<bool> lacks_objects_ = false;
  std::mutex mutex_;
  std::string complaint_;  // of what could not be read
};

// Reads a window in batches, by several gits at once.
Status read_window(ChangeReader& reader, std::span<Commit> window, int gits,
                   const std::function<void(std::size_t)>& done) {
  const std::size_t batches = (window.size() + kCommitsPerBatch - 1) / kCommitsPerBatch;
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  Status status;
  const auto work = [&] {
    for (std::size_t i = next++; i < batches; i = next++) {
      const std::size_t from = i * kCommitsPerBatch;
      const std::size_t count = std::min(kCommitsPerBatch, window.size() - from);
      auto read = reader.read(window.subspan(from, count));
      const std::lock_guard lock(mutex);
      if (!read) {
        if (status) status = read;
        next = batches;  // nobody goes on
        return;
      }
      done(count);
    }
  };
  {
    std::vector<std::jthread> threads;
    const auto wanted = std::min<std::size_t>(batches, static_cast<std::size_t>(gits));
    for (std::size_t i = 1; i < wanted; ++i) threads.emplace_back(work);
    work();
  }
  return status;
}

void tell_unread(const ChangeReader& reader, HistoryEnd& end) {
  if (end.unread == 0) return;
  add_note(end.note, "What " + std::to_string(end.unread) +
                         (end.unread == 1 ? " commit" : " commits") +
                         " changed cannot be read: " + reader.complaint() + ".");
}

}  // namespace

Result<HistoryEnd> walk_history(const Repository& repository, const HistoryOptions& options,
                                actors::OperatorContext& context,
                                const std::function<void(Commit&&)>& visit) {
  HistoryEnd end;
  if (repository.head().empty()) return end;
  auto headers = read_headers(repository, options);
  if (!headers) return headers.error();
  end.truncated = headers->truncated;
  end.note = headers->note;
  const auto edge = repository.shallow_commits();
  if (!edge) return edge.error();
  const std::span all(headers->commits);
  for (Commit& commit : all) commit.boundary = edge->contains(commit.id);
  ChangeReader reader(repository, options.with_lines);
  constexpr std::size_t kWindow = kCommitsPerBatch * kBatchesPerWindow;
  std::size_t read = 0;
  for (std::size_t from = 0; from < all.size(); from += kWindow) {
    const auto window = all.subspan(from, std::min(kWindow, all.size() - from));
    if (options.with_changes) {
      const auto told =
          read_window(reader, window, std::min(context.cores(), kMaxGits), [&](std::size_t count) {
            read += count;
            context.progress(static_cast<double>(read), static_cast<double>(all.size()));
          });
      if (!told) return told.error();
      if (reader.lacks_objects()) {
        end.lacks_objects = true;
        return end;
      }
    }
    for (Commit& commit : window) {
      end.commits += 1;
      end.unread += commit.unread ? 1 : 0;
      visit(std::move(commit));
    }
  }
  context.progress(1, 1);
  tell_unread(reader, end);
  return end;
}

}  // namespace symphony::extensions::git
