// git.info, git.log, git.churn and git.authors.
#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "extensions/operators/git/blame_age.hpp"
#include "extensions/operators/git/churn.hpp"
#include "extensions/operators/git/git_json.hpp"
#include "extensions/operators/git/history.hpp"
#include "extensions/operators/git/ownership.hpp"
#include "extensions/operators/git/repository.hpp"
#include "extensions/operators/kit.hpp"
#include "extensions/operators/operators.hpp"
#include "extensions/operators/paths.hpp"
#include "extensions/operators/time_argument.hpp"
#include "runtime/text/format.hpp"

namespace symphony::extensions {
namespace {

using actors::OperatorContext;
using actors::OperatorSpec;
using actors::ValueType;

constexpr const char* kPathSummary = "a directory of the work tree, or the repository itself";
constexpr const char* kIsRepositorySummary = "false when there is no readable git repository";
constexpr const char* kNoteSummary = "why history is missing or incomplete, empty when it is not";

// A repository if there is one, else the reason for a person: no operator fails for want of git.
struct Opened {
  std::optional<git::Repository> repository;
  std::string note;
};

Result<Opened> open_repository(const std::string& path, OperatorContext& context) {
  auto opened = git::Repository::open(path, git::caller_of(context));
  if (!opened) {
    if (git::is_passed_on(opened.error())) return opened.error();
    return Opened{std::nullopt, opened.error().message};
  }
  if (!*opened) return Opened{std::nullopt, "Not in a git repository."};
  std::string note = (**opened).note();
  return Opened{std::move(*opened), std::move(note)};
}

Json number_or_null(std::optional<std::size_t> number) {
  return number ? Json(*number) : Json(nullptr);
}

Result<Json> info(ArgumentReader& args, OperatorContext& context) {
  const std::string path = args.path("path");
  const auto max_commits = args.integer("max_commits", 0, git::kMaxCommitsLimit);
  if (auto status = args.status(); !status) return status.error();
  auto opened = open_repository(path, context);
  if (!opened) return opened.error();
  Json result{{"is_repository", false},
              {"note", opened->note},
              {"root", ""},
              {"head", ""},
              {"head_time", ""},
              {"branch", ""},
              {"dirty", nullptr},
              {"changed_files", nullptr},
              {"commits", nullptr},
              {"commits_truncated", false},
              {"bare", false},
              {"shallow", false}};
  if (!opened->repository) return result;
  const git::Repository& repository = *opened->repository;
  const auto changes = repository.changes();
  if (!changes) return changes.error();
  std::optional<std::int64_t> head_time_s;
  const auto walked =
      git::walk_history(repository, {.max_commits = max_commits, .with_changes = false}, context,
                        [&](git::Commit&& commit) {
                          if (!head_time_s) head_time_s = commit.time_s;
                        });
  if (!walked) return walked.error();
  std::string note = opened->note;
  git::add_note(note, changes->note);
  git::add_note(note, walked->note);
  result["is_repository"] = true;
  result["note"] = std::move(note);
  result["root"] = encode_path(repository.root());
  result["head"] = repository.head();
  result["branch"] = repository.branch();
  result["bare"] = repository.bare();
  result["shallow"] = repository.shallow();
  result["changed_files"] = number_or_null(changes->files);
  if (changes->files) result["dirty"] = *changes->files > 0;
  if (head_time_s) result["head_time"] = runtime::format_utc(*head_time_s);
  result["commits"] = walked->commits;
  result["commits_truncated"] = walked->truncated;
  return result;
}

Result<Json> log(ArgumentReader& args, OperatorContext& context) {
  const std::string path = args.path("path");
  git::HistoryOptions options{.max_commits = args.integer("max_commits", 0, git::kMaxCommitsLimit),
                              .with_lines = false};
  options.since_s = time_argument(args, "since").value_or(options.since_s);
  if (auto status = args.status(); !status) return status.error();
  auto opened = open_repository(path, context);
  if (!opened) return opened.error();
  Json result{{"is_repository", opened->repository.has_value()},
              {"note", opened->note},
              {"commits", Json::array()},
              {"truncated", false}};
  if (!opened->repository) return result;
  Json& commits = result["commits"];
  const auto collect = [&](git::Commit&& commit) { commits.push_back(git::to_json(commit)); };
  auto walked = git::walk_history(*opened->repository, options, context, collect);
  if (!walked) return walked.error();
  std::string note = opened->note;
  if (walked->lacks_objects) {
    options.with_changes = false;
    commits = Json::array();
    walked = git::walk_history(*opened->repository, options, context, collect);
    if (!walked) return walked.error();
    for (Json& commit : commits) commit["files"] = nullptr;
    git::add_note(note,
                  "This is a partial clone without directories: which files changed is not "
                  "known.");
  }
  git::add_note(note, walked->note);
  result["note"] = std::move(note);
  result["truncated"] = walked->truncated;
  return result;
}

struct Measured {
  bool is_repository = false;
  std::string note;
  git::Churn churn;
  bool truncated = false;
  bool known = false;  // which files changed
  bool with_lines = false;
};

Result<std::optional<std::set<std::string>>> living_files(const git::Repository& repository) {
  auto listed = repository.run({"ls-tree", "-r", "-z", "--name-only", "HEAD"});
  if (!listed) return listed.error();
  if (!listed->ok()) return std::optional<std::set<std::string>>();
  std::set<std::string> paths;  // relative to the asked directory, as ls-tree has it
  for (std::size_t at = 0; at < listed->output.size();) {
    const auto end = std::min(listed->output.find('\0', at), listed->output.size());
    paths.emplace(listed->output.substr(at, end - at));
    at = end + 1;
  }
  return std::optional(std::move(paths));
}

// With as much as a partial clone has: lines, else files, else commits alone.
Result<Measured> measure(const std::string& path, std::int64_t max_commits,
                         OperatorContext& context) {
  auto opened = open_repository(path, context);
  if (!opened) return opened.error();
  Measured measured{.is_repository = opened->repository.has_value(), .note = opened->note};
  if (!opened->repository || opened->repository->head().empty()) return measured;
  const git::Repository& repository = *opened->repository;
  auto living = living_files(repository);
  if (!living) return living.error();
  for (git::HistoryOptions options{.max_commits = max_commits};;) {
    git::ChurnTable table;
    auto walked = git::walk_history(repository, options, context,
                                    [&](git::Commit&& commit) { table.add(commit); });
    if (!walked) return walked.error();
    if (walked->lacks_objects) {
      git::add_note(measured.note,
                    options.with_lines
                        ? "This is a partial clone, and nothing is fetched: changed lines are not "
                          "known, shares are of commits."
                        : "Which files changed is not known either.");
      options.with_changes = options.with_lines;
      options.with_lines = false;
      continue;
    }
    git::add_note(measured.note, walked->note);
    measured.churn = std::move(table).finish(*living);
    measured.truncated = walked->truncated;
    measured.with_lines = options.with_lines;
    measured.known = options.with_changes && walked->commits > walked->unread;
    return measured;
  }
}

Result<Json> churn(ArgumentReader& args, OperatorContext& context) {
  const std::string path = args.path("path");
  const auto max_commits = args.integer("max_commits", 0, git::kMaxCommitsLimit);
  const auto max_files = args.integer("max_files", 0, kMaxListItems);
  if (auto status = args.status(); !status) return status.error();
  auto measured = measure(path, max_commits, context);
  if (!measured) return measured.error();
  const git::Churn& churn = measured->churn;
  Json files = Json::array();
  for (const git::FileChurn& file : churn.files) {
    if (static_cast<std::int64_t>(files.size()) >= max_files) break;
    files.push_back(git::to_json(file, churn.authors, measured->with_lines));
  }
  Json authors = Json::array();
  for (const auto& author : churn.authors) authors.push_back(git::to_json(author));
  const bool readable = measured->is_repository;
  return Json{{"is_repository", readable},
              {"note", measured->note},
              {"files", std::move(files)},
              {"file_count", measured->known ? Json(churn.files.size()) : Json()},
              {"authors", std::move(authors)},
              {"commits", readable ? Json(churn.commits) : Json()},
              {"bulk_commits", readable ? Json(churn.bulk_commits) : Json()},
              {"with_lines", measured->with_lines},
              {"truncated", measured->truncated}};
}

Result<Json> authors(ArgumentReader& args, OperatorContext& context) {
  const std::string path = args.path("path");
  const auto max_commits = args.integer("max_commits", 0, git::kMaxCommitsLimit);
  const auto depth = args.integer("depth", 0, 64);
  const bool given = args.has("files") && args.has("authors");
  const Json& given_files = args.list("files");
  const Json& given_authors = args.list("authors");
  if (auto status = args.status(); !status) return status.error();
  bool is_repository = true;
  std::string note;
  std::vector<git::AuthorActivity> people;
  std::vector<git::OwnedFile> owned;
  if (given) {
    people = git::authors_of(given_authors);
    owned = git::owned_files(given_files, people.size());
    is_repository = !people.empty();
    if (!is_repository) note = "There is no history to find owners in.";
  } else {
    auto measured = measure(path, max_commits, context);
    if (!measured) return measured.error();
    is_repository = measured->is_repository;
    note = measured->note;
    people = std::move(measured->churn.authors);
    for (auto& file : measured->churn.files) {
      owned.push_back({std::move(file.path), std::move(file.owners)});
    }
  }
  Json listed = Json::array();
  for (const auto& person : people) listed.push_back(git::to_json(person));
  const auto all = git::ownership(owned, static_cast<std::size_t>(depth));
  Json directories = Json::array();
  for (std::size_t i = 1; i < all.size(); ++i) directories.push_back(git::to_json(all[i], people));
  Json whole = git::to_json(all.front(), people);
  const bool known = !owned.empty();
  return Json{{"is_repository", is_repository},
              {"note", std::move(note)},
              {"authors", std::move(listed)},
              {"bus_factor", known ? whole["bus_factor"] : Json()},
              {"owners", whole["owners"]},
              {"changes", known ? whole["changes"] : Json()},
              {"directories", std::move(directories)}};
}

OperatorSpec info_spec() {
  return {
      .name = "git.info",
      .summary = "Says which git repository a directory belongs to and where its HEAD is",
      .arguments = {required("path", ValueType::path, kPathSummary),
                    optional("max_commits", ValueType::integer, 5'000,
                             "count commits up to this many")},
      .results = {
          result("is_repository", ValueType::boolean, kIsRepositorySummary),
          result("note", ValueType::text, kNoteSummary),
          result("root", ValueType::path, "root of the work tree (bare: repository)"),
          result("head", ValueType::text, "id of the commit at HEAD, empty for none"),
          result("head_time", ValueType::text, "when HEAD was committed, UTC"),
          result("branch", ValueType::text, "name of the branch, empty if detached"),
          result("dirty", ValueType::boolean,
                 "whether tracked files were changed; null when not known"),
          result("changed_files", ValueType::integer, "tracked files that differ; null likewise"),
          result("commits", ValueType::integer, "commits that HEAD reaches; null without"),
          result("commits_truncated", ValueType::boolean, "there are more"),
          result("bare", ValueType::boolean, "without a work tree"),
          result("shallow", ValueType::boolean, "a clone with its history cut off")}};
}

OperatorSpec log_spec() {
  return {.name = "git.log",
          .summary = "Lists commits from new to old with the files each one changed",
          .arguments = {required("path", ValueType::path, kPathSummary),
                        optional("max_commits", ValueType::integer, 1'000, "at most this many"),
                        optional("since", ValueType::any, nullptr,
                                 "leave out older commits: UTC text or seconds since 1970")},
          .results = {result("is_repository", ValueType::boolean, kIsRepositorySummary),
                      result("note", ValueType::text, kNoteSummary),
                      result("commits", ValueType::list,
                             "{id, time, time_s, author, email, summary, merge, files}; files is "
                             "null when it cannot be read"),
                      result("truncated", ValueType::boolean, "there are more commits")}};
}

OperatorSpec churn_spec() {
  return {
      .name = "git.churn",
      .summary = "Measures how often, how much and by whom each file was changed",
      .arguments = {required("path", ValueType::path, kPathSummary),
                    optional("max_commits", ValueType::integer, 5'000,
                             "how many commits to look back"),
                    optional("max_files", ValueType::integer, 100'000,
                             "list at most this many files, most often changed first")},
      .results = {
          result("is_repository", ValueType::boolean, kIsRepositorySummary),
          result("note", ValueType::text, kNoteSummary),
          result("files", ValueType::list,
                 "{path, commits, lines_added, lines_removed, last_change, "
                 "last_change_s, first_change_s, authors, top_author, "
                 "top_author_share, owners: [[author, changes]]}; renames followed, "
                 "paths relative to `path`; lines are null without with_lines"),
          result("file_count", ValueType::integer, "files before the limit; null when not known"),
          result("authors", ValueType::list,
                 "{name, email, commits, changes, files, first, last}, most changes "
                 "first; `owners` are indexes into this list; people who share a "
                 "name or an address (after .mailmap) are one"),
          result("commits", ValueType::integer, "commits looked at; null without a repository"),
          result("bulk_commits", ValueType::integer,
                 "commits left out because they change over 5,000 files"),
          result("with_lines", ValueType::boolean,
                 "whether lines were counted; if not, changes are of commits"),
          result("truncated", ValueType::boolean, "there are older commits")}};
}

OperatorSpec authors_spec() {
  return {
      .name = "git.authors",
      .summary = "Finds the bus factor: how few people made more than half of the changes",
      .arguments =
          {required("path", ValueType::path, kPathSummary),
           optional("max_commits", ValueType::integer, 5'000, "how many commits to look back"),
           optional("depth", ValueType::integer, 2, "directories down to this many levels"),
           optional("files", ValueType::list, nullptr,
                    "`files` of git.churn, to save reading the history again"),
           optional("authors", ValueType::list, nullptr, "`authors` of git.churn, with `files`")},
      .results = {
          result("is_repository", ValueType::boolean, kIsRepositorySummary),
          result("note", ValueType::text, kNoteSummary),
          result("authors", ValueType::list, "{name, email, commits, changes, files, first, last}"),
          result("bus_factor", ValueType::integer, "null without history"),
          result("owners", ValueType::list, "those people: {name, changes, share}"),
          result("changes", ValueType::integer, "lines added and removed"),
          result("directories", ValueType::list,
                 "{directory, files, changes, people, bus_factor, owners}, by path")}};
}

}  // namespace

void add_git_operators(actors::OperatorRegistry& registry) {
  registry.add(make_operator(info_spec(), info));
  registry.add(make_operator(log_spec(), log));
  registry.add(make_operator(churn_spec(), churn));
  registry.add(make_operator(authors_spec(), authors));
  registry.add(git::make_blame_age());
}

}  // namespace symphony::extensions
