#include "extensions/operators/paths.hpp"
#include "extensions/operators/process/excerpt.hpp"
#include "tests/extensions/support.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace symphony::extensions {
namespace {

using testing::MemoryContext;
using testing::must;
using testing::TempDir;

Result<Json> process(Json arguments) {
  return testing::run(add_process_operators, "process.run", std::move(arguments));
}

Json sh(const std::string& script) { return Json::array({"sh", "-c", script}); }

TEST(ProcessRun, GivesOutputErrorsAndExitCode) {
  const Json result =
      must(process({{"command", sh("echo out; echo err >&2; exit 3")}, {"ok_exit_codes", {0, 3}}}));
  EXPECT_EQ(result["stdout"], "out\n");
  EXPECT_EQ(result["stderr"], "err\n");
  EXPECT_EQ(result["exit_code"], 3);
}

TEST(ProcessRun, PassesArgumentsWithoutAShell) {
  const Json result = must(process(
      {{"command", {"printf", "%s|", "a b", "$HOME", "\"q'", "l\nn", encode_path("\xff")}}}));
  EXPECT_EQ(result["stdout"], "a b|$HOME|\"q'|l\nn|\xEF\xBF\xBD|");
}

TEST(ProcessRun, FeedsInputLargerThanAPipeWhileReading) {
  const std::string input(1 << 20, 'x');
  const Json result =
      must(process({{"command", {"cat"}}, {"stdin", input}, {"output_limit_bytes", 2 << 20}}));
  EXPECT_EQ(result["stdout"], input);
}

TEST(ProcessRun, SurvivesAProgramThatDoesNotReadItsInput) {
  EXPECT_EQ(
      must(process({{"command", {"true"}}, {"stdin", std::string(1 << 20, 'x')}}))["exit_code"], 0);
}

TEST(ProcessRun, KeepsOnlyTheOutputLimit) {
  const Json result = must(process(
      {{"command", sh("head -c 3000000 /dev/zero | tr '\\0' a")}, {"output_limit_bytes", 1000}}));
  EXPECT_EQ(result["stdout"], std::string(1000, 'a'));
  EXPECT_EQ(result["stdout_truncated"], true);
  EXPECT_EQ(result["stderr_truncated"], false);
}

TEST(ProcessRun, SetsDirectoryAndEnvironment) {
  TempDir dir;
  const Json result = must(process({{"command", {"/bin/sh", "-c", "pwd; echo $A-$B-${HOME-none}"}},
                                    {"directory", dir.path()},
                                    {"environment", {{"A", "1"}, {"B", nullptr}}},
                                    {"environment_mode", "replace"}}));
  EXPECT_EQ(result["stdout"], std::filesystem::canonical(dir.path()).string() + "\n1--none\n");
  EXPECT_NE(must(process({{"command", sh("echo $PATH")}}))["stdout"], "\n");
}

TEST(ProcessRun, HasTheDirectoryAndTheEnvironmentOfTheRunAndNothingElse) {
  TempDir dir;
  std::filesystem::create_directory(dir / "below");
  MemoryContext context;
  context.run_directory = std::filesystem::canonical(dir.path());
  context.run_environment = {"PATH=/usr/bin:/bin", "RUN=1"};
  const auto out = [&](Json arguments) {
    arguments["command"] = sh("pwd; echo $RUN-$HOME-$MINE");
    return must(run(add_process_operators, "process.run", arguments, context))["stdout"];
  };
  EXPECT_EQ(out({}), context.run_directory + "\n1--\n");
  EXPECT_EQ(out({{"directory", "below"}, {"environment", {{"MINE", "2"}}}}),
            context.run_directory + "/below\n1--2\n");
  EXPECT_EQ(out({{"environment", {{"RUN", nullptr}}}}), context.run_directory + "\n--\n");
}

TEST(ProcessRun, TellsWhyAProgramCannotBeStarted) {
  EXPECT_EQ(process({{"command", {"no-such-program-at-all"}}}).error().code, Errc::NOT_FOUND);
  EXPECT_EQ(process({{"command", {"/etc/passwd"}}}).error().code, Errc::PERMISSION_DENIED);
  const auto nowhere = process({{"command", {"true"}}, {"directory", "/no/such/dir"}});
  EXPECT_NE(nowhere.error().message.find("cannot enter /no/such/dir"), std::string::npos);
  EXPECT_EQ(process({{"command", Json::array()}}).error().field, "command");
  EXPECT_EQ(process({{"command", {"true"}}, {"ok_exit_codes", {256}}}).error().field,
            "ok_exit_codes");
}

TEST(ProcessRun, AFailureCarriesTheEndOfTheErrorOutput) {
  const auto failed = process({{"command", sh("echo broken >&2; exit 4")}});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "'sh' ended with exit code 4: broken");
  EXPECT_NE(process({{"command", sh("kill -9 $$")}}).error().message.find("signal 9"),
            std::string::npos);
}

