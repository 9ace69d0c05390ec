#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "extensions/operators/code/complexity.hpp"
#include "extensions/operators/code/duplicates.hpp"
#include "extensions/operators/code/scan.hpp"
#include "extensions/operators/paths.hpp"
#include "runtime/system/sha256.hpp"
#include "tests/extensions/operators/git/scratch_repository.hpp"
#include "tests/extensions/support.hpp"

namespace symphony::extensions {
namespace {

using testing::MemoryContext;
using testing::must;
using testing::TempDir;

code::Complexity complexity_of(std::string_view path, std::string_view source) {
  return code::scan_content(path, source).complexity;
}

TEST(Complexity, CountsDecisionsAndFunctionsOfC) {
  const auto c = complexity_of("a.c", R"(
#if defined(A) && defined(B)
#define TWICE(x) ((x) ? 2 : 1)
#endif
int max(int a, int b) { return a > b ? a : b; }
static int find(const int *v, int n) {
  for (int i = 0; i < n; i++) {
    if (v[i] == 0 && i > 3) {  /* if && || */
      switch (v[i]) { case 1: case 2: return i; }
    }
  }
  while (n) n--;
  puts("if (x) while (y) ? ");
  return -1;
}
)");
  EXPECT_EQ(c.functions, 2);
  EXPECT_EQ(c.decisions, 1 + 1 + 2 + 2 + 1);  // ?, for, if &&, two cases, while
  EXPECT_EQ(c.total, 9);
  EXPECT_EQ(c.max_nesting, 3);
}

TEST(Complexity, SeesLambdasMethodsAndClassesOfCpp) {
  const auto c = complexity_of("a.cpp", R"(
namespace n {
class A : public B {
 public:
  A() : x_(1) {}
  bool operator()(int) const noexcept { return ok; }
};
auto f = [](int y) { return y; };
}
)");
  EXPECT_EQ(c.functions, 3);
  EXPECT_EQ(c.decisions, 0);
  EXPECT_EQ(c.max_nesting, 0);
}

TEST(Complexity, FollowsIndentationOfPython) {
  const auto c = complexity_of("a.py", R"(
def f(x):
    """if while for"""
    if x and x > 1:
        for y in x:
            while y:
                pass
    elif x or y:
        return 1
    return [z for z in x if z]

def g(): return 0
)");
  EXPECT_EQ(c.functions, 2);
  EXPECT_EQ(c.decisions, 2 + 1 + 1 + 2 + 2);
  EXPECT_EQ(c.max_nesting, 3);
}

TEST(Complexity, KnowsTheKeywordsOfGoRustAndShell) {
  const auto go = complexity_of(
      "a.go",
      "package a\nfunc f(x int) int {\n\tfor i := 0; i < x; i++ {\n\t\tif i > 2 || x > "
      "1 {\n\t\t\treturn 1\n\t\t}\n\t}\n\treturn 0\n}\n");
  EXPECT_EQ(go.functions, 1);
  EXPECT_EQ(go.decisions, 3);
  EXPECT_EQ(go.max_nesting, 2);
  const auto rust = complexity_of(
      "a.rs",
      "fn f(x: i32) -> i32 {\n  match x {\n    1 => 2,\n    _ => loop { break 1 }\n  }\n}\n");
  EXPECT_EQ(rust.functions, 1);
  EXPECT_EQ(rust.decisions, 1);
  EXPECT_EQ(rust.max_nesting, 2);
  const auto shell =
      complexity_of("a.sh",
                    "f() {\n  if [ $# -gt 0 ] && true; then\n    for i in x; do :; done\n"
                    "  fi\n}\n");
  EXPECT_EQ(shell.functions, 1);
  EXPECT_EQ(shell.decisions, 3);
}

TEST(Complexity, IsNotGivenForLanguagesWithoutControlFlow) {
  EXPECT_FALSE(code::scan_content("a.json", "{\"if\": 1}\n").measured);
  EXPECT_FALSE(code::scan_content("a.md", "if while\n").measured);
}

TEST(Todos, AreFoundInCommentsWithTheirLines) {
  const auto facts = code::scan_content("a.c",
                                        "int TODO = 1;\n"
                                        "/* one\n"
                                        " * FIXME(ada): two */\n"
                                        "char* s = \"TODO no\"; // XXX: three\n"
                                        "// TODOS AUTODO mkXXXX \"TODO x\" HACK, XXX', FIXME`\n");
  ASSERT_EQ(facts.todos.size(), 2u);
  EXPECT_EQ(facts.todos[0].tag, "FIXME");
  EXPECT_EQ(facts.todos[0].line, 3u);
  EXPECT_EQ(facts.todos[0].text, "(ada): two");
  EXPECT_EQ(facts.todos[1].tag, "XXX");
  EXPECT_EQ(facts.todos[1].line, 4u);
  EXPECT_EQ(facts.todos[1].text, "three");
}

// Lines that no two calls with different seeds have in common.
std::string unique_lines(unsigned seed, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += "value_" + std::to_string(seed) + "_" + std::to_string(i) + " = compute(" +
            std::to_string(i) + ");\n";
  }
  return text;
}

code::Duplicates duplicates_of(const std::vector<std::string>& texts) {
  std::vector<code::ScannedFile> files;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    files.push_back({"f" + std::to_string(i), runtime::sha256(texts[i]).hex(),
                     static_cast<std::int64_t>(texts[i].size()),
                     code::winnow(code::significant_lines(texts[i]))});
  }
  return code::find_duplicates(
      files, code::kGuaranteedLines,
      [&](std::size_t i) { return code::significant_lines(texts[i]); }, [] { return false; });
}

