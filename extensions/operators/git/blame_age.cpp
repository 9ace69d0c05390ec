#include "extensions/operators/git/blame_age.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "extensions/operators/git/blame.hpp"
#include "extensions/operators/git/history.hpp"
#include "extensions/operators/git/people.hpp"
#include "extensions/operators/kit.hpp"
#include "extensions/operators/paths.hpp"
#include "extensions/operators/time_argument.hpp"
#include "runtime/text/format.hpp"
#include "runtime/text/path_text.hpp"

namespace symphony::extensions::git {
namespace {

using actors::OperatorContext;
using actors::ValueType;

struct Request {
  std::string path;     // raw bytes, relative to the asked directory
  bool listed = false;  // named in `files`: report its ages
  // Lines of it that were asked for, as indexes into `items`.
  std::vector<std::size_t> items;
  std::vector<std::int64_t> lines;  // those of the items
  std::optional<Result<FileBlame>> blame;
};

std::int64_t line_of(const Json& item) {
  const auto line = item.find("line");
  return line != item.end() && line->is_number_integer() ? line->get<std::int64_t>() : 0;
}

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
      request->lines.push_back(line_of(item));
    }
  }
  return result;
}

// The commit `max_commits` back, where there are more: blame goes no further.
Result<std::string> oldest_commit(const Repository& repository, std::int64_t max_commits) {
  auto found = repository.run(
      {"rev-list", "--max-count=2", "--skip=" + std::to_string(max_commits - 1), "HEAD", "--"});
  if (!found) return found.error();
  const auto end = found->output.find('\n');
  const bool more = end != std::string::npos && end + 1 < found->output.size();
  return found->ok() && more ? found->output.substr(0, end) : "";
}

// Files that are not tracked are not blamed, and no word is lost about them.
Status blame_all(const Repository& repository, std::vector<Request>& requests,
                 std::int64_t max_commits, OperatorContext& context) {
  const auto oldest = oldest_commit(repository, max_commits);
  if (!oldest) return oldest.error();
  const auto tracked = repository.tracked_files();
  if (!tracked) return tracked.error();
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> done{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < requests.size() && !context.cancelled(); i = next++) {
      Request& request = requests[i];
      const std::string path = repository.prefix() + request.path;
      if (tracked->contains(path)) {
        request.blame =
            blame_file(repository, path,
                       request.listed ? std::vector<std::int64_t>() : request.lines, *oldest);
      }
      context.progress(static_cast<double>(++done), static_cast<double>(requests.size()));
    }
  };
  {
    std::vector<std::jthread> threads;
    const auto gits = std::min<std::size_t>(static_cast<std::size_t>(context.cores()), 16);
    for (std::size_t i = 1; i < std::min(gits, requests.size()); ++i) threads.emplace_back(work);
    work();
  }
  if (context.cancelled()) return Error{Errc::CANCELLED, "Blaming was cancelled."};
  for (const Request& request : requests)
    if (request.blame && !request.blame->ok() && is_passed_on(request.blame->error()))
      return request.blame->error();
  return {};
}

// Lines at the edge of a shallow clone are at least as old as that.
void mark_edge(std::vector<Request>& requests, const std::set<std::string>& edge) {
  for (Request& request : requests) {
    if (!request.blame || !request.blame->ok()) continue;
    for (LineOrigin& origin : request.blame->value().origins)
      origin.at_least = origin.at_least || edge.contains(origin.commit);
  }
}

std::string failures_note(const std::vector<Request>& requests) {
  std::size_t count = 0;
  const Request* first = nullptr;
  for (const Request& request : requests) {
    if (!request.blame || request.blame->ok()) continue;
    if (count++ == 0) first = &request;
  }
  if (count == 0) return "";
  return std::to_string(count) + (count == 1 ? " file" : " files") +
         " cannot be blamed, so that lines have no age; the first is " +
         runtime::display_path(first->path) + ": " + first->blame->error().message + ".";
}

