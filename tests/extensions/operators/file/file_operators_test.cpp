#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <set>

#include "extensions/operators/file/io.hpp"
#include "extensions/operators/paths.hpp"
#include "tests/extensions/support.hpp"

namespace symphony::extensions {
namespace {

using testing::MemoryContext;
using testing::must;
using testing::TempDir;

Result<Json> file(std::string_view verb, Json arguments) {
  return testing::run(add_file_operators, "file." + std::string(verb), std::move(arguments));
}

std::vector<std::string> paths_of(const Json& result) {
  std::vector<std::string> paths;
  for (const auto& entry : result["files"])
    paths.push_back(decode_path(entry["path"].get<std::string>()));
  return paths;
}

using Paths = std::vector<std::string>;

TEST(FileGlob, ListsFilesSortedByBytesWithSizes) {
  TempDir dir;
  dir.write("b", "12");
  dir.write("a/z", "1");
  dir.write("a.c", "");
  const Json result = must(file("glob", {{"root", dir.path()}}));
  EXPECT_EQ(paths_of(result), (Paths{"a.c", "a/z", "b"}));
  EXPECT_EQ(result["files"][2]["size"], 2);
  EXPECT_EQ(result["total_bytes"], 3);
  EXPECT_EQ(result["truncated"], false);
}

TEST(FileGlob, TakesNastyNamesAsOrdinary) {
  TempDir dir;
  const Paths names = {"\xff\xfe",     " lead", "a \"b\" 'c'", "line\nbreak", "tab\t",
                       "\xEF\x9E\x81", "-rf",   "back\\slash", "\xC3\xA9"};
  for (const auto& name : names) dir.write(name, name);
  const Json result = must(file("glob", {{"root", dir.path()}}));
  const auto found = paths_of(result);
  EXPECT_EQ(std::set(found.begin(), found.end()), std::set(names.begin(), names.end()));
  for (const auto& entry : result["files"]) {
    const Json content =
        must(file("read", {{"path", dir.path() + "/" + entry["path"].get<std::string>()},
                           {"encoding", "base64"}}));
    EXPECT_EQ(content["content"], to_base64(decode_path(entry["path"].get<std::string>())));
  }
}

TEST(FileGlob, IncludesAndExcludesByPattern) {
  TempDir dir;
  for (const auto* name : {"src/a.c", "src/deep/b.c", "src/deep/b.h", "doc/c.md", "top.c"})
    dir.write(name, "");
  EXPECT_EQ(paths_of(must(file("glob", {{"root", dir.path()}, {"include", {"*.c"}}}))),
            (Paths{"src/a.c", "src/deep/b.c", "top.c"}));
  EXPECT_EQ(paths_of(must(file("glob", {{"root", dir.path()}, {"include", {"src/"}}}))),
            (Paths{"src/a.c", "src/deep/b.c", "src/deep/b.h"}));
  EXPECT_EQ(
      paths_of(must(file(
          "glob", {{"root", dir.path()}, {"include", {"src/**/*.c"}}, {"exclude", {"deep"}}}))),
      (Paths{"src/a.c"}));
}

TEST(FileGlob, ExcludesPathsHoweverTheyAreWritten) {
  TempDir dir;
  for (const auto* name : {"a.c", "out/b.c", "deep/out/c.c"}) dir.write(name, "");
  ASSERT_EQ(::symlink("out", (dir / "link").c_str()), 0);
  const auto without = [&](const std::string& path) {
    return paths_of(
        must(file("glob", {{"root", dir.path()}, {"exclude_paths", {encode_path(path)}}})));
  };
  const Paths others{"a.c", "deep/out/c.c"};
  EXPECT_EQ(without(dir / "out"), others);
  EXPECT_EQ(without(dir / "./deep/..//out/"), others);
  EXPECT_EQ(without(dir / "link"), others);
  EXPECT_EQ(without("./" + std::filesystem::relative(dir.path()).string() + "/out"), others);
  EXPECT_EQ(without(dir / "a.c"), (Paths{"deep/out/c.c", "out/b.c"}));
  const Paths all{"a.c", "deep/out/c.c", "out/b.c"};
  EXPECT_EQ(without(dir / "missing"), all);
  EXPECT_EQ(without("out"), all) << "which is not the one below the root";
  EXPECT_EQ(without(dir.path()), all) << "the root itself";
}

TEST(FileOperators, StartRelativePathsInTheDirectoryOfTheRun) {
  TempDir dir;
  dir.write("sub/a", "content");
  MemoryContext context;
  context.run_directory = dir.path();
  const auto file = [&](std::string_view name, const Json& arguments) {
    return must(run(add_file_operators, "file." + std::string(name), arguments, context));
  };
  EXPECT_EQ(file("read", {{"path", "sub/a"}})["content"], "content");
  EXPECT_EQ(paths_of(file("glob", {{"root", "."}})), (Paths{"sub/a"}));
  EXPECT_EQ(paths_of(file("glob", {{"root", "."}, {"exclude_paths", {"sub"}}})), Paths{});
  EXPECT_EQ(file("stat", {{"paths", {"sub/a"}}})["files"][0]["size"], 7);
  EXPECT_EQ(file("stat", {{"paths", {"a"}}, {"root", "sub"}})["files"][0]["size"], 7);
  EXPECT_EQ(file("store", {{"paths", {"sub/a"}}})["total_bytes"], 7);
  file("write", {{"path", "b"}, {"content", "x"}});
  EXPECT_EQ(dir.read("b"), "x");
}

TEST(FileGlob, EndsOnSymlinkLoopsAndReportsThem) {
  TempDir dir;
  dir.write("a/f", "");
  ASSERT_EQ(::symlink("..", (dir / "a/up").c_str()), 0);
  ASSERT_EQ(::symlink("self", (dir / "self").c_str()), 0);
  ASSERT_EQ(::symlink("f", (dir / "a/link").c_str()), 0);
  const Json plain = must(file("glob", {{"root", dir.path()}}));
  EXPECT_EQ(paths_of(plain), (Paths{"a/f"}));
  EXPECT_EQ(plain["skipped"].size(), 3u);
  const Json followed = must(file("glob", {{"root", dir.path()}, {"follow_symlinks", true}}));
  EXPECT_EQ(paths_of(followed), (Paths{"a/f", "a/link"}));
  EXPECT_EQ(followed["skipped_count"], 2);
  EXPECT_NE(followed["skipped"].dump().find("already visited"), std::string::npos);
  EXPECT_NE(followed["skipped"].dump().find("link to nowhere"), std::string::npos);
}

TEST(FileGlob, ReportsSpecialFilesAndDirectoriesItCannotRead) {
  TempDir dir;
  dir.write("ok", "");
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  // A path longer than the system opens is unreadable for root too.
  const std::string name(250, 'd');
  int at = ::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(::mkdirat(at, name.c_str(), 0700), 0);
    const int next = ::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY);
    ::close(at);
    at = next;
  }
  ::close(at);
  const Json result = must(file("glob", {{"root", dir.path()}}));
  EXPECT_EQ(paths_of(result), (Paths{"ok"}));
  EXPECT_EQ(result["skipped"].size(), 2u);
  EXPECT_NE(result["skipped"].dump().find("special file (fifo)"), std::string::npos);
  EXPECT_NE(result["skipped"].dump().find("File name too long"), std::string::npos);
}

