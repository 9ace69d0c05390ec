#include "extensions/operators/git/repository.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "extensions/operators/file/io.hpp"
#include "extensions/operators/paths.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::extensions::git {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxShallowFileBytes = 16 << 20;

// Whether git would look for a repository here: there is a `.git`, or the directory is one.
bool belongs_to_a_repository(const std::string& directory) {
  std::error_code error;
  fs::path at = fs::canonical(directory, error);
  if (error) at = directory;
  for (;; at = at.parent_path()) {
    struct stat info {};
    if (::lstat((at / ".git").c_str(), &info) == 0 || is_git_directory(at.string())) return true;
    if (at == at.parent_path() || at.empty()) return false;
  }
}

// Cuts the first line off `text`.
std::string take_line(std::string& text) {
  const auto end = text.find('\n');
  std::string line = text.substr(0, end);
  text.erase(0, end == std::string::npos ? end : end + 1);
  return line;
}

// Calls `visit` for each of the parts that a zero byte ends.
template <class Visit>
void for_each_part(std::string_view text, Visit&& visit) {
  while (!text.empty()) {
    const auto part = text.substr(0, text.find('\0'));
    visit(part);
    text.remove_prefix(std::min(text.size(), part.size() + 1));
  }
}

Error unreadable(const std::string& directory, const std::string& why) {
  return {Errc::UNAVAILABLE, "The git repository at " + runtime::display_path(directory) +
                                 " cannot be read: " + why + (why.ends_with('.') ? "" : ".")};
}

}  // namespace

bool is_git_directory(const std::string& directory) {
  struct stat info {};
  const auto is = [&](const char* name, mode_t type) {
    return ::stat((directory + "/" + name).c_str(), &info) == 0 && (info.st_mode & S_IFMT) == type;
  };
  const bool head = ::lstat((directory + "/HEAD").c_str(), &info) == 0;
  return head && is("objects", S_IFDIR) && is("refs", S_IFDIR);
}

void add_note(std::string& note, std::string_view sentence) {
  if (sentence.empty() || note.find(sentence) != std::string::npos) return;
  if (!note.empty()) note += ' ';
  note += sentence;
}

Result<Answer> Repository::run(std::vector<std::string> arguments, std::string input) const {
  return run_git({directory_, std::move(arguments), std::move(input), no_filters_}, caller_);
}

Result<Answer> Repository::run_at_root(std::vector<std::string> arguments,
                                       std::string input) const {
  return run_git({root_, std::move(arguments), std::move(input), no_filters_}, caller_);
}

Result<std::optional<Repository>> Repository::open(const std::string& path, Caller caller) {
  std::error_code error;
  fs::path directory = path.empty() ? fs::path(".") : fs::path(path);
  if (!fs::is_directory(directory, error)) directory = directory.parent_path();
  if (directory.empty()) directory = ".";
  if (!belongs_to_a_repository(directory.string())) return std::optional<Repository>();
  Repository repository(directory.string(), std::move(caller));
  if (auto placed = repository.read_place(); !placed) return placed.error();
  if (auto read = repository.read_settings(); !read) return read.error();
  if (auto read = repository.read_head(); !read) return read.error();
  return std::optional<Repository>(std::move(repository));
}

Status Repository::read_place() {
  // The prefix comes last: it alone may hold a newline.
  auto asked = run({"rev-parse", "--is-bare-repository", "--is-inside-work-tree",
                    "--is-shallow-repository", "--show-prefix"});
  if (!asked) {
    if (is_passed_on(asked.error())) return asked.error();
    return unreadable(directory_, asked.error().message);
  }
  if (!asked->ok()) return unreadable(directory_, asked->complaint);
  std::string& facts = asked->output;
  const bool is_bare = take_line(facts) == "true";
  bare_ = is_bare || take_line(facts) != "true";
  if (is_bare) take_line(facts);
  shallow_ = take_line(facts) == "true";
  prefix_ = bare_ ? "" : chomped(std::move(facts));
  auto root = run({"rev-parse", bare_ ? "--absolute-git-dir" : "--show-toplevel"});
  if (!root) return root.error();
  if (!root->ok()) return unreadable(directory_, root->complaint);
  root_ = chomped(std::move(root->output));
  if (shallow_) add_note(note_, "The git repository is a shallow clone: its history is cut off.");
  return {};
}

