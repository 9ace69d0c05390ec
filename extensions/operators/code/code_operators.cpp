#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "extensions/operators/code/duplicates.hpp"
#include "extensions/operators/code/merge.hpp"
#include "extensions/operators/code/report.hpp"
#include "extensions/operators/code/scan.hpp"
#include "extensions/operators/file/io.hpp"
#include "extensions/operators/kit.hpp"
#include "extensions/operators/operators.hpp"
#include "extensions/operators/paths.hpp"
#include "extensions/operators/text/encoding.hpp"
#include "runtime/system/sha256.hpp"

namespace symphony::extensions {
namespace {

using actors::OperatorContext;
using actors::OperatorSpec;
using actors::ValueType;

Json facts_json(const std::string& path, const FilePrefix& size, const code::FileFacts& facts) {
  Json file{{"path", encode_path(path)}, {"bytes", size.size_bytes}};
  if (size.truncated) file["huge"] = true;
  if (facts.binary) file["binary"] = true;
  if (facts.generated) file["generated"] = true;
  if (facts.binary || size.truncated) return file;
  file["language"] = facts.language == nullptr ? "" : std::string(facts.language->name);
  file["kind"] = facts.language == nullptr ? "other" : std::string(to_string(facts.language->kind));
  file["lines"] = facts.lines.lines;
  file["code"] = facts.lines.code;
  file["comment"] = facts.lines.comment;
  file["blank"] = facts.lines.blank;
  file["licence"] = facts.licence.name;
  file["spdx"] = facts.licence.spdx;
  file["todos"] = facts.todo_count;
  if (facts.measured) {
    file["decisions"] = facts.complexity.decisions;
    file["functions"] = facts.complexity.functions;
    file["complexity"] = facts.complexity.total;
    file["nesting"] = facts.complexity.max_nesting;
  }
  if (!facts.fingerprints.empty()) file["blocks"] = code::pack(facts.fingerprints);
  return file;
}

struct ScanLists {
  Json files = Json::array();
  Json todos = Json::array();
  Json licence_files = Json::array();
  SkippedFiles skipped;
};

void scan_file(const std::string& root, const std::string& path, std::size_t max_bytes,
               std::string& buffer, ScanLists& lists) {
  const auto read = read_prefix(join_path(root, path), max_bytes, buffer);
  if (!read) {
    lists.skipped.add(path, read.error().message);
    return;
  }
  // A text that was cut would give false counts; what is known of it is its size.
  const code::FileFacts facts =
      read->truncated ? code::FileFacts{} : code::scan_content(path, buffer);
  Json file = facts_json(path, *read, facts);
  if (!read->truncated) file["sha256"] = runtime::sha256(buffer).hex();
  for (const code::Todo& todo : facts.todos) {
    lists.todos.push_back(
        {{"path", file["path"]}, {"line", todo.line}, {"tag", todo.tag}, {"text", todo.text}});
  }
  if (code::is_licence_file(path) && !facts.binary && !read->truncated) {
    std::string text;
    lists.licence_files.push_back(
        {{"path", file["path"]},
         {"licence", code::detect_licence(decode_source(buffer, text).text).name}});
  }
  lists.files.push_back(std::move(file));
}

Result<Json> scan_all(ArgumentReader& args, OperatorContext& context) {
  const std::string root = args.root("root");
  const auto paths = args.paths("paths");
  const auto max_bytes = args.integer("max_file_bytes", 1, kMaxFileBytes);
  if (auto status = args.status(); !status) return status.error();
  ScanLists lists;
  std::string buffer;
  Poller poller(context, 1);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (auto going = poller.check(); !going) return going.error();
    if (i % 64 == 0) {
      context.progress(static_cast<double>(i), static_cast<double>(paths.size()));
    }
    scan_file(root, paths[i], static_cast<std::size_t>(max_bytes), buffer, lists);
  }
  return Json{{"files", std::move(lists.files)},
              {"todos", std::move(lists.todos)},
              {"licence_files", std::move(lists.licence_files)},
              {"skipped", lists.skipped.take()}};
}

Result<Json> scan(ArgumentReader& args, OperatorContext& context) {
  auto scanned = scan_all(args, context);
  if (!scanned) return scanned;
  return Json{{"batch", std::move(*scanned)}};
}

// One of the scan's findings alone: `keys` of each file that has the first of them.
Json picked(const Json& files, std::initializer_list<const char*> keys) {
  Json result = Json::array();
  for (const Json& file : files) {
    if (!file.contains(*keys.begin())) continue;
    Json entry{{"path", file["path"]}};
    for (const char* key : keys) {
      if (file.contains(key)) entry[key] = file[key];
    }
    result.push_back(std::move(entry));
  }
  return result;
}

Result<Json> complexity(ArgumentReader& args, OperatorContext& context) {
  auto scanned = scan_all(args, context);
  if (!scanned) return scanned;
  return Json{{"files", picked((*scanned)["files"], {"complexity", "decisions", "functions",
                                                     "nesting", "language", "code"})},
              {"skipped", (*scanned)["skipped"]}};
}

Result<Json> todos(ArgumentReader& args, OperatorContext& context) {
  auto scanned = scan_all(args, context);
  if (!scanned) return scanned;
  return Json{{"todos", (*scanned)["todos"]}, {"skipped", (*scanned)["skipped"]}};
}

Result<Json> licences(ArgumentReader& args, OperatorContext& context) {
  auto scanned = scan_all(args, context);
  if (!scanned) return scanned;
  return Json{{"files", picked((*scanned)["files"], {"licence", "spdx", "language", "kind"})},
              {"licence_files", (*scanned)["licence_files"]},
              {"skipped", (*scanned)["skipped"]}};
}

Result<Json> merge(ArgumentReader& args, OperatorContext&) {
  const Json& batches = args.list("batches");
  const auto max_todos = args.integer("max_todos", 0, kMaxListItems);
  if (auto status = args.status(); !status) return status.error();
  return code::merge_scans(batches, static_cast<std::size_t>(max_todos));
}

Result<std::vector<code::ScannedFile>> scanned_files(const Json& batches) {
  std::vector<code::ScannedFile> files;
  for (const Json& batch : batches) {
    if (!batch.is_object() || !batch.contains("files") || !batch["files"].is_array()) {
      return invalid("batches must be results of code.scan", "batches");
    }
    for (const Json& file : batch["files"]) {
      if (!file.is_object() || !file.contains("path")) continue;
      code::ScannedFile scanned;
      scanned.path = decode_path(file.value("path", std::string()));
      scanned.sha256 = file.value("sha256", std::string());
      scanned.size_bytes = file.value("bytes", std::int64_t{0});
      auto fingerprints = code::unpack(file.value("blocks", std::string()));
      if (!fingerprints) return invalid(fingerprints.error().message, "batches");
      scanned.fingerprints = std::move(*fingerprints);
      files.push_back(std::move(scanned));
    }
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

std::optional<std::vector<code::SignificantLine>> load_lines(const std::string& path) {
  std::string bytes;
  const auto read = read_prefix(path, kMaxFileBytes, bytes);
  if (!read || read->truncated) return std::nullopt;
  std::string buffer;
  const std::string_view content = decode_source(bytes, buffer).text;
  const Language* language = detect_language(path, content.substr(0, code::kLicenceHeadBytes));
  if (language == nullptr) return std::nullopt;
  return code::significant_lines(code::without_comments(content, *language));
}

Json identical_json(const code::IdenticalFiles& group, std::size_t max_paths) {
  Json paths = Json::array();
  for (std::size_t i = 0; i < std::min(max_paths, group.paths.size()); ++i) {
    paths.push_back(encode_path(group.paths[i]));
  }
  return {{"sha256", group.sha256},
          {"bytes", group.size_bytes},
          {"copies", group.paths.size()},
          {"wasted_bytes", group.wasted_bytes()},
          {"paths", std::move(paths)}};
}

Json cluster_json(const code::BlockCluster& cluster, const std::vector<code::ScannedFile>& files,
                  std::size_t max_paths) {
  Json copies = Json::array();
  std::int64_t lines = 0;
  for (const code::BlockCopy& copy : cluster.copies) {
    lines = std::max<std::int64_t>(lines, copy.lines());
    if (copies.size() == max_paths) continue;
    copies.push_back({{"path", encode_path(files[copy.file].path)},
                      {"first_line", copy.first_line},
                      {"last_line", copy.last_line}});
  }
  return {{"lines", lines},
          {"compared_lines", cluster.compared_lines},
          {"copies", cluster.copies.size()},
          {"duplicated_lines", cluster.duplicated_lines()},
          {"places", std::move(copies)}};
}

Result<Json> duplicates(ArgumentReader& args, OperatorContext& context) {
  const std::string root = args.root("root");
  const Json& batches = args.list("batches");
  const auto min_lines = static_cast<std::size_t>(args.integer("min_lines", 5, 100'000));
  const auto max_groups = static_cast<std::size_t>(args.integer("max_groups", 0, 10'000));
  const auto max_places = static_cast<std::size_t>(args.integer("max_places", 1, 1'000));
  if (auto status = args.status(); !status) return status.error();
  const auto files = scanned_files(batches);
  if (!files) return files.error();
  const code::Duplicates found = code::find_duplicates(
      *files, min_lines,
      [&](std::size_t file) { return load_lines(join_path(root, (*files)[file].path)); },
      [&] { return context.cancelled(); });
  if (context.cancelled()) {
    return Error{Errc::CANCELLED, "The search for duplicates was cancelled."};
  }
  Json identical = Json::array();
  Json blocks = Json::array();
  std::int64_t wasted_bytes = 0;
  std::size_t identical_files = 0;
  for (const auto& group : found.identical) {
    wasted_bytes += group.wasted_bytes();
    identical_files += group.paths.size() - 1;
    if (identical.size() < max_groups) identical.push_back(identical_json(group, max_places));
  }
  for (const auto& cluster : found.clusters) {
    if (blocks.size() < max_groups) blocks.push_back(cluster_json(cluster, *files, max_places));
  }
  return Json{{"identical", std::move(identical)},
              {"identical_groups", found.identical.size()},
              {"identical_copies", identical_files},
              {"wasted_bytes", wasted_bytes},
              {"blocks", std::move(blocks)},
              {"block_clusters", found.clusters.size()},
              {"duplicated_lines", found.duplicated_lines},
              {"truncated", found.truncated}};
}

std::vector<actors::ArgumentSpec> scan_arguments() {
  return {required("paths", ValueType::list, "files: paths, or objects with a path"),
          optional("root", ValueType::path, "", "directory that relative paths start from"),
          optional("max_file_bytes", ValueType::integer, code::kDefaultMaxFileBytes,
                   "of larger files only the size is told")};
}

actors::ResultSpec skipped_result() {
  return result("skipped", ValueType::list, "what could not be read: path and reason");
}

constexpr const char* kTodosSummary =
    "{path, line, tag, text} of TODO, FIXME, XXX, HACK in comments";

OperatorSpec scan_spec() {
  return {.name = "code.scan",
          .summary = "Reads each file once and measures all that the other code operators need",
          .arguments = scan_arguments(),
          .results = {result("batch", ValueType::object,
                             "for code.merge and code.duplicates: files {path, bytes, sha256, "
                             "language, kind, lines, code, comment, blank, licence, spdx, todos, "
                             "decisions, functions, complexity, nesting, blocks; huge, binary, "
                             "generated where it is so}, todos {path, line, tag, text}, "
                             "licence_files {path, licence}, skipped {path, reason}")}};
}

OperatorSpec merge_spec() {
  return {
      .name = "code.merge",
      .summary = "Adds up the results of code.scan over all batches",
      .arguments = {required("batches", ValueType::list, "the `batch` results of code.scan"),
                    optional("max_todos", ValueType::integer, 20'000, "list at most this many")},
      .results = {result("files", ValueType::list, "of all batches by path, without blocks"),
                  result("totals", ValueType::object,
                         "files, bytes, lines, code, comment, blank, complexity, functions, "
                         "empty, binary, huge, generated, unreadable, todos"),
                  result("languages", ValueType::list,
                         "{language, kind, files, bytes, lines, code, comment, blank, "
                         "complexity, functions}, most code first"),
                  result("licences", ValueType::list,
                         "{licence, files, share} of program sources; no licence is \"\""),
                  result("licence_files", ValueType::list, "{path, licence}"),
                  result("todos", ValueType::list, kTodosSummary), skipped_result()},
      .pure = true};
}

OperatorSpec duplicates_spec() {
  return {
      .name = "code.duplicates",
      .summary = "Finds files with the same content and blocks of lines that occur repeatedly",
      .arguments =
          {required("batches", ValueType::list, "the `batch` results of code.scan"),
           optional("root", ValueType::path, "", "directory that relative paths start from"),
           optional("min_lines", ValueType::integer, code::kGuaranteedLines,
                    "lines of code a block has at least; below 10 some are missed"),
           optional("max_groups", ValueType::integer, 100, "list at most this many of each kind"),
           optional("max_places", ValueType::integer, 20, "name at most this many copies of each")},
      .results = {result("identical", ValueType::list,
                         "{sha256, bytes, copies, wasted_bytes, paths}, most wasted first"),
                  result("identical_groups", ValueType::integer, "how many there are"),
                  result("identical_copies", ValueType::integer, "files that could go"),
                  result("wasted_bytes", ValueType::integer, "bytes of those"),
                  result("blocks", ValueType::list,
                         "{lines, compared_lines, copies, duplicated_lines, places: [{path, "
                         "first_line, last_line}]}, most duplicated lines first"),
                  result("block_clusters", ValueType::integer, "how many there are"),
                  result("duplicated_lines", ValueType::integer,
                         "lines in copies beyond the first, each counted once"),
                  result("truncated", ValueType::boolean, "a limit was met: there may be more")}};
}

}  // namespace

void add_code_operators(actors::OperatorRegistry& registry) {
  registry.add(make_operator(scan_spec(), scan));
  registry.add(make_operator(merge_spec(), merge));
  registry.add(make_operator(duplicates_spec(), duplicates));
  registry.add(code::make_report());
  registry.add(make_operator(
      {.name = "code.complexity",
       .summary = "Approximates the cyclomatic complexity of files by counting decisions",
       .arguments = scan_arguments(),
       .results = {result("files", ValueType::list,
                          "{path, complexity, decisions, functions, nesting, language, code}; "
                          "files in languages without control flow are left out"),
                   skipped_result()}},
      complexity));
  registry.add(make_operator(
      {.name = "code.todos",
       .summary = "Finds what programmers left for later in comments",
       .arguments = scan_arguments(),
       .results = {result("todos", ValueType::list, kTodosSummary), skipped_result()}},
      todos));
  registry.add(make_operator(
      {.name = "code.licences",
       .summary = "Tells which licence each file names: an SPDX line or a well-known wording",
       .arguments = scan_arguments(),
       .results = {result("files", ValueType::list,
                          "{path, licence, spdx, language, kind}; licence \"\": none"),
                   result("licence_files", ValueType::list, "{path, licence}"), skipped_result()}},
      licences));
}

}  // namespace symphony::extensions