TEST(FileGlob, StopsAtMaxFilesAndWhenCancelled) {
  TempDir dir;
  for (int i = 0; i < 10; ++i) dir.write(std::to_string(i) + "/f", "");
  const Json result = must(file("glob", {{"root", dir.path()}, {"max_files", 3}}));
  EXPECT_EQ(paths_of(result), (Paths{"0/f", "1/f", "2/f"}));
  EXPECT_EQ(result["truncated"], true);
  MemoryContext context;
  context.cancel_after_polls(4);
  const auto stopped =
      testing::run(add_file_operators, "file.glob", {{"root", dir.path()}}, context);
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, Errc::CANCELLED);
}

TEST(FileGlob, RefusesARootThatIsMissingOrNoDirectory) {
  TempDir dir;
  dir.write("f", "");
  EXPECT_EQ(file("glob", {{"root", dir / "nope"}}).error().code, Errc::NOT_FOUND);
  EXPECT_EQ(file("glob", {{"root", dir / "f"}}).error().code, Errc::FAILED_PRECONDITION);
  EXPECT_EQ(file("glob", {{"root", ""}}).error().field, "root");
}

int shell(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str());
}

TEST(FileGlob, ObeysGitignoreButListsWhatIsTracked) {
  TempDir dir;
  dir.write(".gitignore", "*.log\n/out/\n!keep.log\n");
  dir.write("sub/.gitignore", "local\n");
  for (const auto* name : {"a.log", "keep.log", "tracked.log", "out/x", "sub/out/x", "sub/local",
                           "local", "a.c", "vendored/deep/y.log"})
    dir.write(name, "");
  ASSERT_EQ(shell("cd '" + dir.path() + "' && git init -q && git add -f tracked.log"), 0);
  dir.write(".git/info/exclude", "vendored/\n");
  EXPECT_EQ(paths_of(must(file("glob", {{"root", dir.path()}}))),
            (Paths{"a.c", "keep.log", "local", "sub/out/x", "tracked.log"}));
  EXPECT_EQ(paths_of(must(file("glob", {{"root", dir / "sub"}}))), (Paths{"out/x"}));
  const Json all =
      must(file("glob", {{"root", dir.path()}, {"gitignore", false}, {"hidden", true}}));
  EXPECT_EQ(all["files"].size(), 11u);  // never what is in .git
}

