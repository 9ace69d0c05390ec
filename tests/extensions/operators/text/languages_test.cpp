#include "extensions/operators/text/languages.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <ctime>
#include <set>
#include <string>

#include "extensions/operators/text/words.hpp"

namespace symphony::extensions {
namespace {

std::string name_of(std::string_view path, std::string_view head = {}) {
  const Language* language = detect_language(path, head);
  return language ? std::string(language->name) : "";
}

// The text with comments as '/' and strings as '"', newlines kept: easy to compare.
std::string masked(std::string_view language, std::string_view text) {
  const Scanner scanner(*find_language(language));
  std::string out(text);
  std::size_t covered = 0;
  scanner.for_each_span(text, [&](SpanKind kind, std::size_t begin, std::size_t end) {
    EXPECT_EQ(begin, covered);
    covered = end;
    for (std::size_t i = begin; i < end; ++i) {
      if (out[i] == '\n' || kind == SpanKind::code) continue;
      out[i] = kind == SpanKind::comment ? '/' : '"';
    }
  });
  EXPECT_EQ(covered, text.size());
  return out;
}

TEST(Languages, HaveUniqueNamesAndNoExtensionTwice) {
  EXPECT_GE(languages().size(), 40u);
  std::set<std::string_view> names;
  std::set<std::string_view> extensions;
  for (const Language& language : languages()) {
    EXPECT_TRUE(names.insert(language.name).second) << language.name;
    for_each_word(language.extensions, [&](std::string_view word) {
      EXPECT_TRUE(extensions.insert(word).second) << word << " in " << language.name;
    });
  }
}

TEST(Languages, AreFoundByExtensionNameInterpreterAndModeLine) {
  EXPECT_EQ(name_of("a/b.cpp"), "C++");
  EXPECT_EQ(name_of("a/B.CPP"), "C++");
  EXPECT_EQ(name_of("a/b.C"), "C++");
  EXPECT_EQ(name_of("a/b.H", "int f(void);\n"), "C++");
  EXPECT_EQ(name_of("a/b.c"), "C");
  EXPECT_EQ(name_of("dir.py/README"), "Text");
  EXPECT_EQ(name_of("CMakeLists.txt"), "CMake");
  EXPECT_EQ(name_of("config.h.in"), "C");
  EXPECT_EQ(name_of("tool", "#!/usr/bin/env python3.11\n"), "Python");
  EXPECT_EQ(name_of("tool", "#!/usr/bin/env -S VAR=1 node --x\n"), "JavaScript");
  EXPECT_EQ(name_of("tool", "#!/bin/sh"), "Shell");
  EXPECT_EQ(name_of("vector", "// <vector> -*- C++ -*-\n"), "C++");
  EXPECT_EQ(name_of("data", "<?xml version=\"1.0\"?>"), "XML");
  EXPECT_EQ(name_of("nothing"), "");
  EXPECT_EQ(name_of(""), "");
  EXPECT_EQ(name_of("libfoo.so.6",
                    "\x7f"
                    "ELF"),
            "");
  EXPECT_EQ(name_of("ls.1", ".TH LS 1\n"), "Roff");
}

TEST(Languages, SharedExtensionsAreToldApartByContent) {
  EXPECT_EQ(name_of("a.h", "int f(void);\n"), "C");
  EXPECT_EQ(name_of("a.h", "#pragma once\nnamespace a {\n"), "C++");
  EXPECT_EQ(name_of("a.h", "#import <Foundation.h>\n@interface A\n"), "Objective-C");
  EXPECT_EQ(name_of("a.m", "function y = f(x)\n% doc\n"), "MATLAB");
  EXPECT_EQ(name_of("a.ts", "<?xml version=\"1.0\"?><TS/>"), "XML");
  EXPECT_EQ(name_of("a.ts", "let x = 1;"), "TypeScript");
}

TEST(Scanner, TellsCommentsAndStringsFromCodeInC) {
  EXPECT_EQ(masked("C", "a = \"//no\"; // yes\nb"), "a = \"\"\"\"\"\"; //////\nb");
  EXPECT_EQ(masked("C", "/* \" */ x"), "/////// x");
  EXPECT_EQ(masked("C", "'\"' + '\\'' // c"), "\"\"\" + \"\"\"\" ////");
  EXPECT_EQ(masked("C", "\"open\nnext"), "\"\"\"\"\"\nnext");
  EXPECT_EQ(masked("C", "\"a\\\nb\" c"), "\"\"\"\n\"\" c");
}

TEST(Scanner, DigitSeparatorsDoNotHideAComment) {
  EXPECT_TRUE(masked("C++", "n = 1'000'000; // c").ends_with("; ////"));
  EXPECT_TRUE(masked("C++", "n = 1'0'0; // c").ends_with("; ////"));
}

TEST(Scanner, KnowsRawStrings) {
  EXPECT_EQ(masked("C++", "R\"x(// )\" )x\" // c"), "\"\"\"\"\"\"\"\"\"\"\"\"\" ////");
  EXPECT_EQ(masked("Rust", "r#\"a\" //\"# // c"), "\"\"\"\"\"\"\"\"\"\" ////");
  EXPECT_EQ(masked("Rust", "r#type // c"), "r#type ////");
  EXPECT_EQ(masked("Lua", "[==[ ]] --]==] -- c"), "\"\"\"\"\"\"\"\"\"\"\"\"\"\" ////");
  EXPECT_EQ(masked("Go", "`// \n` // c"), "\"\"\"\"\n\" ////");
}

TEST(Scanner, KnowsNestedCommentsAndLifetimes) {
  EXPECT_EQ(masked("Rust", "/* a /* b */ c */ d"), "///////////////// d");
  EXPECT_EQ(masked("Rust", "fn f<'a>(x: &'a str) // c"), "fn f<'a>(x: &'a str) ////");
  EXPECT_EQ(masked("OCaml", "(* (* *) *) x"), "/////////// x");
  EXPECT_EQ(masked("C", "/* /* */ x"), "//////// x");
}

TEST(Scanner, KnowsWhereACommentMayStart) {
  EXPECT_EQ(masked("Shell", "echo $# a#b # c"), "echo $# a#b ///");
  EXPECT_EQ(masked("Vim Script", "let x = \"a\"\n  \" c"), "let x = \"a\"\n  ///");
  EXPECT_EQ(masked("Ruby", "=begin\nx\n=end\ny"), "//////\n/\n////\ny");
  EXPECT_EQ(masked("TeX", "50\\% x % c"), "50\\% x ///");
  EXPECT_EQ(masked("Batch", "REM x\nremark"), "/////\nremark");
}

TEST(Scanner, TakesAPythonDocstringForAComment) {
  EXPECT_EQ(masked("Python", "def f():\n  \"\"\"doc\n  \"\"\"\n  x = \"\"\"#\"\"\""),
            "def f():\n  //////\n/////\n  x = \"\"\"\"\"\"\"");
}

TEST(Scanner, TellsARegularExpressionFromADivision) {
  EXPECT_EQ(masked("JavaScript", "x = /[\"/*]/; y"), "x = \"\"\"\"\"\"\"; y");
  EXPECT_EQ(masked("JavaScript", "a / b / c // d"), "a / b / c ////");
}

TEST(Scanner, KnowsARegularExpressionByWhatStandsBeforeIt) {
  EXPECT_EQ(masked("JavaScript", "return /[/*?]/.test(p);"), "return \"\"\"\"\"\"\".test(p);");
  EXPECT_EQ(masked("JavaScript", "f = x => /a\"/"), "f = x => \"\"\"\"");
  EXPECT_EQ(masked("JavaScript", "i++ / 2 // c"), "i++ / 2 ////");
  EXPECT_EQ(masked("JavaScript", "a.return / b // c"), "a.return / b ////");
  EXPECT_EQ(masked("JavaScript", "<b>x</b> // c"), "<b>x</b> ////");
}

TEST(Scanner, TakesAHereDocumentForOneString) {
  EXPECT_EQ(masked("Shell", "cat <<END | tr a b # c\nit's # no\nEND\n# yes"),
            "cat <<END | tr a b ///\n\"\"\"\"\"\"\"\"\"\n\"\"\"\n/////");
  EXPECT_EQ(masked("Shell", "cat <<-'E' <<\"F\"\n\tE\n'\nF\n'x'"),
            "cat <<-\"\"\" <<\"\"\"\n\"\"\n\"\n\"\n\"\"\"");
  EXPECT_EQ(masked("Shell", "x=$((1 << n)) # c\n'n'"), "x=$((1 << n)) ///\n\"\"\"");
  EXPECT_EQ(masked("Ruby", "a = <<~SQL, b\n  # no\n  SQL\n# yes"),
            "a = <<~SQL, b\n\"\"\"\"\"\"\n\"\"\"\"\"\n/////");
  EXPECT_EQ(masked("Ruby", "list << name\n# yes"), "list << name\n/////");
  EXPECT_EQ(masked("PHP", "f(<<<EOT\n# no\n  EOT, 1); # yes"),
            "f(<<<EOT\n\"\"\"\"\n\"\"\"\"\", 1); /////");
}

TEST(Scanner, KnowsVerbatimStrings) {
  EXPECT_EQ(masked("C#", "p = @\"a:\\\"; // c"), "p = \"\"\"\"\"\"; ////");
  EXPECT_EQ(masked("F#", "\"(*\" x"), "\"\"\"\" x");
}

// Each of these took time in the square of its size.
TEST(Scanner, TakesNoLongerForWhatIsNeverClosed) {
  const std::pair<const char*, const char*> hostile[] = {
      {"JavaScript", "=/["}, {"JavaScript", "=/[\\\n"},
      {"C++", "R\"a"},       {"Shell", "<<A\n"},
      {"Shell", "<<A "},     {"Lua", "[="},
      {"Rust", "r#"},        {"Rust", "/*"},
      {"Python", "  \""},    {"C", "'\\"},
      {"OCaml", "(*"},       {"PHP", "<<<A\n"},
      {"Swift", "x? "},      {"TypeScript", "=>"}};
  for (const auto& [language, piece] : hostile) {
    std::string text;
    while (text.size() < 1024 * 1024) text += piece;
    std::size_t spans = 0;
    const std::clock_t began = std::clock();
    Scanner(*find_language(language)).for_each_span(text, [&](auto, auto, auto) { ++spans; });
    const double seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
    EXPECT_GT(spans, 0u);
    EXPECT_LT(seconds, 5.0) << language << " " << piece;  // some 0.02; the square would be minutes
  }
}

TEST(LineCounts, CountBlankLinesInsideAStringAsCode) {
  EXPECT_EQ(count_lines("x = \"\"\"a\n\n b\"\"\"\n", find_language("Python")).blank, 0u);
  EXPECT_EQ(count_lines("cat <<E\n\nE\n", find_language("Shell")).code, 3u);
}

TEST(LineCounts, SumUpToTheLines) {
  const auto counts =
      count_lines("// a\n\nint x; // b\n/* c\n\n*/ y\n/* d */\n", find_language("C"));
  EXPECT_EQ(counts.lines, 7u);
  EXPECT_EQ(counts.comment, 3u);
  EXPECT_EQ(counts.blank, 2u);
  EXPECT_EQ(counts.code, 2u);
  EXPECT_EQ(counts.longest_line_bytes, 11u);
}

TEST(LineCounts, CountALastLineWithoutNewlineAndNothingInAnEmptyFile) {
  EXPECT_EQ(count_lines("", nullptr).lines, 0u);
  EXPECT_EQ(count_lines("a", nullptr).lines, 1u);
  EXPECT_EQ(count_lines("a\n", nullptr).lines, 1u);
  EXPECT_EQ(count_lines("a\n\n", nullptr).lines, 2u);
  EXPECT_EQ(count_lines("a\r\n\r\n", nullptr).blank, 1u);
}

RC_GTEST_PROP(LineCounts, HoldForAnyTextInAnyLanguage, ()) {
  const auto& language = languages()[*rc::gen::inRange<std::size_t>(0, languages().size())];
  const auto text = *rc::gen::container<std::string>(
      rc::gen::elementOf(std::string("ab \n\n\"'`/*#-()[]{}=\\%;!<>rR\xC3\xA9") + '\0'));
  std::size_t newlines = 0;
  for (const char c : text) newlines += c == '\n';
  const auto counts = count_lines(text, &language);
  RC_ASSERT(counts.lines == counts.code + counts.comment + counts.blank);
  RC_ASSERT(counts.lines == newlines + (!text.empty() && text.back() != '\n' ? 1 : 0));
  std::size_t covered = 0;
  Scanner(language).for_each_span(text, [&](SpanKind, std::size_t begin, std::size_t end) {
    RC_ASSERT(begin == covered);
    RC_ASSERT(end > begin);
    covered = end;
  });
  RC_ASSERT(covered == text.size());
}

}  // namespace
}  // namespace symphony::extensions
