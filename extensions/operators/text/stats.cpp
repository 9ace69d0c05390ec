// text.stats: what languages a list of files is written in, and how many lines of what.
#include <algorithm>
#include <map>
#include <string>

#include "extensions/operators/file/io.hpp"
#include "extensions/operators/kit.hpp"
#include "extensions/operators/operators.hpp"
#include "extensions/operators/paths.hpp"
#include "extensions/operators/text/encoding.hpp"
#include "extensions/operators/text/languages.hpp"

namespace symphony::extensions {

namespace {

using actors::OperatorContext;
using actors::ValueType;

constexpr std::size_t kProgressStride = 64;

struct Facts {
  std::string_view language = "Other";
  std::string_view kind = "other";
  std::string encoding;
  bool binary = false;
  std::uint64_t size_bytes = 0;
  LineCounts counts;
};

Facts examine(std::string_view path, std::string_view content, std::uint64_t size_bytes) {
  Facts facts;
  facts.size_bytes = size_bytes;
  std::string buffer;
  const SourceText source = decode_source(content, buffer);
  facts.encoding = source.encoding;
  facts.binary = source.binary();
  if (facts.binary) {
    facts.language = "Binary";
    facts.kind = "binary";
    return facts;
  }
  const Language* language = detect_language(path, source.text);
  if (language) {
    facts.language = language->name;
    facts.kind = to_string(language->kind);
  }
  facts.counts = count_lines(source.text, language);
  return facts;
}

struct Total {
  std::string_view kind;
  std::uint64_t files = 0, size_bytes = 0, lines = 0, code = 0, comment = 0, blank = 0;

  void add(const Facts& facts) {
    ++files;
    size_bytes += facts.size_bytes;
    lines += facts.counts.lines;
    code += facts.counts.code;
    comment += facts.counts.comment;
    blank += facts.counts.blank;
  }
  Json json() const {
    return {{"files", files}, {"size", size_bytes}, {"lines", lines},
            {"code", code},   {"comment", comment}, {"blank", blank}};
  }
};

Json file_json(std::string_view path, const Facts& facts) {
  return {{"path", encode_path(path)},
          {"language", facts.language},
          {"kind", facts.kind},
          {"size", facts.size_bytes},
          {"lines", facts.counts.lines},
          {"code", facts.counts.code},
          {"comment", facts.counts.comment},
          {"blank", facts.counts.blank},
          {"longest_line", facts.counts.longest_line_bytes},
          {"binary", facts.binary},
          {"encoding", facts.encoding}};
}

Json languages_json(const std::map<std::string_view, Total>& totals) {
  std::vector<std::pair<std::string_view, const Total*>> sorted;
  for (const auto& [name, total] : totals) sorted.emplace_back(name, &total);
  std::ranges::stable_sort(sorted, std::ranges::greater(), [](const auto& entry) {
    return std::pair(entry.second->code, entry.second->size_bytes);
  });
  Json list = Json::array();
  for (const auto& [name, total] : sorted) {
    Json entry = total->json();
    entry["language"] = name;
    entry["kind"] = total->kind;
    list.push_back(std::move(entry));
  }
  return list;
}

Result<Json> stats(ArgumentReader& args, OperatorContext& context) {
  const std::string root = args.root("root");
  const auto files = args.paths("files");
  const auto max_bytes = args.integer("max_file_bytes", 0, kMaxFileBytes);
  if (auto status = args.status(); !status) return status.error();

  Json list = Json::array();
  SkippedFiles skipped;
  std::map<std::string_view, Total> languages;
  Total total;
  std::string content;
  Poller poller(context, 1);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (auto going = poller.check(); !going) return going.error();
    if (i % kProgressStride == 0)
      context.progress(static_cast<double>(i), static_cast<double>(files.size()));
    const auto read =
        read_prefix(join_path(root, files[i]), static_cast<std::size_t>(max_bytes), content);
    if (!read) {
      skipped.add(files[i], read.error().message);
      continue;
    }
    if (read->truncated) {
      skipped.add(files[i], std::to_string(read->size_bytes) + " bytes, more than max_file_bytes");
      continue;
    }
    const Facts facts = examine(files[i], content, read->size_bytes);
    list.push_back(file_json(files[i], facts));
    Total& language = languages[facts.language];
    language.kind = facts.kind;
    language.add(facts);
    total.add(facts);
  }
  return Json{{"files", std::move(list)},
              {"languages", languages_json(languages)},
              {"total", total.json()},
              {"skipped", skipped.take()}};
}

}  // namespace

void add_text_operators(actors::OperatorRegistry& registry) {
  registry.add(make_operator(
      {.name = "text.stats",
       .summary = "Counts lines of code, comment and blank of files, by language",
       .arguments =
           {required("files", ValueType::list,
                     "files to look at: paths, or objects with a path (as file.glob gives them)"),
            optional("root", ValueType::path, "", "directory that relative paths start from"),
            optional("max_file_bytes", ValueType::integer, 32 * 1024 * 1024,
                     "files larger than this many bytes are skipped")},
       .results =
           {result("files", ValueType::list,
                   "an object a file: path, language, kind (programming, markup, data, prose, "
                   "other, binary), size in bytes, lines = code + comment + blank, longest_line "
                   "in bytes of UTF-8, binary, encoding (utf-8, utf-16, utf-32, what the file "
                   "declares, other, binary)"),
            result("languages", ValueType::list,
                   "an object a language, most code first: language, kind, files, size in bytes, "
                   "lines, code, comment, blank"),
            result("total", ValueType::object,
                   "files, size in bytes, lines, code, comment, blank of all"),
            result("skipped", ValueType::list, "files not looked at: path and reason")}},
      stats));
}

}  // namespace symphony::extensions
