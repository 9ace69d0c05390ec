#include "extensions/operators/git/blame.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "extensions/operators/file/io.hpp"
#include "extensions/operators/paths.hpp"

namespace symphony::extensions::git {
namespace {

std::size_t line_count(std::string_view text) {
  const auto newlines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  return newlines + (!text.empty() && text.back() != '\n' ? 1 : 0);
}

std::string_view take_until(std::string_view& text, char end) {
  const auto part = text.substr(0, text.find(end));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// -L options for these lines, neighbours in one.
std::vector<std::string> ranges_of(std::vector<std::int64_t> lines) {
  std::ranges::sort(lines);
  std::vector<std::string> options;
  for (std::size_t i = 0; i < lines.size();) {
    std::size_t end = i + 1;
    while (end < lines.size() && lines[end] <= lines[end - 1] + 1) ++end;
    options.push_back("-L" + std::to_string(lines[i]) + "," + std::to_string(lines[end - 1]));
    i = end;
  }
  return options.size() > kMaxBlamedRanges ? std::vector<std::string>{} : options;
}

void read_header(std::string_view line, LineOrigin& origin) {
  const auto name = take_until(line, ' ');
  if (name == "author") {
    origin.author.name = to_utf8_lossy(line);
  } else if (name == "author-mail") {  // "<ada@example.org>"
    if (line.starts_with('<') && line.ends_with('>')) line = line.substr(1, line.size() - 2);
    origin.author.email = to_utf8_lossy(line);
  } else if (name == "committer-time") {
    origin.time_s = number_of(line);
  } else if (name == "boundary") {
    origin.at_least = true;
  }
}

}  // namespace

FileBlame parse_blame(std::string_view text, std::size_t lines) {
  FileBlame blame{std::vector<std::uint32_t>(lines, kNotAsked), {}};
  std::map<std::string_view, std::uint32_t> index_of;
  while (!text.empty()) {
    std::string_view head = take_until(text, '\n');  // "<id> <old line> <line> <count>"
    const auto id = take_until(head, ' ');
    take_until(head, ' ');
    const auto first = number_of(take_until(head, ' '));
    const auto count = number_of(head);
    const bool committed = id.find_first_not_of('0') != id.npos;
    auto index = kUncommitted;
    if (committed) {
      const auto [found, added] =
          index_of.try_emplace(id, static_cast<std::uint32_t>(blame.origins.size()));
      if (added) blame.origins.push_back({.commit = std::string(id)});
      index = found->second;
    }
    LineOrigin ignored;
    LineOrigin& origin = committed ? blame.origins[index] : ignored;
    while (!text.empty()) {
      const auto line = take_until(text, '\n');
      read_header(line, origin);
      if (line.starts_with("filename ")) break;
    }
    if (first < 1 || count < 1 || first + count - 1 > static_cast<std::int64_t>(kMaxBlamedBytes))
      continue;
    const auto end = static_cast<std::size_t>(first + count - 1);
    if (blame.line_origin.size() < end) blame.line_origin.resize(end, kNotAsked);
    std::fill(blame.line_origin.begin() + first - 1,
              blame.line_origin.begin() + static_cast<std::ptrdiff_t>(end), index);
  }
  return blame;
}

Result<FileBlame> blame_file(const Repository& repository, const std::string& path,
                             std::vector<std::int64_t> lines, const std::string& oldest_commit) {
  std::vector<std::string> arguments{"blame", "--incremental", "--root", "--no-textconv",
                                     "--no-ignore-revs-file"};
  std::size_t count = 0;
  if (!repository.bare()) {
    std::string content;
    const auto read = read_prefix(join_path(repository.root(), path), kMaxBlamedBytes, content);
    if (!read) return read.error();
    if (read->truncated) return Error{Errc::RESOURCE_EXHAUSTED, "it is larger than 2 MiB"};
    count = line_count(content);
    const bool all = lines.empty();
    std::erase_if(lines, [&](std::int64_t line) {
      return line < 1 || line > static_cast<std::int64_t>(count);
    });
    if (count == 0 || (!all && lines.empty()))
      return FileBlame{std::vector<std::uint32_t>(count, kNotAsked), {}};
    std::ranges::move(ranges_of(std::move(lines)), std::back_inserter(arguments));
  }
  // A bound alone leaves the work tree to be blamed; with HEAD it would be what was committed.
  if (!oldest_commit.empty()) arguments.push_back("^" + oldest_commit);
  if (repository.bare()) arguments.push_back("HEAD");
  arguments.insert(arguments.end(), {"--", path});
  auto answer = repository.run_at_root(std::move(arguments));
  if (!answer) return answer.error();
  if (!answer->ok()) return Error{Errc::UNAVAILABLE, answer->complaint};
  return parse_blame(answer->output, count);
}

}  // namespace symphony::extensions::git