TEST(FileGlob, SaysSoWhenIgnoreRulesCannotBeRead) {
  TempDir dir;
  dir.write(".git/HEAD", "");
  dir.write("sub/file", "");
  // A loop is an error that root meets, too.
  ASSERT_EQ(::symlink(".gitignore", (dir / "sub/.gitignore").c_str()), 0);
  const Json loop = must(file("glob", {{"root", dir.path()}}));
  EXPECT_EQ(paths_of(loop), (Paths{"sub/file"}));
  EXPECT_NE(loop["skipped"].dump().find("ignore rules that cannot be read"), std::string::npos);
  EXPECT_EQ(file("glob", {{"root", dir.path()}, {"exclude_paths", {dir / "sub/.gitignore"}}})
                .error()
                .code,
            Errc::INVALID_ARGUMENT)
      << "what cannot be looked at may be there";
}

TEST(FileRead, TellsTruncationBinaryAndEncoding) {
  TempDir dir;
  dir.write("text", "h\xC3\xA9llo");
  dir.write("bin", std::string("a\0b", 3));
  dir.write("latin", "caf\xE9");
  dir.write("empty", "");
  Json result = must(file("read", {{"path", dir / "text"}, {"max_bytes", 2}}));
  EXPECT_EQ(result["content"], "h");
  EXPECT_EQ(result["truncated"], true);
  EXPECT_EQ(result["valid_utf8"], true);
  EXPECT_EQ(result["size"], 6);
  EXPECT_EQ(must(file("read", {{"path", dir / "bin"}}))["binary"], true);
  result = must(file("read", {{"path", dir / "latin"}}));
  EXPECT_EQ(result["content"], "caf\xEF\xBF\xBD");
  EXPECT_EQ(result["valid_utf8"], false);
  EXPECT_EQ(must(file("read", {{"path", dir / "latin"}, {"encoding", "base64"}}))["content"],
            "Y2Fm6Q==");
  EXPECT_EQ(must(file("read", {{"path", dir / "empty"}}))["content"], "");
}

TEST(FileRead, ReadsFilesThatStateNoSize) {
  const Json result = must(file("read", {{"path", "/proc/self/status"}}));
  EXPECT_NE(result["content"].get<std::string>().find("Pid:"), std::string::npos);
}

TEST(FileRead, RefusesDirectoriesPipesAndNonsense) {
  TempDir dir;
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(file("read", {{"path", dir.path()}}).error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(file("read", {{"path", dir / "pipe"}}).error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(file("read", {{"path", dir / "none"}}).error().code, Errc::NOT_FOUND);
  EXPECT_EQ(file("read", {{"path", "x"}, {"encoding", "rot13"}}).error().field, "encoding");
  EXPECT_EQ(file("read", {{"path", std::string("a\0b", 3)}}).error().field, "path");
  EXPECT_EQ(file("read", {{"path", "x"}, {"max_bytes", -1}}).error().field, "max_bytes");
}

TEST(FileRead, ReadsOnlyAPrefixOfAHugeSparseFile) {
  TempDir dir;
  dir.write("huge", "");
  ASSERT_EQ(::truncate((dir / "huge").c_str(), off_t{1} << 40), 0);
  const Json result = must(file("read", {{"path", dir / "huge"}, {"max_bytes", 10}}));
  EXPECT_EQ(result["size"], std::int64_t{1} << 40);
  EXPECT_EQ(result["truncated"], true);
  EXPECT_EQ(result["content"].get<std::string>().size(), 10u);
}

TEST(FileWrite, ReplacesAtomicallyAndKeepsTheMode) {
  TempDir dir;
  dir.write("f", "old");
  ASSERT_EQ(::chmod((dir / "f").c_str(), 0751), 0);
  ASSERT_EQ(::symlink("f", (dir / "link").c_str()), 0);
  must(file("write", {{"path", dir / "link"}, {"content", "new"}}));
  EXPECT_EQ(dir.read("f"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "link"));
  const Json stat = must(file("stat", {{"root", dir.path()}, {"paths", {"f", "link", "gone"}}}));
  EXPECT_EQ(stat["files"][0]["mode"], "0751");
  EXPECT_EQ(stat["files"][0]["size"], 3);
  EXPECT_EQ(stat["files"][1]["type"], "symlink");
  EXPECT_EQ(stat["files"][2]["exists"], false);
  // Nothing of the writing is left behind.
  EXPECT_EQ(must(file("glob", {{"root", dir.path()}, {"hidden", true}}))["files"].size(), 1u);
}

TEST(FileWrite, CreatesDirectoriesOnlyWhenAsked) {
  TempDir dir;
  EXPECT_EQ(file("write", {{"path", dir / "a/b/c"}, {"content", ""}}).error().code,
            Errc::NOT_FOUND);
  must(file("write", {{"path", dir / "a/b/c"},
                      {"content", "AAECAw=="},
                      {"encoding", "base64"},
                      {"create_dirs", true}}));
  EXPECT_EQ(dir.read("a/b/c"), std::string("\0\1\2\3", 4));
}

TEST(FileWrite, RefusesADirectoryAndBadBase64) {
  TempDir dir;
  EXPECT_EQ(file("write", {{"path", dir.path()}, {"content", ""}}).error().code,
            Errc::INVALID_ARGUMENT);
  EXPECT_EQ(
      file("write", {{"path", dir / "x"}, {"content", "a"}, {"encoding", "base64"}}).error().field,
      "content");
  EXPECT_FALSE(std::filesystem::exists(dir / "x"));
}

TEST(FileWrite, MakesWhatADanglingLinkLeadsToAndKeepsTheLink) {
  TempDir dir;
  ASSERT_EQ(::symlink("to be", (dir / "link").c_str()), 0);
  must(file("write", {{"path", dir / "link"}, {"content", "is"}}));
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "link"));
  EXPECT_EQ(dir.read("to be"), "is");
}

