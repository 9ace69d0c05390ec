#include "extensions/operators/data/parse_operator.hpp"

#include <string>

#include "extensions/operators/data/parse.hpp"
#include "extensions/operators/file/io.hpp"
#include "extensions/operators/kit.hpp"
#include "extensions/operators/paths.hpp"

namespace symphony::extensions {
namespace {

using actors::OperatorContext;
using actors::ValueType;

Result<Json> parsed(std::string_view format, std::string_view text, const CsvOptions& csv) {
  if (format == "json") return parse_json(text);
  if (format == "jsonl") return parse_json_lines(text);
  if (format == "csv") return parse_csv(text, csv);
  if (format == "toml") return parse_toml(text);
  if (format == "yaml") return parse_yaml(text);
  if (format == "lines") return parse_lines(text);
  return parse_key_values(text);
}

Result<Json> parse(ArgumentReader& args, OperatorContext&) {
  std::string text = args.text("text");
  const std::string path = args.path("path");
  const std::string& format =
      args.choice("format", {"json", "jsonl", "csv", "toml", "yaml", "lines", "env"});
  const std::string& separator = args.text("separator");
  if (separator.size() != 1 || separator == "\"" || separator == "\n")
    args.fail("separator", "must be one character, and no quote or newline");
  if (!path.empty() && !text.empty()) args.fail("path", "give either text or path");
  if (auto status = args.status(); !status) return status.error();

  if (!path.empty()) {
    const auto read = read_prefix(path, kMaxFileBytes, text);
    if (!read) return read.error();
    if (read->truncated)
      return invalid("'" + encode_path(path) + "' is larger than 64 MiB", "path");
  }
  if (!is_utf8(text)) return invalid("the text is not UTF-8", path.empty() ? "text" : "path");
  CsvOptions csv{
      .separator = separator.front(), .header = args.flag("header"), .values = args.flag("values")};
  auto value = parsed(format, text, csv);
  if (!value) {
    Error error = std::move(value).error();
    error.message =
        (path.empty() ? "the " + format + ", " : encode_path(path) + ", ") + error.message;
    return error;
  }
  return Json{{"value", std::move(*value)}};
}

}  // namespace

void add_parse_operator(actors::OperatorRegistry& registry) {
  registry.add(make_operator(
      {.name = "data.parse",
       .summary = "Turns text into data: JSON, JSON Lines, CSV, TOML, YAML, lines, KEY=VALUE",
       .arguments = {required("format", ValueType::text,
                              "json, jsonl, csv, toml, yaml, lines or env (KEY=VALUE lines)"),
                     optional("text", ValueType::text, "", "the text, in UTF-8"),
                     optional("path", ValueType::path, "",
                              "read the text from this file instead, of at most 64 MiB"),
                     optional("separator", ValueType::text, ",", "between the fields of csv"),
                     optional("header", ValueType::boolean, true,
                              "the first row of csv names the fields; else rows are lists"),
                     optional("values", ValueType::boolean, false,
                              "fields of csv that look like numbers, true or false become such, "
                              "empty ones null; what is quoted stays text")},
       .results = {result("value", ValueType::any,
                          "the value; a list for jsonl, csv and lines, an object for env")}},
      parse));
}

}  // namespace symphony::extensions
