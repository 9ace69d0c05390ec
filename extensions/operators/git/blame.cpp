#include "extensions/operators/git/blame.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string_view>

namespace symphony::extensions::git {
namespace {

struct OidLess {
  bool operator()(const git_oid& a, const git_oid& b) const { return git_oid_cmp(&a, &b) < 0; }
};

BlobHandle committed_blob(const Repository& repository, const std::string& path) {
  const auto head = repository.head();
  if (!head) return nullptr;
  git_commit* raw_commit = nullptr;
  if (git_commit_lookup(&raw_commit, repository.get(), &*head) != 0) return nullptr;
  const CommitHandle commit(raw_commit);
  git_tree* raw_tree = nullptr;
  if (git_commit_tree(&raw_tree, raw_commit) != 0) return nullptr;
  const TreeHandle tree(raw_tree);
  git_tree_entry* raw_entry = nullptr;
  if (git_tree_entry_bypath(&raw_entry, raw_tree, path.c_str()) != 0) return nullptr;
  const TreeEntryHandle entry(raw_entry);
  const auto mode = git_tree_entry_filemode(raw_entry);
  if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE) return nullptr;
  git_blob* blob = nullptr;
  if (git_blob_lookup(&blob, repository.get(), git_tree_entry_id(raw_entry)) != 0) return nullptr;
  return BlobHandle(blob);
}

std::optional<std::string> work_tree_content(const Repository& repository,
                                             const std::string& path) {
  const char* root = git_repository_workdir(repository.get());
  if (root == nullptr) return std::nullopt;
  const std::filesystem::path file = std::filesystem::path(root) / path;
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error || size > static_cast<std::uintmax_t>(kMaxBlamedBytes)) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  std::string content(size, '\0');
  in.read(content.data(), static_cast<std::streamsize>(size));
  content.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
  return in.bad() ? std::nullopt : std::optional(std::move(content));
}

std::size_t line_count(std::string_view text) {
  const auto newlines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  return newlines + (!text.empty() && text.back() != '\n' ? 1 : 0);
}

// For each line of `content` (0-based), the line of `blob` it is, or kUncommitted.
std::vector<std::uint32_t> map_lines(const git_blob* blob, const std::string& content) {
  struct Hunk {
    int old_start, old_lines, new_start, new_lines;
  };
  std::vector<Hunk> hunks;
  git_diff_options options;
  git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
  options.context_lines = 0;
  // Work trees with other line endings than the repository are still the same lines.
  options.flags = GIT_DIFF_IGNORE_WHITESPACE_EOL;
  const auto on_hunk = [](const git_diff_delta*, const git_diff_hunk* hunk, void* payload) {
    static_cast<std::vector<Hunk>*>(payload)->push_back(
        {hunk->old_start, hunk->old_lines, hunk->new_start, hunk->new_lines});
    return 0;
  };
  git_diff_blob_to_buffer(blob, nullptr, content.data(), content.size(), nullptr, &options, nullptr,
                          nullptr, on_hunk, nullptr, &hunks);
  std::vector<std::uint32_t> origin(line_count(content), kUncommitted);
  std::int64_t next = 0;   // first line not yet mapped
  std::int64_t shift = 0;  // old minus new
  const auto copy_until = [&](std::int64_t end) {
    for (; next < std::min<std::int64_t>(end, static_cast<std::int64_t>(origin.size())); ++next) {
      origin[static_cast<std::size_t>(next)] = static_cast<std::uint32_t>(next + shift);
    }
  };
  for (const Hunk& hunk : hunks) {
    // A hunk without new lines names the line before it.
    copy_until(hunk.new_lines == 0 ? hunk.new_start : hunk.new_start - 1);
    next += hunk.new_lines;
    shift += hunk.old_lines - hunk.new_lines;
  }
  copy_until(static_cast<std::int64_t>(origin.size()));
  return origin;
}

}  // namespace

std::optional<FileBlame> blame_file(const Repository& repository, const std::string& path,
                                    const std::optional<git_oid>& oldest_commit) {
  const BlobHandle blob = committed_blob(repository, path);
  if (!blob || git_blob_is_binary(blob.get()) == 1) return std::nullopt;
  if (git_blob_rawsize(blob.get()) > static_cast<git_object_size_t>(kMaxBlamedBytes)) {
    return std::nullopt;
  }
  git_blame_options options;
  git_blame_options_init(&options, GIT_BLAME_OPTIONS_VERSION);
  if (oldest_commit) options.oldest_commit = *oldest_commit;
  git_blame* raw = nullptr;
  if (git_blame_file(&raw, repository.get(), path.c_str(), &options) != 0) return std::nullopt;
  const BlameHandle blame(raw);

  const std::string committed(static_cast<const char*>(git_blob_rawcontent(blob.get())),
                              static_cast<std::size_t>(git_blob_rawsize(blob.get())));
  std::vector<std::uint32_t> committed_origin(line_count(committed), kUncommitted);
  FileBlame result;
  std::map<git_oid, std::uint32_t, OidLess> index_of;
  for (std::uint32_t i = 0; i < git_blame_get_hunk_count(raw); ++i) {
    const git_blame_hunk* hunk = git_blame_get_hunk_byindex(raw, i);
    const auto [found, added] = index_of.try_emplace(
        hunk->final_commit_id, static_cast<std::uint32_t>(result.origins.size()));
    if (added) {
      LineOrigin origin;
      git_commit* commit = nullptr;
      if (git_commit_lookup(&commit, repository.get(), &hunk->final_commit_id) == 0) {
        const CommitHandle handle(commit);
        origin.time_s = git_commit_time(commit);
        origin.author = repository.person(git_commit_author(commit)).name;
      }
      result.origins.push_back(std::move(origin));
    }
    const std::size_t first = hunk->final_start_line_number - 1;
    const std::size_t end = std::min(first + hunk->lines_in_hunk, committed_origin.size());
    std::fill(committed_origin.begin() + static_cast<std::ptrdiff_t>(std::min(first, end)),
              committed_origin.begin() + static_cast<std::ptrdiff_t>(end), found->second);
  }
  const auto content = work_tree_content(repository, path);
  if (!content || *content == committed) {
    result.line_origin = std::move(committed_origin);
    return result;
  }
  for (const std::uint32_t line : map_lines(blob.get(), *content)) {
    result.line_origin.push_back(line < committed_origin.size() ? committed_origin[line]
                                                                : kUncommitted);
  }
  return result;
}

}  // namespace symphony::extensions::git