Status Repository::read_head() {
  auto symbolic = run({"symbolic-ref", "-q", "HEAD"});
  if (!symbolic) return symbolic.error();
  const std::string target = symbolic->ok() ? chomped(std::move(symbolic->output)) : "";
  constexpr std::string_view kHeads = "refs/heads/";
  branch_ = to_utf8_lossy(target.starts_with(kHeads) ? target.substr(kHeads.size()) : target);
  auto head = run({"rev-parse", "-q", "--verify", "HEAD"});
  if (!head) return head.error();
  if (head->ok()) {
    head_ = chomped(std::move(head->output));
    return {};
  }
  // A branch without commits, or one whose file was damaged? Git lists neither, but warns of one.
  if (!target.empty()) {
    auto listed = run({"for-each-ref", target});
    if (!listed) return listed.error();
    if (listed->ok() && listed->complaint.empty()) {
      add_note(note_, "The git repository has no commits yet.");
      return {};
    }
  }
  add_note(note_, "HEAD of the git repository is damaged: it names no commit.");
  return {};
}

Status Repository::read_settings() {
  auto found = run({"config", "-z", "--name-only", "--get-regexp",
                    R"(^(extensions\.partialclone|remote\..*\.promisor)$|)"
                    R"(^filter\..*\.(clean|process|required)$)"});
  if (!found) return found.error();
  for_each_part(found->output, [&](std::string_view name) {
    if (!name.starts_with("filter.")) {
      partial_ = true;
    } else {
      no_filters_.emplace_back(name, name.ends_with(".required") ? "false" : "");
    }
  });
  return {};
}

Result<std::set<std::string>> Repository::shallow_commits() const {
  std::set<std::string> ids;
  if (!shallow_) return ids;
  auto place = run({"rev-parse", "--git-path", "shallow"});
  if (!place) return place.error();
  if (!place->ok()) return unreadable(directory_, place->complaint);
  std::string file = chomped(std::move(place->output));
  if (!file.starts_with('/')) file = join_path(directory_, file);
  std::string text;
  if (auto read = read_prefix(file, kMaxShallowFileBytes, text); !read) return read.error();
  while (!text.empty()) ids.insert(take_line(text));
  return ids;
}

Result<Changes> Repository::changes() const {
  if (bare_) return Changes{};
  auto status = run({"status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames",
                     "--ignore-submodules=all"});
  if (!status) return status.error();
  if (!status->ok())
    return Changes{std::nullopt, "Which files changed cannot be told: " + status->complaint + "."};
  std::vector<std::string> paths;
  for_each_part(status->output, [&](std::string_view entry) {
    if (entry.size() > 3) paths.emplace_back(entry.substr(3));
  });
  // What went through a filter looks changed without it, so such files are not counted.
  const auto uncertain = filtered(paths);
  if (!uncertain) return uncertain.error();
  Changes result{paths.size() - *uncertain, ""};
  if (*uncertain > 0) {
    result.note = std::to_string(*uncertain) +
                  (*uncertain == 1 ? " tracked file is" : " tracked files are") +
                  " kept through a filter (such as git-lfs), which is not run: whether changed is "
                  "not known.";
  }
  return result;
}

Result<std::size_t> Repository::filtered(const std::vector<std::string>& paths) const {
  if (paths.empty()) return std::size_t{0};
  std::string input;
  for (const std::string& path : paths) input.append(path).push_back('\0');
  // Paths are relative to the directory git is started in, which is the root.
  auto asked = run_at_root({"check-attr", "-z", "--stdin", "filter"}, std::move(input));
  if (!asked) return asked.error();
  std::size_t count = 0;
  std::size_t at = 0;  // path, attribute, value, path, …
  for_each_part(asked->output, [&](std::string_view part) {
    if (at++ % 3 == 2 && part != "unspecified" && part != "unset") ++count;
  });
  return count;
}

Result<std::set<std::string>> Repository::tracked_files() const {
  auto listed = bare_ ? run({"ls-tree", "-r", "-z", "--full-tree", "HEAD"})
                      : run_at_root({"ls-files", "-z", "--stage"});
  if (!listed) return listed.error();
  if (!listed->ok()) return unreadable(directory_, listed->complaint);
  std::set<std::string> paths;
  for_each_part(listed->output, [&](std::string_view entry) {  // "100644 …\tpath"
    const auto tab = entry.find('\t');
    if (entry.starts_with("100") && tab != entry.npos) paths.emplace(entry.substr(tab + 1));
  });
  return paths;
}

}  // namespace symphony::extensions::git