RC_GTEST_PROP(DuplicateBlocks, AreFoundExactlyWhereverTheyAreCopied, ()) {
  const auto lines = *rc::gen::inRange<std::size_t>(code::kGuaranteedLines, 60);
  const auto before = *rc::gen::inRange<std::size_t>(0, 40);
  const auto other_before = *rc::gen::inRange<std::size_t>(0, 40);
  const auto after = *rc::gen::inRange<std::size_t>(0, 40);
  const std::string block = unique_lines(1, lines);
  const auto found = duplicates_of({unique_lines(2, before) + block + unique_lines(3, after),
                                    unique_lines(4, other_before) + "}\n\n" + block + "x y\n"});
  RC_ASSERT(found.clusters.size() == 1u);
  const auto& copies = found.clusters[0].copies;
  RC_ASSERT(copies.size() == 2u);
  RC_ASSERT(copies[0].first_line == before + 1);
  RC_ASSERT(copies[0].last_line == before + lines);
  RC_ASSERT(copies[1].first_line == other_before + 3);
  RC_ASSERT(copies[1].last_line == other_before + 2 + lines);
  RC_ASSERT(found.duplicated_lines == static_cast<std::int64_t>(lines));
}

RC_GTEST_PROP(DuplicateBlocks, AreNotSeenInUnrelatedText, ()) {
  std::vector<std::string> texts;
  for (unsigned i = 0; i < 5; ++i) {
    const auto shared = *rc::gen::inRange<std::size_t>(0, code::kGramLines);
    texts.push_back(unique_lines(100, shared) +
                    unique_lines(i, *rc::gen::inRange<std::size_t>(0, 80)) + std::string(40, '}') +
                    "\n");
  }
  RC_ASSERT(duplicates_of(texts).clusters.empty());
}

RC_GTEST_PROP(Fingerprints, SurvivePacking, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(0, 300);
  const auto kept = code::winnow(code::significant_lines(unique_lines(7, count)));
  RC_ASSERT(*code::unpack(code::pack(kept)) == kept);
}

TEST(Fingerprints, RefuseTextThatIsNone) {
  EXPECT_FALSE(code::unpack("abc").ok());
  EXPECT_FALSE(code::unpack("abcdefghijk!").ok());
}

TEST(DuplicateBlocks, GatherAllCopiesInOneCluster) {
  const std::string block = unique_lines(1, 20);
  const auto found = duplicates_of({unique_lines(2, 9) + block, block + unique_lines(3, 9),
                                    unique_lines(4, 5) + block + unique_lines(5, 5) + block});
  ASSERT_EQ(found.clusters.size(), 1u);
  EXPECT_EQ(found.clusters[0].copies.size(), 4u);
  EXPECT_EQ(found.clusters[0].duplicated_lines(), 60);
}

TEST(DuplicateBlocks, IgnoreRepetitionWithoutContent) {
  std::string table;
  for (int i = 0; i < 200; ++i) table += "  {0, 0},\n";
  EXPECT_TRUE(duplicates_of({table, table + "int x;\n"}).clusters.empty());
}

TEST(DuplicateBlocks, LeaveIdenticalFilesToTheirOwnList) {
  const std::string text = unique_lines(1, 30);
  const auto found = duplicates_of({text, text, text});
  EXPECT_TRUE(found.clusters.empty());
  ASSERT_EQ(found.identical.size(), 1u);
  EXPECT_EQ(found.identical[0].paths.size(), 3u);
  EXPECT_EQ(found.identical[0].wasted_bytes(), 2 * static_cast<std::int64_t>(text.size()));
}

class CodeOperators : public ::testing::Test {
 protected:
  CodeOperators() { add_code_operators(registry_); }
  Json run(std::string_view name, Json arguments) {
    return must(testing::run(registry_, name, std::move(arguments)));
  }
  Json scan(Json paths) {
    return run("code.scan", {{"root", directory_.path()}, {"paths", std::move(paths)}})["batch"];
  }

  TempDir directory_;
  actors::OperatorRegistry registry_;
};

