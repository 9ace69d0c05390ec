#include "runtime/log/log.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <semaphore>

#include "messages/utf8.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> messages_of(const LogPage& page) {
  std::vector<std::string> all;
  for (const auto& record : page.records) all.push_back(record->message);
  return all;
}
using Texts = std::vector<std::string>;

struct LogTest : testing::Test {
  ManualClocks clocks;
  Log log{clocks, {.node = "alpha", .ring_records_max = 5}};
};

TEST_F(LogTest, KeepsWhoSaidWhatWhenAndForWhichTrace) {
  const Uuid trace = Uuid::from_halves(1, 2);
  const Logger logger = log.logger("/boot").for_component("/pit/pool").with_trace(trace, 255);
  logger.info("leased", {{"model", "m"}, {"count", 3}, {"share", 0.5}, {"hit", true}});
  const LogPage page = log.read_after(0, 10);
  ASSERT_EQ(page.records.size(), 1u);
  const auto json = nlohmann::json::parse(format_json(*page.records[0]));
  EXPECT_EQ(json, nlohmann::json::parse(R"({
    "time": "2026-01-01T00:00:00.000000Z", "seq": 1, "level": "info", "node": "alpha",
    "component": "/pit/pool", "trace": "00000000-0000-0001-0000-000000000002",
    "span": "00000000000000ff", "message": "leased",
    "fields": {"model": "m", "count": 3, "share": 0.5, "hit": true}})"));
  EXPECT_EQ(format_text(*page.records[0], false),
            "00:00:00.000 info  /pit/pool  leased  model=m count=3 share=0.5 hit=true "
            "trace=00000000-0000-0001-0000-000000000002");
}

TEST_F(LogTest, ADefaultMadeLoggerIsSilent) {
  const Logger silent;
  silent.for_component("/x").error("nobody hears this");
  EXPECT_FALSE(silent.enabled(LogLevel::kError));
  EXPECT_EQ(log.latest(), 0u);
}

TEST_F(LogTest, LevelsGoByTheLongestPrefixAndChangeAtRunTime) {
  const Logger pool = log.logger("/pit/pool");
  const Logger pitch = log.logger("/pitch");
  EXPECT_FALSE(pool.enabled(LogLevel::kDebug));
  log.set_level("/pit", LogLevel::kDebug);
  EXPECT_TRUE(pool.enabled(LogLevel::kDebug));
  EXPECT_FALSE(pitch.enabled(LogLevel::kDebug));
  log.set_level("/pit/pool", LogLevel::kError);
  EXPECT_FALSE(pool.enabled(LogLevel::kWarn));
  EXPECT_TRUE(log.logger("/pit/other").enabled(LogLevel::kDebug));
  log.set_level("/", LogLevel::kOff);
  EXPECT_FALSE(pitch.enabled(LogLevel::kError));
  EXPECT_EQ(log.level_of("/pit/pool/x"), LogLevel::kError);
}

TEST_F(LogTest, AReaderThatFallsBehindIsToldWhatItMissed) {
  const Logger logger = log.logger("/x");
  for (int i = 1; i <= 3; ++i) logger.info(std::to_string(i));
  LogPage page = log.read_after(0, 2);
  EXPECT_EQ(messages_of(page), (Texts{"1", "2"}));
  EXPECT_EQ(page.missed, 0u);
  for (int i = 4; i <= 9; ++i) logger.info(std::to_string(i));
  page = log.read_after(page.cursor, 100);
  EXPECT_EQ(messages_of(page), (Texts{"5", "6", "7", "8", "9"}));
  EXPECT_EQ(page.missed, 2u);
  page = log.read_after(page.cursor, 100);
  EXPECT_TRUE(page.records.empty());
  EXPECT_EQ(page.cursor, log.latest());
  EXPECT_EQ(log.read_after(1'000'000, 1).cursor, log.latest());
}

