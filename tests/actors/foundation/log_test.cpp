#include "actors/foundation/log.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "runtime/testing/test_node.hpp"

namespace symphony::actors {
namespace {

using namespace runtime;
using namespace std::chrono_literals;
using LogRef = WaitingRef<protocol::LogView>;
using Answer = Result<Msg<messages::NextLogResponse>>;
using Texts = std::vector<std::string>;

Texts texts(const Answer& answer) {
  Texts texts;
  for (const auto record : (*answer)->getRecords()) texts.push_back(record.getMessage().cStr());
  return texts;
}

class LogViewTest : public testing::Test {
 protected:
  LogViewTest() : log_(node_.services().log.logger("/test/a")) {
    node_.spawn("/foundation/log", [](Host& host) { return std::make_unique<LogView>(host); });
    ref_.emplace(node_.asker());
    log_.info("the first record, so that no cursor of a test is 0");
    start_ = node_.services().log.latest();
  }

  auto next(std::uint64_t cursor, unsigned tail = 0, unsigned max = 0,
            const std::string& component = "",
            messages::LogLevel level = messages::LogLevel::TRACE) {
    return ref_->next([&](auto request) {
      request.setCursor(cursor);
      request.setTail(tail);
      request.setMax(max);
      request.setComponent(component);
      request.setLevel(level);
    });
  }
  void say(int from, int to) {
    for (int i = from; i < to; ++i) log_.info(std::to_string(i));
  }

