#include "extensions/operators/code/report.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "extensions/operators/kit.hpp"
#include "extensions/operators/paths.hpp"
#include "extensions/operators/time_argument.hpp"
#include "runtime/text/format.hpp"

namespace symphony::extensions::code {
namespace {

using actors::OperatorContext;
using actors::ValueType;
using runtime::format_bytes;
using runtime::format_count;
using runtime::format_plural;
using runtime::format_share;

// From where on a finding is worth a line.
constexpr std::int64_t kHotCommits = 5;
constexpr std::int64_t kHotComplexity = 30;
constexpr std::int64_t kVeryComplex = 200;
constexpr double kManyDuplicates = 0.10;
constexpr double kSomeDuplicates = 0.03;
constexpr std::int64_t kManyWastedBytes = 1'000'000;

void hot_spot_finding(const Json& views, Json& out) {
  const Json& rows = views["hotspots"]["rows"];
  if (rows.empty()) return;
  const Json& spot = rows[0];
  if (integer_at(spot, "commits") < kHotCommits ||
      integer_at(spot, "complexity") < kHotComplexity) {
    return;
  }
  out.push_back(
      {{"level", "act"},
       {"title", text_at(spot, "path") + " is the hottest spot"},
       {"text", "It was changed in " + format_plural(integer_at(spot, "commits"), "commit") +
                    " and has a complexity of " + format_count(integer_at(spot, "complexity")) +
                    ": simplifying it pays off most."}});
}

void people_finding(const ReportInput& input, const Json& views, Json& out) {
  const Json& owners = list_at(input.ownership, "owners");
  if (integer_at(input.ownership, "bus_factor") != 1 || owners.empty()) return;
  out.push_back({{"level", "act"},
                 {"title", "The bus factor is 1"},
                 {"text", text_at(owners[0], "name") + " made " +
                              format_share(owners[0].value("share", 0.0)) + " of all " +
                              text_at(views["people"], "of") +
                              ": have somebody else work on the same parts."}});
}

void duplicate_findings(const ReportInput& input, const Json& views, Json& out) {
  const double share = views["duplicates"].value("share_value", 0.0);
  if (share >= kSomeDuplicates) {
    out.push_back({{"level", share >= kManyDuplicates ? "act" : "watch"},
                   {"title", format_share(share) + " of the code occurs more than once"},
                   {"text", text_at(views["duplicates"], "lines") +
                                " lines are copies of blocks that stand elsewhere, too; the "
                                "largest are listed below."}});
  }
  const std::int64_t wasted = integer_at(input.duplicates, "wasted_bytes");
  const std::int64_t copies = integer_at(input.duplicates, "identical_copies");
  if (wasted >= kManyWastedBytes) {
    out.push_back({{"level", "watch"},
                   {"title", format_plural(copies, "file is a", "files are") + " byte-for-byte " +
                                 (copies == 1 ? "copy" : "copies")},
                   {"text", "They take up " + format_bytes(wasted) + "."}});
  }
}

void complexity_finding(const ReportInput& input, Json& out) {
  std::int64_t count = 0;
  for (const Json& file : list_at(input.code, "files")) {
    count += integer_at(file, "complexity") >= kVeryComplex && !file.value("generated", false);
  }
  if (count == 0) return;
  out.push_back({{"level", "watch"},
                 {"title", format_plural(count, "file is", "files are") + " very complex"},
                 {"text", "Each has a complexity of " + format_count(kVeryComplex) +
                              " or more; files that large are hard to test and to hand over."}});
}

void licence_finding(const ReportInput& input, const Json& views, Json& out) {
  const std::int64_t without = integer_at(views["licences"], "without_value");
  const std::int64_t sources = integer_at(views["licences"], "sources_value");
  if (sources == 0) return;
  if (list_at(input.code, "licence_files").empty() && without == sources) {
    out.push_back({{"level", "act"},
                   {"title", "No licence is stated anywhere"},
                   {"text", "Without a licence file or header nobody else may use this code."}});
  } else if (without > 0 && 2 * without < sources) {
    out.push_back(
        {{"level", "watch"},
         {"title", format_plural(without, "source has", "sources have") + " no licence header"},
         {"text", "The others do (" + format_share(share_of(sources - without, sources)) +
                      " of the sources)."}});
  }
}

void todo_finding(const Json& views, Json& out) {
  const std::int64_t old = integer_at(views["todos"], "old");
  if (old == 0) return;
  out.push_back({{"level", "watch"},
                 {"title", format_plural(old, "note", "notes") + " for later " +
                               (old == 1 ? "is" : "are") + " over a year old"},
                 {"text", "Do them, file them, or delete them; the oldest are listed below."}});
}

void unreadable_finding(const ReportInput& input, Json& out) {
  const auto count = static_cast<std::int64_t>(list_at(input.code, "skipped").size());
  if (count == 0) return;
  out.push_back({{"level", "watch"},
                 {"title", format_plural(count, "file") + " could not be read"},
                 {"text", "They are missing from all figures; the first is " +
                              text_at(list_at(input.code, "skipped")[0], "path") + "."}});
}

Json tile(const std::string& label, const std::string& value, const std::string& note = "") {
  return {{"label", label}, {"value", value}, {"note", note}};
}

Json tiles(const ReportInput& input, const Json& views, const Json& totals) {
  Json list = Json::array();
  list.push_back(tile("files", format_count(integer_at(totals, "files")),
                      format_bytes(integer_at(totals, "bytes"))));
  list.push_back(tile("lines of code", format_count(integer_at(totals, "code")),
                      "of " + format_count(integer_at(totals, "lines")) + " lines"));
  list.push_back(tile("languages", text_at(views["languages"], "count")));
  if (input.git.value("is_repository", false) && integer_at(input.churn, "commits") > 0) {
    const bool more = input.churn.value("truncated", false);
    list.push_back(tile("commits", format_count(integer_at(input.churn, "commits")),
                        more ? "the latest of more" : ""));
    list.push_back(tile("people", text_at(views["people"], "count"),
                        "bus factor " + format_count(integer_at(input.ownership, "bus_factor"))));
  }
  list.push_back(tile("duplicated", text_at(views["duplicates"], "share"),
                      text_at(views["duplicates"], "lines") + " lines"));
  list.push_back(tile("notes for later", text_at(views["todos"], "count")));
  return list;
}

// What the figures leave out, in sentences.
Json remarks(const ReportInput& input, const Json& totals) {
  Json list = Json::array();
  const auto say = [&](std::int64_t count, const std::string& text) {
    if (count > 0) list.push_back(text);
  };
  const std::int64_t binary = integer_at(totals, "binary");
  const std::int64_t huge = integer_at(totals, "huge");
  const std::int64_t generated = integer_at(totals, "generated");
  const std::int64_t empty = integer_at(totals, "empty");
  say(binary, format_plural(binary, "binary file counts", "binary files count") + " by size only.");
  say(huge, format_plural(huge, "file was", "files were") + " too large to read and " +
                (huge == 1 ? "counts" : "count") + " by size only.");
  say(generated, format_plural(generated, "file looks", "files look") +
                     " generated (very long lines) and " + (generated == 1 ? "is" : "are") +
                     " not ranked.");
  say(empty, format_plural(empty, "file is", "files are") + " empty.");
  const std::string note = history_note(input);
  if (!note.empty()) list.push_back(note);
  const std::int64_t changed = integer_at(input.git, "changed_files");
  say(changed, format_plural(changed, "tracked file has", "tracked files have") +
                   " changes that are not committed; the figures include them.");
  if (input.duplicates.is_object() && input.duplicates.value("truncated", false)) {
    list.push_back("The search for copied blocks met its limits: there may be more.");
  }
  return list;
}

// An absolute path as it is; of a relative one the directory's name: where the tree lies is
// nobody's business.
std::string title_of(const std::string& path) {
  const std::filesystem::path given = path.empty() ? "." : path;
  if (given.is_absolute()) return encode_path(path);
  std::error_code error;
  std::filesystem::path whole = std::filesystem::weakly_canonical(given, error);
  return encode_path(error || !whole.has_filename() ? path : whole.filename().string());
}

Result<Json> run(ArgumentReader& args, OperatorContext&) {
  ReportInput input;
  std::string title = args.text("title");
  if (title.empty()) title = title_of(args.path("path"));
  input.code = args.object("code");
  input.duplicates = args.object("duplicates");
  input.git = args.object("git");
  input.churn = args.object("churn");
  input.ownership = args.object("ownership");
  input.todos = args.list("todos");
  input.todos_note = args.text("todos_note");
  input.top = static_cast<std::size_t>(args.integer("top", 1, 1'000));
  input.now_s = time_argument(args, "now").value_or(0);
  if (auto status = args.status(); !status) return status.error();
  input.todos.erase(std::remove_if(input.todos.begin(), input.todos.end(),
                                   [](const Json& todo) { return !todo.is_object(); }),
                    input.todos.end());

  Json views{{"languages", languages_view(input)}, {"files", files_view(input)},
             {"hotspots", hotspots_view(input)},   {"duplicates", duplicates_view(input)},
             {"todos", todos_view(input)},         {"licences", licences_view(input)},
             {"people", people_view(input)}};
  const Json totals = input.code.contains("totals") ? input.code["totals"] : Json::object();
  const std::string head = text_at(input.git, "head");
  Json report = views;
  report["title"] = title;
  report["date"] = runtime::format_utc_date(input.now_s);
  report["time"] = runtime::format_utc(input.now_s);
  report["revision"] = head.substr(0, 12);
  report["branch"] = text_at(input.git, "branch");
  report["tiles"] = tiles(input, views, totals);
  report["findings"] = findings(input, views);
  report["remarks"] = remarks(input, totals);
  Json found = report["findings"];
  return Json{{"report", std::move(report)}, {"findings", std::move(found)}};
}

}  // namespace

Json findings(const ReportInput& input, const Json& views) {
  Json out = Json::array();
  hot_spot_finding(views, out);
  people_finding(input, views, out);
  duplicate_findings(input, views, out);
  licence_finding(input, views, out);
  complexity_finding(input, out);
  todo_finding(views, out);
  unreadable_finding(input, out);
  std::stable_sort(out.begin(), out.end(), [](const Json& a, const Json& b) {
    return text_at(a, "level") < text_at(b, "level");  // "act" before "watch"
  });
  if (out.empty()) {
    out.push_back({{"level", "good"},
                   {"title", "Nothing stands out"},
                   {"text", "No hot spot, no large copies, no old notes: carry on."}});
  }
  return out;
}

std::unique_ptr<actors::Operator> make_report() {
  return make_operator(
      {.name = "code.report",
       .summary = "Ranks and words measurements of code and history, ready for a template",
       .arguments = {optional("title", ValueType::text, "", "what the report is about"),
                     optional("path", ValueType::path, "", "instead of a title: the tree's place"),
                     required("code", ValueType::object, "results of code.merge"),
                     required("now", ValueType::any,
                              "what ages count from: UTC text or seconds since 1970"),
                     optional("duplicates", ValueType::object, Json::object(),
                              "of code.duplicates"),
                     optional("git", ValueType::object, Json::object(), "of git.info"),
                     optional("churn", ValueType::object, Json::object(), "of git.churn"),
                     optional("ownership", ValueType::object, Json::object(), "of git.authors"),
                     optional("todos", ValueType::list, Json::array(), "`items` of git.blame_age"),
                     optional("todos_note", ValueType::text, "", "`note` of git.blame_age"),
                     optional("top", ValueType::integer, 15, "entries of each ranking")},
       .results =
           {result("report", ValueType::object,
                   "title, date, revision, tiles, findings, languages, files, hotspots, "
                   "duplicates, todos, licences, people, remarks: texts, and numbers for charts"),
            result("findings", ValueType::list,
                   "{level: act, watch or good; title, text}, most urgent first")}},
      run);
}

}  // namespace symphony::extensions::code