TEST(ProcessRun, AFailureShowsTheBeginningAndTheEndOfWhatWasSaid) {
  const auto failed =
      process({{"command", sh("echo first >&2; seq 10000 >&2; echo last >&2; exit 1")}});
  ASSERT_FALSE(failed.ok());
  const std::string& message = failed.error().message;
  EXPECT_TRUE(message.starts_with("'sh' ended with exit code 1:\nfirst\n1\n2\n")) << message;
  EXPECT_TRUE(message.ends_with("\n9999\n10000\nlast")) << message;
  EXPECT_NE(message.find(" bytes left out ...]\n"), std::string::npos);
  EXPECT_LT(message.size(), 5'000u);
}

TEST(ProcessRun, AFailureShowsTheVeryEndOfAnOutputBeyondTheLimit) {
  const auto failed = process(
      {{"command", sh("seq 300000 >&2; echo last >&2; exit 1")}, {"output_limit_bytes", 1000}});
  ASSERT_FALSE(failed.ok());
  EXPECT_TRUE(failed.error().message.ends_with("\n300000\nlast")) << failed.error().message;
}

TEST(ProcessRun, AFailureThatSaysNothingOnStandardErrorShowsWhatItPrinted) {
  const auto failed = process({{"command", sh("echo 1 test failed; exit 1")}});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "'sh' ended with exit code 1; it printed: 1 test failed");
}

TEST(ProcessRun, TellsThatALineForAShellIsNoProgram) {
  const auto failed = process({{"command", {"ls | wc -l"}}});
  ASSERT_FALSE(failed.ok());
  EXPECT_NE(failed.error().message.find("no shell reads it"), std::string::npos);
}

TEST(ProcessRun, HandsOnWhatIsPrintedAsItIs) {
  MemoryContext context;
  must(testing::run(add_process_operators, "process.run",
                    {{"command", sh("printf 'a\\377\\n'; echo b >&2")}}, context));
  EXPECT_EQ(context.printed[runtime::OutputStream::out], "a\xFF\n");
  EXPECT_EQ(context.printed[runtime::OutputStream::err], "b\n");
}

TEST(Excerpt, KeepsShortLinesInTheSentenceAndOthersBelow) {
  EXPECT_EQ(excerpt({""}), "");
  EXPECT_EQ(excerpt({" \n\n"}), "");
  EXPECT_EQ(excerpt({"one\n"}), ": one");
  EXPECT_EQ(excerpt({"one\ntwo\n"}), ":\none\ntwo");
  const std::string longer(kExcerptLineBytes + 1, 'x');
  EXPECT_EQ(excerpt({longer}), ":\n" + longer);
  EXPECT_EQ(excerpt({"\xFF"}), ": \xEF\xBF\xBD");
}

TEST(Excerpt, LeavesOutWholeLinesAndSaysHowMuch) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::string(99, static_cast<char>('a' + i % 26)) + "\n";
  const std::string shown = excerpt({text});
  std::string first, last;
  for (std::size_t i = 0; i < kExcerptHeadBytes / 100; ++i) first += text.substr(i * 100, 100);
  const std::string note = "[... 6000 bytes left out ...]\n";
  EXPECT_TRUE(shown.starts_with(":\n" + first + note)) << shown;
  EXPECT_EQ(shown.size(), 2 + first.size() + note.size() + 2499);
}

// Every byte of the text is either shown or counted as left out.
RC_GTEST_PROP(ExcerptProperty, AccountsForEveryByte, ()) {
  std::string text;
  for (int i = *rc::gen::inRange(1, 300); i > 0; --i)
    text += std::string(static_cast<std::size_t>(*rc::gen::inRange(0, 90)), 'x') + "\n";
  text += "end";
  const std::string shown = excerpt({text});
  const auto from = shown.find("[... ");
  if (from == std::string::npos) return RC_ASSERT(shown.ends_with(text));
  const auto left_out = std::stoul(shown.substr(from + 5));
  const auto note_end = shown.find('\n', from) + 1;
  RC_ASSERT((from - 2) + left_out + (shown.size() - note_end) == text.size());
  RC_ASSERT(text.starts_with(shown.substr(2, from - 2)));
  RC_ASSERT(text.ends_with(shown.substr(note_end)));
}

TEST(ProcessRun, ReportsTimeoutAndCancellationAsErrors) {
  EXPECT_EQ(process({{"command", {"sleep", "300"}}, {"timeout_ms", 50}}).error().code,
            Errc::DEADLINE_EXCEEDED);
  MemoryContext context;
  context.cancel_after_polls(2);
  EXPECT_EQ(
      testing::run(add_process_operators, "process.run", {{"command", {"sleep", "300"}}}, context)
          .error()
          .code,
      Errc::CANCELLED);
}

}  // namespace
}  // namespace symphony::extensions
