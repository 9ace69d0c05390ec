#include "extensions/operators/git/log_text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "extensions/operators/paths.hpp"

namespace symphony::extensions::git {
namespace {

constexpr std::size_t kMaxSummaryBytes = 300;

// Takes parts that end with a given byte off the front of a text.
class Parts {
 public:
  explicit Parts(std::string_view text) : rest_(text) {}

  bool empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  std::optional<std::string_view> take(char end = '\0') {
    const auto at = rest_.find(end);
    if (at == rest_.npos) return std::nullopt;
    const auto part = rest_.substr(0, at);
    rest_.remove_prefix(at + 1);
    return part;
  }

 private:
  std::string_view rest_;
};

template <class Number>
Number number_of(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool is_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// ":100644 100644 <id> <id> R077": the modes and the letter.
struct RawEntry {
  std::string_view old_mode, new_mode;
  char status = '?';
};

std::optional<RawEntry> raw_entry(std::string_view text) {
  if (text.size() < 18 || text[7] != ' ' || text[14] != ' ') return std::nullopt;
  const auto space = text.rfind(' ');
  if (space + 1 >= text.size()) return std::nullopt;
  return RawEntry{text.substr(1, 6), text.substr(8, 6), text[space + 1]};
}

// "12\t3\tpath", or "12\t3\t" with the old and the new path behind; "-" for binary files.
struct Numbers {
  std::uint32_t added = 0, removed = 0;
  std::string_view path;
};

std::optional<Numbers> take_numbers(std::string_view part, Parts& parts) {
  const auto first = part.find('\t');
  const auto second = first == part.npos ? part.npos : part.find('\t', first + 1);
  if (second == part.npos) return std::nullopt;
  Numbers numbers{number_of<std::uint32_t>(part.substr(0, first)),
                  number_of<std::uint32_t>(part.substr(first + 1, second - first - 1)),
                  part.substr(second + 1)};
  if (!numbers.path.empty()) return numbers;
  const auto old_path = parts.take();
  const auto new_path = parts.take();
  if (!old_path || !new_path) return std::nullopt;
  numbers.path = *new_path;
  return numbers;
}

// The changes of one commit while they are read.
struct Reading {
  CommitChanges commit;
  std::vector<bool> regular;  // of each change
  std::size_t counted = 0;    // changes before this one have their numbers

  bool take_raw(std::string_view part, Parts& parts) {
    const auto entry = raw_entry(part);
    const auto path = parts.take();
    if (!entry || !path) return false;
    FileChange change;
    const bool moved = entry->status == 'R' || entry->status == 'C';
    if (moved) {
      const auto renamed = parts.take();
      if (!renamed) return false;
      change.path = *renamed;
      if (entry->status == 'R') change.old_path = *path;
    } else {
      change.path = *path;
    }
    change.created = entry->status == 'A' || entry->status == 'C';
    change.deleted = entry->status == 'D';
    const auto mode = change.deleted ? entry->old_mode : entry->new_mode;
    regular.push_back(mode.starts_with("100"));
    commit.changes.push_back(std::move(change));
    return true;
  }

  // Numbers come in the order of the changes, which may have more.
  bool take_count(std::string_view part, Parts& parts) {
    const auto numbers = take_numbers(part, parts);
    if (!numbers) return false;
    auto& changes = commit.changes;
    while (counted < changes.size() && changes[counted].path != numbers->path) ++counted;
    if (counted == changes.size()) return false;
    changes[counted].added = numbers->added;
    changes[counted].removed = numbers->removed;
    return true;
  }

  CommitChanges finish() && {
    CommitChanges result{std::move(commit.id), {}};
    for (std::size_t i = 0; i < commit.changes.size(); ++i) {
      if (regular[i]) result.changes.push_back(std::move(commit.changes[i]));
    }
    std::ranges::sort(result.changes, {}, &FileChange::path);
    return result;
  }
};

}  // namespace

std::vector<Commit> parse_commits(std::string_view text) {
  std::vector<Commit> commits;
  Parts parts(text);
  while (!parts.empty()) {
    const auto ids = parts.take();
    const auto time = parts.take();
    const auto name = parts.take();
    const auto email = parts.take();
    const auto summary = parts.take();
    if (!ids || !time || !name || !email || !summary || !parts.take('\n')) break;
    const auto space = std::min(ids->find(' '), ids->size());
    Commit commit;
    commit.id = ids->substr(0, space);
    commit.time_s = number_of<std::int64_t>(*time);
    commit.author = {to_utf8_lossy(*name), to_utf8_lossy(*email)};
    commit.summary = to_utf8_lossy(summary->substr(0, kMaxSummaryBytes));
    commit.merge = std::ranges::count(*ids, ' ') > 1;
    commits.push_back(std::move(commit));
  }
  return commits;
}

std::vector<CommitChanges> parse_changes(std::string_view text) {
  std::vector<CommitChanges> commits;
  std::optional<Reading> reading;
  Parts parts(text);
  while (const auto part = parts.take()) {
    if (is_id(*part)) {
      if (reading) commits.push_back(std::move(*reading).finish());
      reading.emplace();
      reading->commit.id = *part;
    } else if (!reading) {
      break;
    } else if (part->starts_with(':')) {
      if (!reading->take_raw(*part, parts)) break;
    } else if (!reading->take_count(*part, parts)) {
      break;
    }
  }
  if (reading) commits.push_back(std::move(*reading).finish());
  return commits;
}

}  // namespace symphony::extensions::git
