#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "extensions/operators/git/blame_age.hpp"
#include "extensions/operators/git/git_json.hpp"
#include "extensions/operators/git/history.hpp"
#include "extensions/operators/git/ownership.hpp"
#include "extensions/operators/git/repository.hpp"
#include "extensions/operators/git/utc_time.hpp"
#include "extensions/operators/kit.hpp"
#include "extensions/operators/operators.hpp"
#include "extensions/operators/paths.hpp"

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

Opened open_repository(const std::string& path) {
  auto opened = git::Repository::open(path);
  if (!opened) return {std::nullopt, opened.error().message};
  Opened result{std::move(*opened), ""};
  if (!result.repository) {
    result.note = "Not in a git repository.";
  } else if (!result.repository->head()) {
    result.note = "The git repository has no commits yet.";
  } else if (result.repository->shallow()) {
    result.note = "The git repository is a shallow clone: its history is cut off.";
  }
  return result;
}

std::string branch_of(git_repository* repository) {
  git_reference* raw = nullptr;
  if (git_reference_lookup(&raw, repository, "HEAD") != 0) return "";
  const git::ReferenceHandle head(raw);
  const char* target = git_reference_symbolic_target(raw);  // null when detached
  if (target == nullptr) return "";
  const std::string_view name(target);
  constexpr std::string_view kHeads = "refs/heads/";
  return to_utf8_lossy(name.starts_with(kHeads) ? name.substr(kHeads.size()) : name);
}

// Tracked files that differ from HEAD.
std::size_t changed_files(const git::Repository& repository) {
  if (repository.bare()) return 0;
  git_status_options options;
  git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION);
  options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
  options.flags = GIT_STATUS_OPT_EXCLUDE_SUBMODULES;
  git_status_list* raw = nullptr;
  if (git_status_list_new(&raw, repository.get(), &options) != 0) return 0;
  const git::StatusHandle list(raw);
  return git_status_list_entrycount(raw);
}

Result<Json> info(ArgumentReader& args, OperatorContext& context) {
  const std::string path = args.path("path");
  const auto max_commits = args.integer("max_commits", 0, git::kMaxCommitsLimit);
  if (auto status = args.status(); !status) return status.error();
  const git::Library library;
  const Opened opened = open_repository(path);
  Json result{{"is_repository", false},
              {"note", opened.note},
              {"root", ""},
              {"head", ""},
              {"head_time", ""},
              {"branch", ""},
              {"dirty", false},
              {"changed_files", 0},
              {"commits", 0},
              {"commits_truncated", false},
              {"bare", false},
              {"shallow", false}};
  if (!opened.repository) return result;
  const git::Repository& repository = *opened.repository;
  const char* root = git_repository_workdir(repository.get());
  result["is_repository"] = true;
  result["root"] = encode_path(root != nullptr ? root : git_repository_path(repository.get()));
  result["branch"] = branch_of(repository.get());
  result["bare"] = repository.bare();
  result["shallow"] = repository.shallow();
  const std::size_t changed = changed_files(repository);
  result["dirty"] = changed > 0;
  result["changed_files"] = changed;
  if (const auto head = repository.head()) result["head"] = git::hex(*head);
  std::optional<std::int64_t> head_time_s;
  const auto walked =
      git::walk_history(repository, {.max_commits = max_commits, .with_changes = false}, context,
                        [&](git::Commit&& commit) {
                          if (!head_time_s) head_time_s = commit.time_s;
                        });
  if (!walked) return walked.error();
  if (head_time_s) result["head_time"] = utc_text(*head_time_s);
  result["commits"] = walked->commits;
  result["commits_truncated"] = walked->truncated;
  return result;
}

Result<Json> log(ArgumentReader& args, OperatorContext& context) {
  const std::string path = args.path("path");
  git::HistoryOptions options{.max_commits = args.integer("max_commits", 0, git::kMaxCommitsLimit),
                              .with_lines = false};
  if (args.has("since")) {
    const auto since = time_of(args.any("since"));
    if (!since) args.fail("since", "is no time: give text like 2026-01-31 or seconds since 1970");
    options.since_s = since.value_or(0);
  }
  if (auto status = args.status(); !status) return status.error();
  const git::Library library;
  const Opened opened = open_repository(path);
  Json result{{"is_repository", opened.repository.has_value()},
              {"note", opened.note},
              {"commits", Json::array()},
              {"truncated", false}};
  if (!opened.repository) return result;
  Json& commits = result["commits"];
  const auto walked =
      git::walk_history(*opened.repository, options, context,
                        [&](git::Commit&& commit) { commits.push_back(git::to_json(commit)); });
  if (!walked) return walked.error();
  result["truncated"] = walked->truncated;
  return result;
}

