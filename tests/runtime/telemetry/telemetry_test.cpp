#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "runtime/telemetry/telemetry_registry.hpp"

namespace symphony::runtime {
namespace {

using namespace std::chrono_literals;
using Layout = HistogramLayout;

const MonoTime kNow{1h};

std::uint64_t any_value() {
  const int bits = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(1, 44));
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::uint64_t>(0, 1ULL << bits));
}

TEST(Histogram, BucketsFollowOneAnotherWithoutGaps) {
  for (std::size_t bucket = 0; bucket < Layout::kBuckets; ++bucket) {
    ASSERT_EQ(Layout::bucket_of(Layout::lower_bound(bucket)), bucket);
    ASSERT_EQ(Layout::bucket_of(Layout::lower_bound(bucket + 1) - 1), bucket);
  }
  EXPECT_EQ(Layout::lower_bound(Layout::kBuckets), Layout::kValueMax + 1);
  EXPECT_EQ(Layout::bucket_of(~0ULL), Layout::kBuckets - 1);
}

RC_GTEST_PROP(Histogram, KnowsAValueToAnEighth, ()) {
  const std::uint64_t value = any_value();
  const std::size_t bucket = Layout::bucket_of(value);
  const std::uint64_t low = Layout::lower_bound(bucket);
  const std::uint64_t high = Layout::lower_bound(bucket + 1);
  RC_ASSERT(low <= value && value < high);
  RC_ASSERT((high - low - 1) * 8 <= low);
}

RC_GTEST_PROP(Histogram, PercentilesAreThoseOfTheSortedValuesToASixteenth, ()) {
  const auto count = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(1, 200));
  std::vector<std::uint64_t> values;
  Histogram histogram;
  for (int i = 0; i < count; ++i) {
    values.push_back(any_value());
    histogram.record(values.back());
  }
  std::sort(values.begin(), values.end());
  const HistogramSnapshot view = histogram.snapshot();
  RC_ASSERT(view.count() == values.size());
  RC_ASSERT(view.max == values.back());
  for (const double q : {0.0, 0.5, 0.9, 0.99, 1.0}) {
    const auto rank = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(q * count)));
    const auto exact = static_cast<double>(values[rank - 1]);
    RC_ASSERT(std::abs(static_cast<double>(view.percentile(q)) - exact) <= exact / 16 + 0.5);
  }
}

TEST(Histogram, IsZeroWhenEmpty) {
  const HistogramSnapshot view = Histogram{}.snapshot();
  EXPECT_EQ(view.count(), 0u);
  EXPECT_EQ(view.percentile(0.99), 0u);
  EXPECT_EQ(view.mean(), 0.0);
}

TEST(Histogram, MergesAndSubtracts) {
  Histogram a, b;
  a.record(100);
  b.record(5000);
  HistogramSnapshot both = a.snapshot();
  both.merge(b.snapshot());
  EXPECT_EQ(both.count(), 2u);
  EXPECT_EQ(both.max, 5000u);
  EXPECT_DOUBLE_EQ(both.mean(), 2550);
  const HistogramSnapshot earlier = a.snapshot();
  a.record(7);
  const HistogramSnapshot recent = a.snapshot().since(earlier);
  EXPECT_EQ(recent.count(), 1u);
  EXPECT_EQ(recent.percentile(1), 7u);
}

