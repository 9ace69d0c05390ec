#include "actors/orchestration/engine/journalled_events.hpp"

#include <gtest/gtest.h>

namespace symphony::actors {
namespace {

TEST(JournalledEvents, ShowsWhatNeedsNoJournalAtOnce) {
  JournalledEvents events;
  events.no_more(3);
  EXPECT_FALSE(events.behind());
  EXPECT_EQ(events.shown(), 3u);
}

TEST(JournalledEvents, ShowsABatchOnceItIsDurable) {
  JournalledEvents events;
  events.told(5);
  ASSERT_TRUE(events.behind());
  EXPECT_EQ(events.shown(), 1u);
  events.ask();
  EXPECT_EQ(events.shown(), 1u);
  events.answer(true);
  EXPECT_FALSE(events.behind());
  EXPECT_EQ(events.shown(), 5u);
}

TEST(JournalledEvents, DoesNotShowWhatWasToldAfterTheQuestion) {
  JournalledEvents events;
  events.told(5);
  ASSERT_TRUE(events.behind());
  events.ask();
  events.told(9);
  events.no_more(10);
  events.answer(true);
  EXPECT_EQ(events.shown(), 5u);
  ASSERT_TRUE(events.behind());
  events.ask();
  events.answer(true);
  EXPECT_EQ(events.shown(), 10u);
}

TEST(JournalledEvents, ShowsNothingMoreWhenTheAnswerIsNo) {
  JournalledEvents events;
  events.told(5);
  ASSERT_TRUE(events.behind());
  events.ask();
  events.answer(false);
  EXPECT_FALSE(events.asking());
  EXPECT_TRUE(events.behind());
  EXPECT_EQ(events.shown(), 1u);
}

TEST(JournalledEvents, ShowsEverythingAtTheEnd) {
  JournalledEvents events;
  events.told(5);
  events.all(12);
  EXPECT_FALSE(events.behind());
  EXPECT_EQ(events.shown(), 12u);
}

}  // namespace
}  // namespace symphony::actors