TEST(FileWrite, WritesIntoDevicesAndWaitsForAPipesReaderNoLongerThanTheRun) {
  TempDir dir;
  must(file("write", {{"path", "/dev/null"}, {"content", "x"}}));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  MemoryContext context;
  context.cancel_after_polls(2);
  const auto stopped = testing::run(add_file_operators, "file.write",
                                    {{"path", dir / "pipe"}, {"content", "x"}}, context);
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, Errc::CANCELLED);
  EXPECT_TRUE(std::filesystem::is_fifo(dir / "pipe"));
}

TEST(FileStore, StoresInBatchesAndReportsWhatItLeavesOut) {
  TempDir dir;
  Json paths = Json::array();
  for (int i = 0; i < 300; ++i) {
    const std::string name = "f" + std::to_string(i);
    dir.write(name, name);
    paths.push_back({{"path", name}, {"size", 1}});
  }
  dir.write("big", std::string(100, 'x'));
  paths.push_back("big");
  paths.push_back("gone");
  paths.push_back(".");
  MemoryContext context;
  const Json result = must(testing::run(
      add_file_operators, "file.store",
      {{"root", dir.path()}, {"paths", paths}, {"prefix", "tree"}, {"max_file_bytes", 10}},
      context));
  EXPECT_EQ(result["files"].size(), 300u);
  EXPECT_EQ(result["skipped"].size(), 3u);
  EXPECT_EQ(context.batches, 2);
  EXPECT_EQ(context.stored[7].name, "tree/f7");
  EXPECT_EQ(context.stored[7].content, "f7");
  EXPECT_EQ(result["files"][7]["digest"], "digest7");
}

TEST(FileStore, LeavesOutAFileWhoseNameTheStoreRefusesAndNoOther) {
  // "icon@2" would mean the second version of "icon".
  class Strict final : public MemoryContext {
   public:
    Result<std::vector<std::string>> store(std::span<const actors::ArtifactDraft> drafts) override {
      for (const auto& draft : drafts)
        if (draft.name.ends_with("@2")) return Error{Errc::INVALID_ARGUMENT, "no name", "name"};
      return MemoryContext::store(drafts);
    }
  };
  TempDir dir;
  for (const auto* name : {"a", "icon@2", "z"}) dir.write(name, name);
  Strict context;
  const Json result = must(testing::run(
      add_file_operators, "file.store",
      {{"root", dir.path()}, {"paths", {"a", "icon@2", "z"}}, {"prefix", "t"}}, context));
  EXPECT_EQ(result["files"].size(), 2u);
  EXPECT_EQ(result["total_bytes"], 2);
  ASSERT_EQ(result["skipped"].size(), 1u);
  EXPECT_EQ(result["skipped"][0]["path"], "icon@2");
}

RC_GTEST_PROP(PathText, RoundTripsAnyBytes, ()) {
  const auto raw = *rc::gen::container<std::string>(rc::gen::oneOf(
      rc::gen::arbitrary<char>(), rc::gen::element<char>('\xEF', '\x9E', '\x9F', '\x80', '\xBF')));
  const std::string text = encode_path(raw);
  RC_ASSERT(is_utf8(text));
  RC_ASSERT(decode_path(text) == raw);
}

RC_GTEST_PROP(Base64, RoundTripsAnyBytes, ()) {
  const auto raw = *rc::gen::arbitrary<std::string>();
  const auto back = from_base64(to_base64(raw));
  RC_ASSERT(back.ok());
  RC_ASSERT(*back == raw);
}

}  // namespace
}  // namespace symphony::extensions
