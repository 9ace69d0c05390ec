#include "extensions/operators/git/churn.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace symphony::extensions::git {
namespace {

Shares sorted_shares(const std::map<std::size_t, std::int64_t>& owners) {
  Shares shares(owners.begin(), owners.end());
  std::ranges::sort(shares, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  return shares;
}

void merge(AuthorActivity& into, const AuthorActivity& other) {
  const bool first = into.commits == 0;
  into.commits += other.commits;
  into.first_s = first ? other.first_s : std::min(into.first_s, other.first_s);
  into.last_s = first ? other.last_s : std::max(into.last_s, other.last_s);
}

// Activities, and their order as people see it: rank[i] is the place of the i-th.
std::vector<std::size_t> rank_authors(std::vector<AuthorActivity>& authors) {
  std::vector<std::size_t> order(authors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const auto& x = authors[a];
    const auto& y = authors[b];
    return std::tie(y.changes, y.commits, x.name, x.email) <
           std::tie(x.changes, x.commits, y.name, y.email);
  });
  std::vector<std::size_t> rank(order.size());
  std::vector<AuthorActivity> sorted;
  for (std::size_t i = 0; i < order.size(); ++i) {
    rank[order[i]] = i;
    sorted.push_back(std::move(authors[order[i]]));
  }
  authors = std::move(sorted);
  return rank;
}

}  // namespace

void ChurnTable::count_author(const Commit& commit, std::size_t number) {
  if (number == activities_.size()) activities_.emplace_back();
  merge(activities_[number], {.commits = 1, .first_s = commit.time_s, .last_s = commit.time_s});
}

std::size_t ChurnTable::new_file(const std::string& path, bool former) {
  files_.push_back({.churn = {.path = path}, .former = former});
  return files_.size() - 1;
}

std::size_t ChurnTable::file_of(const FileChange& change) {
  const auto [found, added] = names_.try_emplace(change.path);
  Name& name = found->second;
  if (added) {
    name = {new_file(change.path, false)};
    files_[name.file].deleted = change.deleted;
  } else if (name.made && change.deleted) {
    // A file of this name was deleted before the one we know was made.
    name = {new_file(change.path, true)};
  }
  // Where branches meet, a file may be changed or made after it was made: it is still that file.
  if (change.created) name.made = true;
  return name.file;
}

void ChurnTable::add(const Commit& commit) {
  ++commits_;
  bulk_commits_ += commit.bulk ? 1 : 0;
  const std::size_t author = people_.add(commit.author);
  count_author(commit, author);
  // All names are resolved before any rename takes effect: two files may swap names at once.
  std::vector<std::size_t> touched;
  touched.reserve(commit.changes.size());
  for (const FileChange& change : commit.changes) touched.push_back(file_of(change));
  for (const FileChange& change : commit.changes) {
    if (!change.old_path.empty()) names_[change.path].made = true;
  }
  for (std::size_t i = 0; i < commit.changes.size(); ++i) {
    const FileChange& change = commit.changes[i];
    if (!change.old_path.empty()) names_[change.old_path] = {touched[i]};
    File& file = files_[touched[i]];
    FileChurn& churn = file.churn;
    const bool first = churn.commits == 0;
    churn.commits += 1;
    churn.added += change.added;
    churn.removed += change.removed;
    churn.last_change_s = first ? commit.time_s : std::max(churn.last_change_s, commit.time_s);
    churn.first_change_s = first ? commit.time_s : std::min(churn.first_change_s, commit.time_s);
    file.owners[author] += std::max<std::int64_t>(1, std::int64_t{change.added} + change.removed);
  }
}

Churn ChurnTable::finish(const std::optional<std::set<std::string>>& living) && {
  std::erase_if(files_, [&](const File& file) {
    if (file.former) return true;
    return living ? !living->contains(file.churn.path) : file.deleted;
  });
  const People::Groups groups = people_.groups();
  Churn result;
  for (const Person& person : groups.people)
    result.authors.push_back({.name = person.name, .email = person.email});
  for (std::size_t i = 0; i < activities_.size(); ++i)
    merge(result.authors[groups.group_of[i]], activities_[i]);
  for (File& file : files_) {
    Weights owners;
    for (const auto& [number, weight] : file.owners) owners[groups.group_of[number]] += weight;
    for (const auto& [author, weight] : owners) {
      result.authors[author].changes += weight;
      result.authors[author].files += 1;
    }
    file.owners = std::move(owners);
  }
  const auto rank = rank_authors(result.authors);
  for (File& file : files_) {
    Weights owners;
    for (const auto& [author, weight] : file.owners) owners[rank[author]] = weight;
    file.churn.owners = sorted_shares(owners);
    result.files.push_back(std::move(file.churn));
  }
  std::ranges::sort(result.files, [](const FileChurn& a, const FileChurn& b) {
    return a.commits != b.commits ? a.commits > b.commits : a.path < b.path;
  });
  result.commits = commits_;
  result.bulk_commits = bulk_commits_;
  return result;
}

}  // namespace symphony::extensions::git