  TestNode node_;
  Logger log_;
  std::optional<LogRef> ref_;
  std::uint64_t start_ = 0;  // the cursor at which the test begins
};

TEST_F(LogViewTest, ReadsRecordsInPagesFromTheCursorOn) {
  say(0, 5);
  const auto first = next(start_, 0, 3).get();
  EXPECT_EQ(texts(first), (Texts{"0", "1", "2"}));
  const auto second = next((*first)->getNext(), 0, 3).get();
  EXPECT_EQ(texts(second), (Texts{"3", "4"}));
  EXPECT_EQ((*second)->getMissed(), 0u);
}

TEST_F(LogViewTest, ARecordKeepsItsTraceItsFieldsAndItsTime) {
  log_.with_trace(Uuid::from_halves(7, 8), 9).warn("careful", {{"count", 3}, {"on", true}});
  const auto answer = next(start_).get();
  const auto record = (*answer)->getRecords()[0];
  EXPECT_EQ(record.getTimeNs(), node_.clocks().wall_ns());
  EXPECT_EQ(record.getLevel(), messages::LogLevel::WARN);
  EXPECT_STREQ(record.getComponent().cStr(), "/test/a");
  EXPECT_EQ(record.getTraceHigh(), 7u);
  EXPECT_EQ(record.getTraceLow(), 8u);
  EXPECT_EQ(record.getSpan(), 9u);
  ASSERT_EQ(record.getFields().size(), 2u);
  EXPECT_STREQ(record.getFields()[0].getKey().cStr(), "count");
  EXPECT_STREQ(record.getFields()[0].getValue().cStr(), "3");
  EXPECT_STREQ(record.getFields()[1].getValue().cStr(), "true");
}

TEST_F(LogViewTest, ATailIsOfTheRecordsThatPassTheFilter) {
  const auto other = node_.services().log.logger("/test/b");
  for (int i = 0; i < 10; ++i) {
    log_.info("a" + std::to_string(i));
    other.info("b" + std::to_string(i));
  }
  EXPECT_EQ(texts(next(0, 2, 0, "/test/a").get()), (Texts{"a8", "a9"}));
  EXPECT_EQ(texts(next(0, 100, 0, "/test/b").get()).size(), 10u);
}

TEST_F(LogViewTest, FiltersByComponentAndLevel) {
  log_.info("quiet");
  log_.error("loud");
  node_.services().log.logger("/test/b").error("elsewhere");
  const auto answer = next(start_, 0, 0, "/test/a", messages::LogLevel::WARN).get();
  EXPECT_EQ(texts(answer), Texts{"loud"});
}

TEST_F(LogViewTest, WaitsUntilSomethingIsSaid) {
  std::optional<Answer> answer;
  next(start_).within(10s).then([&](Answer given) { answer = std::move(given); });
  node_.advance(3s);
  EXPECT_FALSE(answer.has_value());
  log_.info("at last");
  node_.advance(LogView::kPollInterval + 20ms);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(texts(*answer), Texts{"at last"});
}

TEST_F(LogViewTest, ARecordThatDoesNotPassTheFilterWakesNobody) {
  std::optional<Answer> answer;
  next(start_, 0, 0, "/test/b").within(10s).then([&](Answer given) { answer = std::move(given); });
  log_.info("for others");
  node_.advance(1s);
  EXPECT_FALSE(answer.has_value());
  node_.services().log.logger("/test/b").info("for you");
  node_.advance(1s);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(texts(*answer), Texts{"for you"});
}

TEST_F(LogViewTest, AnswersWithNothingShortlyBeforeTheDeadline) {
  for (const auto timeout : {40ms, 150ms, 1000ms, 7000ms}) {
    const auto before = node_.clocks().mono();
    const auto answer = next(start_).within(timeout).get();
    ASSERT_TRUE(answer.ok()) << timeout.count() << ": " << to_string(answer.error());
    EXPECT_EQ((*answer)->getRecords().size(), 0u);
    EXPECT_EQ((*answer)->getNext(), start_);
    const auto waited = node_.clocks().mono() - before;
    EXPECT_GE(waited, std::max<Nanos>(timeout / 2, timeout - LogView::kMargin));
    EXPECT_LT(waited, timeout);
  }
}

TEST_F(LogViewTest, NobodyIsPolledForWhenNobodyWaits) {
  ASSERT_TRUE(next(start_).within(1s).get().ok());
  node_.settle();
  const auto before = node_.telemetry().find("/foundation/log")->last_progress();
  node_.advance(10s);
  EXPECT_EQ(node_.telemetry().find("/foundation/log")->last_progress(), before);
}

TEST_F(LogViewTest, TooManyWaitingReadersAreRefusedUntilOneCancels) {
  const auto first = next(start_).within(60s).then([](Answer) {});
  for (std::size_t i = 1; i < LogView::kWaitersMax; ++i)
    next(start_).within(60s).then([](Answer) {});
  const auto refused = next(start_).get();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::OVERLOADED);
  ref_->cancel(first);
  node_.settle();
  EXPECT_TRUE(next(start_).get().ok());
}

TEST_F(LogViewTest, TellsHowManyRecordsWereOverwritten) {
  say(0, 10'000 + 25);  // the ring holds 10,000
  const auto answer = next(start_).get();
  EXPECT_EQ((*answer)->getMissed(), 25u);
  EXPECT_EQ(texts(answer).front(), "25");
  EXPECT_EQ((*next(0).get())->getMissed(), 0u);
}

TEST_F(LogViewTest, AnAnswerIsBoundedInCountAndInBytes) {
  say(0, 3000);
  EXPECT_EQ((*next(start_, 0, 100'000).get())->getRecords().size(), LogView::kRecordsMax);
  std::uint64_t at = node_.services().log.latest();
  for (int i = 0; i < 600; ++i) log_.info(std::string(Log::kMessageMaxBytes, 'x'));
  for (std::size_t total = 0; total < 600;) {
    const auto answer = next(at).get();
    ASSERT_TRUE(answer.ok());
    const auto count = (*answer)->getRecords().size();
    ASSERT_GT(count, 0u);
    EXPECT_LE(count * Log::kMessageMaxBytes, LogView::kAnswerMaxBytes);
    total += count;
    at = (*answer)->getNext();
  }
  EXPECT_EQ(at, node_.services().log.latest());
}

TEST_F(LogViewTest, WaitingReadersAreAnsweredWhenItDrains) {
  std::optional<Answer> answer;
  next(start_).within(60s).then([&](Answer given) { answer = std::move(given); });
  node_.settle();
  ASSERT_TRUE(node_.stop("/foundation/log").ok());
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->ok());
}

TEST_F(LogViewTest, SetsTheLevelOfAComponentAndOfThoseBelow) {
  const auto set = [&](const std::string& component, messages::LogLevel level) {
    return ref_
        ->set_level([&](auto request) {
          request.setComponent(component);
          request.setLevel(level);
        })
        .get();
  };
  ASSERT_TRUE(set("/foundation", messages::LogLevel::ERROR).ok());
  EXPECT_EQ(node_.services().log.level_of("/foundation/log"), LogLevel::kError);
  EXPECT_EQ(node_.services().log.level_of("/test/a"), LogLevel::kInfo);
  ASSERT_TRUE(set("", messages::LogLevel::DEBUG).ok());
  EXPECT_EQ(node_.services().log.level_of("/test/a"), LogLevel::kDebug);
  const auto refused = set("/foundatoin", messages::LogLevel::DEBUG);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::NOT_FOUND);
  EXPECT_EQ(refused.error().field, "component");
}

TEST_F(LogViewTest, RefusesToReadAtTheLevelAtWhichNothingIsLogged) {
  const auto answer = next(start_, 0, 0, "", messages::LogLevel::OFF).get();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace symphony::actors
