#include "extensions/operators/git/blame_age.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "extensions/operators/git/blame.hpp"
#include "extensions/operators/git/history.hpp"
#include "extensions/operators/git/utc_time.hpp"
#include "extensions/operators/kit.hpp"
#include "extensions/operators/paths.hpp"

namespace symphony::extensions::git {
namespace {

using actors::OperatorContext;
using actors::ValueType;

struct Request {
  std::string path;     // raw bytes, relative to the asked directory
  bool listed = false;  // named in `files`: report its ages
  // Lines of it that were asked for, as indexes into `items`.
  std::vector<std::size_t> items;
  std::optional<FileBlame> blame;
};

// Files in the order of their first mention, `files` before `items`; at most `max_files`.
std::vector<Request> requests(const std::vector<std::string>& files, const Json& items,
                              std::size_t max_files) {
  std::vector<Request> result;
  std::map<std::string, std::size_t> index_of;
  const auto slot = [&](const std::string& path) -> Request* {
    const auto [found, added] = index_of.try_emplace(path, result.size());
    if (added && result.size() < max_files) result.push_back({.path = path});
    return found->second < result.size() ? &result[found->second] : nullptr;
  };
  for (const std::string& path : files) {
    if (Request* request = slot(path)) request->listed = true;
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Json& item = items[i];
    if (!item.is_object() || !item.contains("path") || !item["path"].is_string()) continue;
    if (Request* request = slot(decode_path(item["path"].get<std::string>()))) {
      request->items.push_back(i);
    }
  }
  return result;
}

// The commit `max_commits` back: blame goes no further.
Result<std::optional<git_oid>> oldest_commit(const Repository& repository, std::int64_t max_commits,
                                             OperatorContext& context) {
  std::optional<git_oid> last;
  const auto walked = walk_history(repository, {.max_commits = max_commits, .with_changes = false},
                                   context, [&](Commit&& commit) { last = commit.id; });
  if (!walked) return walked.error();
  return walked->truncated ? last : std::nullopt;
}

Status blame_all(const Repository& repository, const std::string& path,
                 std::vector<Request>& requests, const std::optional<git_oid>& oldest,
                 OperatorContext& context) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> done{0};
  const auto work = [&](const Repository& mine) {
    for (std::size_t i = next++; i < requests.size() && !context.cancelled(); i = next++) {
      requests[i].blame = blame_file(mine, mine.prefix() + requests[i].path, oldest);
      context.progress(static_cast<double>(++done), static_cast<double>(requests.size()));
    }
  };
  {
    std::vector<std::jthread> threads;
    const auto extra = std::min<std::size_t>(static_cast<std::size_t>(context.cores()), 16);
    for (std::size_t i = 1; i < std::min(extra, requests.size()); ++i) {
      threads.emplace_back([&work, &path] {
        auto opened = Repository::open(path);
        if (opened.ok() && opened.value()) work(**opened);
      });
    }
    work(repository);
  }
  if (context.cancelled()) return Error{Errc::CANCELLED, "Blaming was cancelled."};
  return {};
}

Json ages_of(const Request& request, const std::optional<std::int64_t>& now_s) {
  std::vector<std::int64_t> times;
  std::set<std::string> authors;
  for (const std::uint32_t origin : request.blame->line_origin) {
    if (origin >= request.blame->origins.size()) continue;
    times.push_back(request.blame->origins[origin].time_s);
    authors.insert(request.blame->origins[origin].author);
  }
  std::sort(times.begin(), times.end());
  Json ages{{"path", encode_path(request.path)},
            {"lines", request.blame->line_origin.size()},
            {"uncommitted_lines", request.blame->line_origin.size() - times.size()},
            {"authors", authors.size()},
            {"oldest_s", nullptr},
            {"median_s", nullptr},
            {"newest_s", nullptr}};
  if (times.empty()) return ages;
  const std::int64_t median_s = times[times.size() / 2];
  ages["oldest_s"] = times.front();
  ages["median_s"] = median_s;
  ages["newest_s"] = times.back();
  if (now_s) {
    ages["oldest_days"] = (*now_s - times.front()) / kSecondsPerDay;
    ages["median_days"] = (*now_s - median_s) / kSecondsPerDay;
    ages["newest_days"] = (*now_s - times.back()) / kSecondsPerDay;
  }
  return ages;
}

void date_item(Json& item, const FileBlame& blame, const std::optional<std::int64_t>& now_s) {
  const auto line = item.find("line");
  if (line == item.end() || !line->is_number_integer()) return;
  const auto number = line->get<std::int64_t>();
  if (number < 1 || number > static_cast<std::int64_t>(blame.line_origin.size())) return;
  const std::uint32_t index = blame.line_origin[static_cast<std::size_t>(number - 1)];
  if (index >= blame.origins.size()) {
    item["uncommitted"] = true;
    return;
  }
  const LineOrigin& origin = blame.origins[index];
  item["time_s"] = origin.time_s;
  item["time"] = utc_text(origin.time_s);
  item["author"] = origin.author;
  if (now_s) item["age_days"] = std::max<std::int64_t>(0, *now_s - origin.time_s) / kSecondsPerDay;
}

Result<Json> run(ArgumentReader& args, OperatorContext& context) {
  const std::string path = args.path("path");
  const std::vector<std::string> files = args.paths("files");
  Json items = args.list("items");
  const auto max_files = args.integer("max_files", 0, kMaxListItems);
  const auto max_commits = args.integer("max_commits", 1, kMaxCommitsLimit);
  std::optional<std::int64_t> now_s;
  if (args.has("now")) {
    now_s = time_of(args.any("now"));
    if (!now_s) args.fail("now", "is no time: give text like 2026-01-31 or seconds since 1970");
  }
  if (auto status = args.status(); !status) return status.error();
  const Library library;
  const auto opened = Repository::open(path);
  const bool readable = opened.ok() && opened->has_value();
  std::vector<Request> wanted = requests(files, items, static_cast<std::size_t>(max_files));
  Json aged = Json::array();
  if (readable && (*opened)->head() && !wanted.empty()) {
    const auto oldest = oldest_commit(**opened, max_commits, context);
    if (!oldest) return oldest.error();
    if (auto status = blame_all(**opened, path, wanted, *oldest, context); !status) {
      return status.error();
    }
    for (const Request& request : wanted) {
      if (!request.blame) continue;
      if (request.listed) aged.push_back(ages_of(request, now_s));
      for (const std::size_t i : request.items) date_item(items[i], *request.blame, now_s);
    }
  }
  return Json{{"is_repository", readable}, {"files", std::move(aged)}, {"items", std::move(items)}};
}

}  // namespace