TEST_F(CodeOperators, ScanEachFileOnceAndForEverything) {
  directory_.write("a.c",
                   "// SPDX-License-Identifier: MIT\nint f(void) {\n  return 1; // TODO x\n}\n");
  const Json scanned = scan({"a.c"});
  ASSERT_EQ(scanned["files"].size(), 1u);
  const Json& file = scanned["files"][0];
  EXPECT_EQ(file["language"], "C");
  EXPECT_EQ(file["lines"], 4);
  EXPECT_EQ(file["code"], 3);
  EXPECT_EQ(file["comment"], 1);
  EXPECT_EQ(file["complexity"], 1);
  EXPECT_EQ(file["licence"], "MIT");
  EXPECT_EQ(file["spdx"], true);
  EXPECT_EQ(file["todos"], 1);
  EXPECT_EQ(file["sha256"].get<std::string>().size(), 64u);
  EXPECT_EQ(scanned["todos"][0]["line"], 3);
}

TEST_F(CodeOperators, PassOverWhatCannotBeRead) {
  const std::string nasty = "q\"uo te\n\xfe.c";
  directory_.write(nasty, "int x;\n");
  directory_.write("empty.c", "");
  directory_.write("binary.c", std::string("\0\1\2", 3));
  directory_.write("huge.c", std::string(code::kDefaultMaxFileBytes + 1, 'x'));
  directory_.write("minified.js", std::string(9'000, 'y') + "\n");
  std::filesystem::create_symlink("loop", directory_.path() + "/loop");
  ASSERT_EQ(::mkfifo((directory_.path() + "/pipe").c_str(), 0600), 0);
  const Json scanned = scan({encode_path(nasty), "empty.c", "binary.c", "huge.c", "minified.js",
                             "loop", "pipe", "missing.c"});
  EXPECT_NO_THROW(scanned.dump());
  ASSERT_EQ(scanned["files"].size(), 5u);
  EXPECT_EQ(scanned["files"][0]["lines"], 1);
  EXPECT_EQ(scanned["files"][1]["lines"], 0);
  EXPECT_EQ(scanned["files"][2]["binary"], true);
  EXPECT_EQ(scanned["files"][3]["huge"], true);
  EXPECT_EQ(scanned["files"][4]["generated"], true);
  EXPECT_EQ(scanned["skipped"].size(), 3u);
}

TEST_F(CodeOperators, MergeBatchesInAnyOrder) {
  directory_.write("a.c", "int f(void) { return 1; }\n");
  directory_.write("b.py", "# TODO later\nx = 1\n");
  directory_.write("c.txt", "text\n");
  const Json first = scan({"a.c"});
  const Json second = scan({"c.txt", "b.py"});
  const Json merged = run("code.merge", {{"batches", {first, second}}});
  EXPECT_EQ(merged, run("code.merge", {{"batches", {second, first}}}));
  EXPECT_EQ(merged["totals"]["files"], 3);
  EXPECT_EQ(merged["totals"]["lines"], 4);
  EXPECT_EQ(merged["totals"]["todos"], 1);
  EXPECT_EQ(merged["files"][1]["path"], "b.py");
  EXPECT_EQ(merged["licences"][0]["licence"], "");
  EXPECT_EQ(merged["licences"][0]["files"], 2);
  EXPECT_EQ(run("code.merge", {{"batches", Json::array()}})["totals"]["files"], 0);
}

TEST_F(CodeOperators, RefuseBatchesThatAreNone) {
  MemoryContext context;
  const auto result = testing::run(registry_, "code.merge", {{"batches", {1}}}, context);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().field, "batches[0]");
}

TEST_F(CodeOperators, FindDuplicatesAcrossBatchesWithTheirLines) {
  const std::string block = unique_lines(1, 15);
  directory_.write("a.c", "int a;\n/* note */\n" + block);
  directory_.write("d/b.c", block + "int b;\n");
  directory_.write("same1.c", unique_lines(2, 3));
  directory_.write("same2.c", unique_lines(2, 3));
  const Json found =
      run("code.duplicates", {{"root", directory_.path()},
                              {"batches", {scan({"a.c", "same1.c"}), scan({"d/b.c", "same2.c"})}}});
  ASSERT_EQ(found["blocks"].size(), 1u);
  const Json places{{{"path", "a.c"}, {"first_line", 3}, {"last_line", 17}},
                    {{"path", "d/b.c"}, {"first_line", 1}, {"last_line", 15}}};
  EXPECT_EQ(found["blocks"][0]["places"], places);
  EXPECT_EQ(found["duplicated_lines"], 15);
  ASSERT_EQ(found["identical"].size(), 1u);
  EXPECT_EQ(found["identical"][0]["paths"], Json({"same1.c", "same2.c"}));
}

TEST_F(CodeOperators, GiveEachFindingAlone) {
  directory_.write("a.c", "int f(void) { return 1; } // FIXME y\n");
  const Json arguments{{"root", directory_.path()}, {"paths", {"a.c"}}};
  EXPECT_EQ(run("code.complexity", arguments)["files"][0]["complexity"], 1);
  EXPECT_EQ(run("code.todos", arguments)["todos"][0]["tag"], "FIXME");
  EXPECT_EQ(run("code.licences", arguments)["files"][0]["licence"], "");
}

}  // namespace
}  // namespace symphony::extensions