TEST(ComponentStats, CountsWhatHappensToMessages) {
  ComponentStats stats("/pit/pool", kNow);
  stats.message_enqueued();
  stats.message_enqueued();
  stats.message_refused();
  stats.message_dequeued();
  stats.handler_began(3, kNow + 1ms);
  ASSERT_TRUE(stats.running().has_value());
  EXPECT_EQ(stats.running()->method, 3u);
  EXPECT_EQ(stats.running()->since, kNow + 1ms);
  stats.handler_ended(kNow + 1ms, kNow + 3ms, 500us, true);
  stats.message_dropped(kNow + 4ms);
  const ComponentSnapshot view = stats.snapshot();
  EXPECT_EQ(view.name, "/pit/pool");
  EXPECT_EQ(view.mailbox_depth, 1);
  EXPECT_EQ(view.refused, 1u);
  EXPECT_EQ(view.processed, 1u);
  EXPECT_EQ(view.failed, 1u);
  EXPECT_EQ(view.dropped, 1u);
  EXPECT_FALSE(view.running.has_value());
  EXPECT_EQ(view.last_progress, kNow + 4ms);
  EXPECT_EQ(view.waiting_ns.max, 500'000u);
  EXPECT_EQ(view.handling_ns.max, 2'000'000u);
}

TEST(ComponentStats, KeepsTheLastErrorsAndCutsLongTexts) {
  ComponentStats stats("/x", kNow);
  for (int i = 0; i < 20; ++i) stats.note_error(i, Errc::UNAVAILABLE, "error " + std::to_string(i));
  stats.note_error(20, Errc::INTERNAL, std::string(499, 'x') + "€€");
  stats.set_state_line("one line\nand another");
  const ComponentSnapshot view = stats.snapshot();
  ASSERT_EQ(view.errors.size(), ComponentStats::kErrorsMax);
  EXPECT_EQ(view.errors.front().text, "error 13");
  EXPECT_EQ(view.errors.back().text, std::string(499, 'x') + "…");
  EXPECT_EQ(view.state_line, "one line");
}

TEST(TelemetryRegistry, ANewIncarnationContinuesTheCountersOfTheOld) {
  TelemetryRegistry registry;
  const auto first = registry.open("/a", kNow).value();
  first->handler_began(1, kNow);
  first->handler_ended(kNow, kNow + 1ms, 1us, false);
  first->note_error(1, Errc::INTERNAL, "threw");
  first->message_enqueued();
  const auto second = registry.open("/a", kNow + 1s).value();
  // The fenced one goes on, unseen.
  first->handler_began(2, kNow + 2s);
  EXPECT_EQ(registry.find("/a"), second);
  const ComponentSnapshot view = second->snapshot();
  EXPECT_EQ(view.processed, 1u);
  EXPECT_EQ(view.handling_ns.count(), 1u);
  EXPECT_EQ(view.restarts, 1u);
  EXPECT_EQ(view.mailbox_depth, 0);
  EXPECT_FALSE(view.running.has_value());
  EXPECT_EQ(view.errors.size(), 1u);
  registry.close(*first);
  EXPECT_NE(registry.find("/a"), nullptr);
  registry.close(*second);
  EXPECT_EQ(registry.find("/a"), nullptr);
}

TEST(TelemetryRegistry, AStuckIncarnationIsSeenAlsoWhenItsNameIsClosed) {
  TelemetryRegistry registry;
  auto stuck = registry.open("/a", kNow).value();
  registry.close(*stuck);
  EXPECT_EQ(registry.find("/a"), nullptr);
  ASSERT_EQ(registry.former().size(), 1u);
  EXPECT_EQ(registry.former()[0], stuck);
  stuck.reset();
  EXPECT_TRUE(registry.former().empty());
}

TEST(TelemetryRegistry, KnowsTheFormerIncarnationsThatStillExist) {
  TelemetryRegistry registry;
  auto stuck = registry.open("/a", kNow, 1).value();
  stuck->handler_began(4, kNow);
  // More of them than are noted at once: those that are gone are forgotten, the stuck one is not.
  for (std::uint32_t i = 2; i < 2000; ++i) ASSERT_TRUE(registry.open("/a", kNow, i).ok());
  const auto former = registry.former();
  ASSERT_EQ(former.size(), 1u);
  EXPECT_EQ(former[0]->incarnation(), 1u);
  EXPECT_EQ(former[0]->running()->method, 4u);
  stuck.reset();
  EXPECT_EQ(registry.find("/a")->incarnation(), 1999u);
}

TEST(TelemetryRegistry, ShowsAContinuationAsRunningButDoesNotCountIt) {
  TelemetryRegistry registry;
  const auto stats = registry.open("/a", kNow).value();
  stats->work_began(kNow + 1s);
  ASSERT_TRUE(stats->running().has_value());
  EXPECT_EQ(stats->running()->method, ComponentStats::kNoMethod);
  stats->work_ended(kNow + 2s);
  EXPECT_FALSE(stats->running().has_value());
  EXPECT_EQ(stats->processed(), 0u);
  EXPECT_EQ(stats->last_progress(), kNow + 2s);
}

TEST(TelemetryRegistry, ListsComponentsByName) {
  TelemetryRegistry registry;
  for (const char* name : {"/b", "/a", "/c"}) ASSERT_TRUE(registry.open(name, kNow).ok());
  const auto views = registry.snapshot();
  ASSERT_EQ(views.size(), 3u);
  EXPECT_EQ(views[0].name, "/a");
  EXPECT_EQ(views[2].name, "/c");
}

TEST(TelemetryRegistry, IsReadWhileOneWritesAndManySend) {
  TelemetryRegistry registry;
  const auto stats = registry.open("/busy", kNow).value();
  constexpr int kMessages = 20'000;
  std::jthread owner([&] {
    for (int i = 0; i < kMessages; ++i) {
      const MonoTime began = kNow + std::chrono::nanoseconds(i * 100);
      stats->handler_began(static_cast<std::uint32_t>(i), began);
      stats->handler_ended(began, began + 50ns, 10ns, i % 10 == 0);
      if (i % 1000 == 0) stats->note_error(i, Errc::INTERNAL, "thousand");
    }
  });
  std::vector<std::jthread> senders;
  for (int t = 0; t < 2; ++t)
    senders.emplace_back([&] {
      for (int i = 0; i < kMessages; ++i) {
        stats->message_enqueued();
        stats->message_refused();
      }
    });
  std::uint64_t last = 0;
  while (last < kMessages) {
    const ComponentSnapshot view = registry.snapshot().front();
    ASSERT_GE(view.processed, last);
    last = view.processed;
    if (view.running) {
      const auto at = (view.running->since - kNow) / 100ns;
      ASSERT_EQ(static_cast<std::uint32_t>(at), view.running->method);
    }
  }
  owner.join();
  senders.clear();
  const ComponentSnapshot view = stats->snapshot();
  EXPECT_EQ(view.handling_ns.count(), static_cast<std::uint64_t>(kMessages));
  EXPECT_EQ(view.failed, static_cast<std::uint64_t>(kMessages / 10));
  EXPECT_EQ(view.mailbox_depth, 2 * kMessages);
  EXPECT_EQ(view.refused, 2u * kMessages);
}

}  // namespace
}  // namespace symphony::runtime
