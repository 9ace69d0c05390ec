// Runs that are erased: nobody hears of them any more, and nothing of them stays on disk.
#include <gtest/gtest.h>

#include "actors/pit/dag/dag_records.hpp"
#include "tests/actors/pit/dag/dag_bench.hpp"

namespace symphony::actors {
namespace {

using test::Bench;
using test::kDiamond;
using test::kExpanded;
using test::Nodes;
using test::ready;

Status erase(Bench& bench, const std::string& run) {
  const auto erased = bench.dag->erase([&](auto request) { request.setRun(run); }).get();
  return erased ? Status{} : Status{erased.error()};
}

// How many entries of the run are on disk, of whatever kind.
std::size_t entries_of(Bench& bench, std::string_view run) {
  auto txn = bench.storage->begin_write().value();
  std::size_t found = 0;
  for (const auto name : {kRunsDatabase, kPlansDatabase, kStartsDatabase, kUnfinishedDatabase,
                          kErasedDatabase, kJournalDatabase, kResultsDatabase}) {
    auto at = txn.cursor(txn.open_database(name).value()).value();
    for (bool more = at.first(); more; more = at.next())
      found += at.key().find(run) != std::string_view::npos;
  }
  return found;
}

void finish_diamond(Bench& bench, const std::string& run) {
  ASSERT_TRUE(bench.create(run, kDiamond).ok());
  ASSERT_TRUE(
      bench.complete(run, {{0, {}, "\"a\""}, {1, {}, "1"}, {2, {}, "2"}, {3, {}, "3"}}).ok());
  ASSERT_TRUE(bench.sync(run).ok());
}

TEST(DagErase, NobodyHearsOfTheRunAnyMoreAndOthersStay) {
  Bench bench;
  finish_diamond(bench, "r1");
  finish_diamond(bench, "r2");
  ASSERT_TRUE(bench.show("r1").ok()) << "so that it is in memory too";
  ASSERT_TRUE(erase(bench, "r1"));
  EXPECT_EQ(bench.show("r1").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(bench.open("r1").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(bench.results("r1").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(erase(bench, "r1").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(entries_of(bench, "r1"), 0u);
  EXPECT_EQ(bench.list(), (std::vector<std::string>{"r2"}));
  EXPECT_STREQ((*bench.results("r2"))->getNodes()[3].getResultJson().cStr(), "3");
  ASSERT_TRUE(bench.create("r1", kDiamond).ok()) << "the name is free";
  EXPECT_EQ((*bench.show("r1"))->getRow().getProgress().getDone(), 0u);
}

TEST(DagErase, ARunThatIsUnderWayStays) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", kDiamond).ok());
  const auto refused = erase(bench, "r1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::FAILED_PRECONDITION);
  EXPECT_EQ(refused.error().message, "run r1 is under way; cancel it first");
  EXPECT_EQ(ready(bench.complete("r1", {{0}})), (Nodes{1, 2}));
}

TEST(DagErase, ARunThatWasCutShortCanGo) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", kDiamond).ok());
  bench.restart();
  ASSERT_TRUE(erase(bench, "r1"));
  EXPECT_EQ(entries_of(bench, "r1"), 0u);
}

TEST(DagErase, ARunOfAnySizeGoesInSmallTransactions) {
  Bench bench;
  constexpr auto kChildren = static_cast<std::uint32_t>(2 * DagStore::kErasedAtOnce + 10);
  ASSERT_TRUE(bench.create("r1", {{.name = "many", .mapped = true}}).ok());
  ASSERT_TRUE(bench.complete("r1", {{0, kExpanded, {}, kChildren}}).ok());
  std::vector<test::Told> told;
  for (std::uint32_t i = 1; i <= kChildren; ++i) told.push_back({i, {}, "1"});
  ASSERT_TRUE(bench.complete("r1", told).ok());
  ASSERT_TRUE(bench.sync("r1").ok());
  ASSERT_GT(entries_of(bench, "r1"), std::size_t{kChildren});
  ASSERT_TRUE(erase(bench, "r1"));
  EXPECT_EQ(entries_of(bench, "r1"), 0u);
}

// As when the node dies after the first transaction.
TEST(DagErase, WhatADeadNodeLeftOfAnErasedRunGoesWhenItStartsAgain) {
  Bench bench;
  finish_diamond(bench, "r1");
  {
    const auto store = DagStore::open(*bench.storage).value();
    auto txn = bench.storage->begin_write().value();
    ASSERT_TRUE(store.begin_erase(txn, "r1"));
    ASSERT_TRUE(txn.commit());
    ASSERT_EQ(store.half_erased().value(), (std::vector<std::string>{"r1"}));
  }
  EXPECT_EQ(bench.create("r1", kDiamond).error().code, Errc::ALREADY_EXISTS)
      << "what is left of it must not become another's";
  bench.restart();
  bench.node->settle();
  EXPECT_EQ(entries_of(bench, "r1"), 0u);
  EXPECT_TRUE(bench.create("r1", kDiamond).ok());
}

}  // namespace
}  // namespace symphony::actors
