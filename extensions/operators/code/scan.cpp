#include "extensions/operators/code/scan.hpp"

#include <algorithm>

#include "extensions/operators/text/encoding.hpp"

namespace symphony::extensions::code {
namespace {

void blank(std::string& text, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    if (text[i] != '\n') text[i] = ' ';
  }
}

void scan_source(std::string_view content, const Language& language, FileFacts& facts) {
  // What the analyses read: both keep the source's size and newlines.
  std::string without_comments(content);
  std::string code_only(content);  // without strings, too
  const Scanner scanner(language);
  std::size_t line = 1;
  std::size_t counted_to = 0;
  scanner.for_each_span(content, [&](SpanKind kind, std::size_t begin, std::size_t end) {
    if (kind == SpanKind::code) return;
    blank(code_only, begin, end);
    if (kind != SpanKind::comment) return;
    blank(without_comments, begin, end);
    line += static_cast<std::size_t>(
        std::count(content.begin() + static_cast<std::ptrdiff_t>(counted_to),
                   content.begin() + static_cast<std::ptrdiff_t>(begin), '\n'));
    counted_to = begin;
    facts.todo_count += find_todos(content.substr(begin, end - begin), line, facts.todos);
  });
  if (has_complexity(language)) {
    facts.measured = true;
    facts.complexity = measure_complexity(code_only, language);
  }
  if (!facts.generated) facts.fingerprints = winnow(significant_lines(without_comments));
}

}  // namespace

std::string without_comments(std::string_view content, const Language& language) {
  std::string text(content);
  Scanner(language).for_each_span(content, [&](SpanKind kind, std::size_t begin, std::size_t end) {
    if (kind == SpanKind::comment) blank(text, begin, end);
  });
  return text;
}

FileFacts scan_content(std::string_view path, std::string_view bytes) {
  FileFacts facts;
  std::string buffer;
  const SourceText source = decode_source(bytes, buffer);
  if (source.binary()) {
    facts.binary = true;
    return facts;
  }
  const std::string_view content = source.text;
  facts.language = detect_language(path, content.substr(0, kLicenceHeadBytes));
  facts.lines = count_lines(content, facts.language);
  facts.generated = facts.lines.longest_line_bytes > kGeneratedLineBytes;
  facts.licence = detect_licence(content.substr(0, kLicenceHeadBytes));
  if (facts.language == nullptr) return facts;
  if (facts.language->kind == LanguageKind::programming ||
      facts.language->kind == LanguageKind::markup) {
    scan_source(content, *facts.language, facts);
  }
  return facts;
}

}  // namespace symphony::extensions::code