std::unique_ptr<actors::Operator> make_blame_age() {
  return make_operator(
      {.name = "git.blame_age",
       .summary = "Finds out how old the lines of files are, or who wrote given lines and when",
       .arguments = {required("path", ValueType::path, "a directory of the work tree"),
                     optional("files", ValueType::list, Json::array(),
                              "paths relative to `path` whose lines to date"),
                     optional("items", ValueType::list, Json::array(),
                              "objects with `path` and `line`, such as the `todos` of code.merge"),
                     optional("now", ValueType::any, nullptr,
                              "what ages in days count from: UTC text or seconds since 1970"),
                     optional("max_files", ValueType::integer, 500,
                              "blame at most this many files"),
                     optional("max_commits", ValueType::integer, 5'000,
                              "how many commits to look back")},
       .results =
           {result("is_repository", ValueType::boolean,
                   "false when there is no readable git repository"),
            result("files", ValueType::list,
                   "{path, lines, uncommitted_lines, authors, oldest_s, median_s, newest_s} and, "
                   "with `now`, oldest_days, median_days, newest_days; untracked files left out"),
            result("items", ValueType::list,
                   "`items`, those in tracked files with time_s, time, author and, with `now`, "
                   "age_days; with uncommitted: true where the line is in no commit")}},
      run);
}

}  // namespace symphony::extensions::git
