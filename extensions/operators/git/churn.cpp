#include "extensions/operators/git/churn.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace symphony::extensions::git {
namespace {

Shares sorted_shares(const std::map<std::size_t, std::int64_t>& owners,
                     const std::vector<std::size_t>& rank) {
  Shares shares;
  shares.reserve(owners.size());
  for (const auto& [author, weight] : owners) shares.emplace_back(rank[author], weight);
  std::sort(shares.begin(), shares.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  return shares;
}

}  // namespace

std::size_t ChurnTable::author_index(const Commit& commit) {
  const auto [found, added] = author_of_key_.try_emplace(commit.author.key, authors_.size());
  if (added) {
    authors_.push_back({.name = commit.author.name,
                        .email = commit.author.email,
                        .first_s = commit.time_s,
                        .last_s = commit.time_s});
  }
  AuthorActivity& author = authors_[found->second];
  author.commits += 1;
  author.first_s = std::min(author.first_s, commit.time_s);
  author.last_s = std::max(author.last_s, commit.time_s);
  return found->second;
}

void ChurnTable::add_change(const std::string& newest, const FileChange& change,
                            const Commit& commit, std::size_t author) {
  const auto [found, added] = files_.try_emplace(newest);
  Entry& entry = found->second;
  FileChurn& churn = entry.churn;
  if (added) {
    entry.gone = change.deleted;
    churn.path = newest;
    churn.last_change_s = commit.time_s;
    churn.first_change_s = commit.time_s;
  }
  churn.commits += 1;
  churn.added += change.added;
  churn.removed += change.removed;
  churn.last_change_s = std::max(churn.last_change_s, commit.time_s);
  churn.first_change_s = std::min(churn.first_change_s, commit.time_s);
  entry.owners[author] += std::max<std::int64_t>(1, std::int64_t{change.added} + change.removed);
}

void ChurnTable::add(const Commit& commit) {
  ++commits_;
  bulk_commits_ += commit.bulk ? 1 : 0;
  boundary_commits_ += commit.boundary ? 1 : 0;
  const std::size_t author = author_index(commit);
  // All names are resolved before any rename takes effect: two files may swap names at once.
  std::vector<std::string> newest;
  newest.reserve(commit.changes.size());
  for (const FileChange& change : commit.changes) {
    const auto alias = renamed_to_.find(change.path);
    newest.push_back(alias == renamed_to_.end() ? change.path : alias->second);
  }
  for (std::size_t i = 0; i < commit.changes.size(); ++i) {
    const FileChange& change = commit.changes[i];
    add_change(newest[i], change, commit, author);
    if (!change.old_path.empty()) renamed_to_[change.old_path] = newest[i];
  }
}

Churn ChurnTable::finish() && {
  for (const auto& [path, entry] : files_) {
    if (entry.gone) continue;
    for (const auto& [author, weight] : entry.owners) {
      authors_[author].changes += weight;
      authors_[author].files += 1;
    }
  }
  std::vector<std::size_t> order(authors_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto& x = authors_[a];
    const auto& y = authors_[b];
    return std::tie(y.changes, y.commits, x.name, x.email) <
           std::tie(x.changes, x.commits, y.name, y.email);
  });
  Churn result;
  std::vector<std::size_t> rank(authors_.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    rank[order[i]] = i;
    result.authors.push_back(std::move(authors_[order[i]]));
  }
  for (auto& [path, entry] : files_) {
    if (entry.gone) continue;
    entry.churn.owners = sorted_shares(entry.owners, rank);
    result.files.push_back(std::move(entry.churn));
  }
  std::sort(result.files.begin(), result.files.end(), [](const FileChurn& a, const FileChurn& b) {
    return a.commits != b.commits ? a.commits > b.commits : a.path < b.path;
  });
  result.commits = commits_;
  result.bulk_commits = bulk_commits_;
  result.boundary_commits = boundary_commits_;
  return result;
}

}  // namespace symphony::extensions::git