TEST_F(LogTest, FiltersByLevelComponentAndTrace) {
  const Uuid trace = Uuid::from_halves(7, 7);
  log.logger("/a").info("a info");
  log.logger("/a/b").error("b error");
  log.logger("/ab").error("ab error");
  log.logger("/a").with_trace(trace, 1).info("traced");
  EXPECT_EQ(messages_of(log.read_after(0, 9, {.level = LogLevel::kError})),
            (Texts{"b error", "ab error"}));
  EXPECT_EQ(messages_of(log.read_after(0, 9, {.component = "/a"})),
            (Texts{"a info", "b error", "traced"}));
  const LogPage traced = log.read_after(0, 9, {.trace = trace});
  EXPECT_EQ(messages_of(traced), (Texts{"traced"}));
  EXPECT_EQ(traced.cursor, 4u);
}

TEST_F(LogTest, CutsWhatIsTooLong) {
  log.logger("/x").info(std::string(100'000, 'x'), {{"key", std::string(100'000, 'y')}});
  const LogPage page = log.read_after(0, 1);
  EXPECT_LE(page.records[0]->message.size(), Log::kMessageMaxBytes + 4);
  EXPECT_LE(std::get<std::string>(page.records[0]->fields[0].second).size(),
            Log::kFieldMaxBytes + 4);
}

RC_GTEST_PROP(LogRecord, AnyBytesBecomeOneLineOfValidJsonAndText,
              (const std::string& message, const std::string& key, const std::string& value)) {
  ManualClocks clocks;
  Log log(clocks, {.node = "n"});
  log.logger("/x").warn(message, {{key, value}});
  const LogPage page = log.read_after(0, 1);
  const LogRecord& record = *page.records[0];
  const auto json = nlohmann::json::parse(format_json(record));
  RC_ASSERT(json["message"] == record.message);
  RC_ASSERT(json["fields"].begin().value() == std::get<std::string>(record.fields[0].second));
  if (is_utf8(message)) RC_ASSERT(record.message == message);
  for (const bool colours : {false, true}) {
    const std::string line = format_text(record, colours);
    RC_ASSERT(is_utf8(line));
    RC_ASSERT(line.find('\n') == std::string::npos);
    if (!colours) RC_ASSERT(line.find('\x1b') == std::string::npos);
  }
}

TEST(LogRecord, ShowsInvalidUtf8AsHex) {
  EXPECT_EQ(valid_text("a\xff\xc3z", 100), "a\\xff\\xc3z");
  EXPECT_EQ(valid_text("ok ü", 100), "ok ü");
}

TEST(LogLevel, HasNames) {
  for (const char* name : {"trace", "debug", "info", "warn", "error", "off"})
    EXPECT_EQ(to_string(parse_log_level(name).value()), name);
  EXPECT_EQ(parse_log_level("loud"), std::nullopt);
}

TEST(LogOutput, ATerminalGetsTextAndColoursUnlessTold) {
  EXPECT_EQ(console_format(false, nullptr, "xterm"), LogFormat::kJson);
  EXPECT_EQ(console_format(true, nullptr, "xterm"), LogFormat::kColouredText);
  EXPECT_EQ(console_format(true, "", "xterm"), LogFormat::kColouredText);
  EXPECT_EQ(console_format(true, "1", "xterm"), LogFormat::kText);
  EXPECT_EQ(console_format(true, nullptr, "dumb"), LogFormat::kText);
}

struct Lines {
  std::mutex mutex;
  Texts all;
};
class LinesSink final : public LogSink {
 public:
  explicit LinesSink(Lines& lines) : lines_(lines) {}
  void write(std::string_view line) override {
    std::lock_guard lock(lines_.mutex);
    lines_.all.emplace_back(line);
  }
  void flush() override {}

 private:
  Lines& lines_;
};