Json ages_of(const Request& request, const std::optional<std::int64_t>& now_s) {
  const FileBlame& blame = request.blame->value();
  std::vector<std::int64_t> times;
  People people;
  for (const std::uint32_t origin : blame.line_origin) {
    if (origin >= blame.origins.size()) continue;
    times.push_back(blame.origins[origin].time_s);
    people.add(blame.origins[origin].author);
  }
  std::sort(times.begin(), times.end());
  Json ages{{"path", encode_path(request.path)},
            {"lines", blame.line_origin.size()},
            {"uncommitted_lines", blame.line_origin.size() - times.size()},
            {"authors", people.groups().people.size()},
            {"oldest_s", nullptr},
            {"median_s", nullptr},
            {"newest_s", nullptr}};
  if (times.empty()) return ages;
  const std::int64_t median_s = times[times.size() / 2];
  ages["oldest_s"] = times.front();
  ages["median_s"] = median_s;
  ages["newest_s"] = times.back();
  if (now_s) {
    ages["oldest_days"] = (*now_s - times.front()) / runtime::kSecondsPerDay;
    ages["median_days"] = (*now_s - median_s) / runtime::kSecondsPerDay;
    ages["newest_days"] = (*now_s - times.back()) / runtime::kSecondsPerDay;
  }
  return ages;
}

void date_item(Json& item, const FileBlame& blame, const std::optional<std::int64_t>& now_s) {
  const std::int64_t number = line_of(item);
  if (number < 1 || number > static_cast<std::int64_t>(blame.line_origin.size())) return;
  const std::uint32_t index = blame.line_origin[static_cast<std::size_t>(number - 1)];
  if (index == kNotAsked) return;
  if (index == kUncommitted) {
    item["uncommitted"] = true;
    return;
  }
  const LineOrigin& origin = blame.origins[index];
  item["time_s"] = origin.time_s;
  item["time"] = runtime::format_utc(origin.time_s);
  item["author"] = origin.author.name;
  if (origin.at_least) item["at_least"] = true;
  if (now_s)
    item["age_days"] = std::max<std::int64_t>(0, *now_s - origin.time_s) / runtime::kSecondsPerDay;
}

Result<Json> run(ArgumentReader& args, OperatorContext& context) {
  const std::string path = args.path("path");
  const std::vector<std::string> files = args.paths("files");
  Json items = args.list("items");
  const auto max_files = args.integer("max_files", 0, kMaxListItems);
  const auto max_commits = args.integer("max_commits", 1, kMaxCommitsLimit);
  const auto now_s = time_argument(args, "now");
  if (auto status = args.status(); !status) return status.error();
  auto opened = Repository::open(path, caller_of(context));
  if (!opened && is_passed_on(opened.error())) return opened.error();
  const bool readable = opened.ok() && opened->has_value();
  std::string note = !opened    ? opened.error().message
                     : readable ? (**opened).note()
                                : "Not in a git repository.";
  std::vector<Request> wanted = requests(files, items, static_cast<std::size_t>(max_files));
  Json aged = Json::array();
  if (readable && !(**opened).head().empty() && !wanted.empty()) {
    const auto blamed = blame_all(**opened, wanted, max_commits, context);
    if (!blamed) {
      if (is_passed_on(blamed.error())) return blamed.error();
      add_note(note, blamed.error().message);
    }
    const auto edge = (**opened).shallow_commits();
    if (!edge) return edge.error();
    mark_edge(wanted, *edge);
    add_note(note, failures_note(wanted));
    for (const Request& request : wanted) {
      if (!request.blame || !request.blame->ok()) continue;
      if (request.listed) aged.push_back(ages_of(request, now_s));
      for (const std::size_t i : request.items) date_item(items[i], request.blame->value(), now_s);
    }
  }
  return Json{{"is_repository", readable},
              {"note", std::move(note)},
              {"files", std::move(aged)},
              {"items", std::move(items)}};
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
            result("note", ValueType::text,
                   "why ages are missing or uncertain, empty when they are not"),
            result("files", ValueType::list,
                   "{path, lines, uncommitted_lines, authors, oldest_s, median_s, newest_s} and, "
                   "with `now`, oldest_days, median_days, newest_days; untracked files left out"),
            result("items", ValueType::list,
                   "`items`, those in tracked files with time_s, time, author and, with `now`, "
                   "age_days; with uncommitted: true where the line is in no commit, at_least: "
                   "true where the search ended and it may be older")}},
      run);
}

}  // namespace symphony::extensions::git
