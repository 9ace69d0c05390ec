#include <unistd.h>

#include "tests/extensions/support.hpp"

namespace symphony::extensions {
namespace {

using testing::must;
using testing::TempDir;

Result<Json> stats(Json arguments) {
  return testing::run(add_text_operators, "text.stats", std::move(arguments));
}

TEST(TextStats, CountsFilesAndLanguages) {
  TempDir dir;
  dir.write("a.c", "// c\nint x;\n\n");
  dir.write("b.c", "int y;\n");
  dir.write("run", "#!/bin/sh\necho\n");
  dir.write("data", std::string("\0\1\n", 3));
  dir.write("latin.txt", "caf\xE9\n");
  dir.write("empty.py", "");
  const Json result =
      must(stats({{"root", dir.path()},
                  {"files", {"a.c", {{"path", "b.c"}}, "run", "data", "latin.txt", "empty.py"}}}));
  EXPECT_EQ(result["files"][0],
            Json::parse(R"({"path":"a.c","language":"C","kind":"programming","size":13,"lines":3,
                            "code":1,"comment":1,"blank":1,"longest_line":6,"binary":false,
                            "encoding":"utf-8"})"));
  EXPECT_EQ(result["files"][2]["language"], "Shell");
  EXPECT_EQ(result["files"][3]["language"], "Binary");
  EXPECT_EQ(result["files"][4]["encoding"], "other");
  EXPECT_EQ(result["files"][5]["lines"], 0);
  EXPECT_EQ(result["languages"][0]["language"], "C");
  EXPECT_EQ(result["languages"][0]["files"], 2);
  EXPECT_EQ(result["languages"][0]["code"], 2);
  EXPECT_EQ(result["total"]["files"], 6);
}

TEST(TextStats, SkipsWhatItCannotReadAndSaysWhy) {
  TempDir dir;
  dir.write("huge", "");
  ASSERT_EQ(::truncate((dir / "huge").c_str(), off_t{1} << 40), 0);
  const Json result = must(stats({{"root", dir.path()}, {"files", {"huge", "gone", "."}}}));
  EXPECT_TRUE(result["files"].empty());
  ASSERT_EQ(result["skipped"].size(), 3u);
  EXPECT_NE(result["skipped"][0]["reason"].get<std::string>().find("more than max_file_bytes"),
            std::string::npos);
  EXPECT_NE(result["skipped"][1]["reason"].get<std::string>().find("No such file"),
            std::string::npos);
}

TEST(TextStats, NamesTheElementThatIsNoPath) {
  EXPECT_EQ(stats({{"files", {"a", 7}}}).error().field, "files[1]");
}

}  // namespace
}  // namespace symphony::extensions