struct Measured {
  bool is_repository = false;
  std::string note;
  git::Churn churn;
  bool truncated = false;
};

Result<Measured> measure(const std::string& path, std::int64_t max_commits,
                         OperatorContext& context) {
  const git::Library library;
  const Opened opened = open_repository(path);
  Measured measured{opened.repository.has_value(), opened.note, {}, false};
  if (!opened.repository) return measured;
  git::ChurnTable table;
  const auto walked = git::walk_history(*opened.repository, {.max_commits = max_commits}, context,
                                        [&](git::Commit&& commit) { table.add(commit); });
  if (!walked) return walked.error();
  measured.churn = std::move(table).finish();
  measured.truncated = walked->truncated;
  return measured;
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
    files.push_back(git::to_json(file, churn.authors));
  }
  Json authors = Json::array();
  for (const auto& author : churn.authors) authors.push_back(git::to_json(author));
  return Json{{"is_repository", measured->is_repository},
              {"note", measured->note},
              {"files", std::move(files)},
              {"file_count", churn.files.size()},
              {"authors", std::move(authors)},
              {"commits", churn.commits},
              {"bulk_commits", churn.bulk_commits},
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
  return Json{{"is_repository", is_repository},
              {"note", std::move(note)},
              {"authors", std::move(listed)},
              {"bus_factor", whole["bus_factor"]},
              {"owners", whole["owners"]},
              {"changes", whole["changes"]},
              {"directories", std::move(directories)}};
}

OperatorSpec info_spec() {
  return {.name = "git.info",
          .summary = "Says which git repository a directory belongs to and where its HEAD is",
          .arguments = {required("path", ValueType::path, kPathSummary),
                        optional("max_commits", ValueType::integer, 5'000,
                                 "count commits up to this many")},
          .results = {result("is_repository", ValueType::boolean, kIsRepositorySummary),
                      result("note", ValueType::text, kNoteSummary),
                      result("root", ValueType::path, "root of the work tree (bare: repository)"),
                      result("head", ValueType::text, "id of the commit at HEAD, empty for none"),
                      result("head_time", ValueType::text, "when HEAD was committed, UTC"),
                      result("branch", ValueType::text, "name of the branch, empty if detached"),
                      result("dirty", ValueType::boolean, "whether tracked files were changed"),
                      result("changed_files", ValueType::integer, "tracked files that differ"),
                      result("commits", ValueType::integer, "commits that HEAD reaches"),
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
                             "{id, time, time_s, author, email, summary, merge, files}"),
                      result("truncated", ValueType::boolean, "there are more commits")}};
}

OperatorSpec churn_spec() {
  return {.name = "git.churn",
          .summary = "Measures how often, how much and by whom each file was changed",
          .arguments = {required("path", ValueType::path, kPathSummary),
                        optional("max_commits", ValueType::integer, 5'000,
                                 "how many commits to look back"),
                        optional("max_files", ValueType::integer, 100'000,
                                 "list at most this many files, most often changed first")},
          .results = {result("is_repository", ValueType::boolean, kIsRepositorySummary),
                      result("note", ValueType::text, kNoteSummary),
                      result("files", ValueType::list,
                             "{path, commits, lines_added, lines_removed, last_change, "
                             "last_change_s, first_change_s, authors, top_author, "
                             "top_author_share, owners: [[author, changes]]}; renames followed, "
                             "paths relative to `path`"),
                      result("file_count", ValueType::integer, "files before the limit"),
                      result("authors", ValueType::list,
                             "{name, email, commits, changes, files, first, last}, most changes "
                             "first; `owners` are indexes into this list"),
                      result("commits", ValueType::integer, "commits looked at"),
                      result("bulk_commits", ValueType::integer,
                             "commits left out because they change over 5,000 files"),
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
          result("bus_factor", ValueType::integer, "0 without history"),
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