TEST(LogWriter, WritesAllFromManyThreadsBeforeItEnds) {
  const SystemClocks clocks;
  Lines lines;
  {
    std::vector<LogOutput> outputs;
    outputs.push_back({std::make_unique<LinesSink>(lines), LogFormat::kText});
    Log log(clocks, {.node = "n", .ring_records_max = 100'000}, std::move(outputs));
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&log] {
        const Logger logger = log.logger("/x");
        for (int i = 0; i < 500; ++i) logger.info("line", {{"i", i}});
      });
    threads.clear();
    EXPECT_TRUE(log.flush(30s));
    EXPECT_EQ(log.unwritten(), 0u);
    log.logger("/x").info("last");
  }
  ASSERT_EQ(lines.all.size(), 2001u);
  EXPECT_NE(lines.all.back().find("last"), std::string::npos);
}

// Holds the writer until released.
class HeldSink final : public LogSink {
 public:
  HeldSink(std::binary_semaphore& entered, std::binary_semaphore& release, Texts& lines)
      : entered_(entered), release_(release), lines_(lines) {}
  void write(std::string_view line) override {
    if (lines_.empty()) {
      entered_.release();
      release_.acquire();
    }
    lines_.emplace_back(line);
  }
  void flush() override {}

 private:
  std::binary_semaphore& entered_;
  std::binary_semaphore& release_;
  Texts& lines_;
};

TEST(LogWriter, ASlowOutputLosesTheOldestAndSaysSo) {
  ManualClocks clocks;
  std::binary_semaphore entered(0), release(0);
  Texts lines;
  std::vector<LogOutput> outputs;
  outputs.push_back({std::make_unique<HeldSink>(entered, release, lines), LogFormat::kText});
  Log log(clocks, {.node = "n", .ring_records_max = 3}, std::move(outputs));
  const Logger logger = log.logger("/x");
  logger.info("0");
  entered.acquire();
  for (int i = 1; i <= 10; ++i) logger.info(std::to_string(i));  // never waits
  EXPECT_FALSE(log.flush(1ms));
  release.release();
  ASSERT_TRUE(log.flush(30s));
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_NE(lines[1].find("missed=7"), std::string::npos);
  EXPECT_NE(lines[2].find("8"), std::string::npos);
  EXPECT_EQ(log.unwritten(), 7u);
}

TEST(LogFile, RotatesAndKeepsItsLimit) {
  std::string pattern = (std::filesystem::temp_directory_path() / "symphony-log-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const std::filesystem::path dir = pattern;
  {
    auto output = file_output((dir / "node.log").string(), 2000, 2);
    ASSERT_TRUE(output.ok());
    std::vector<LogOutput> outputs;
    outputs.push_back(std::move(*output));
    const SystemClocks clocks;
    Log log(clocks, {.node = "n"}, std::move(outputs));
    for (int i = 0; i < 100; ++i) log.logger("/x").info("a line in a file", {{"i", i}});
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    ++files;
    EXPECT_LE(entry.file_size(), 2000u);
    std::ifstream lines(entry.path());
    for (std::string line; std::getline(lines, line);)
      EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  }
  EXPECT_EQ(files, 3u);
  std::filesystem::remove_all(dir);
}

TEST(LogFile, IsNotPutIntoADirectoryThatDoesNotExist) {
  const auto output = file_output("/tmp/symphony-none/logs/node.log", 1000, 1);
  ASSERT_FALSE(output.ok());
  EXPECT_EQ(output.error().code, Errc::NOT_FOUND);
  EXPECT_EQ(output.error().message,
            "there is no directory /tmp/symphony-none/logs for the log file: create it, or name "
            "another file");
  EXPECT_FALSE(std::filesystem::exists("/tmp/symphony-none"));
}

TEST(LogFile, SaysWhichFileCannotBeOpened) {
  const auto output = file_output("/proc/node.log", 1000, 1);
  ASSERT_FALSE(output.ok());
  EXPECT_NE(output.error().message.find("/proc/node.log"), std::string::npos);
  EXPECT_FALSE(file_output("/tmp/x.log", 0, 1).ok());
}

}  // namespace
}  // namespace symphony::runtime
