// What nodes gave, on disk: pages of it, and what older and newer programs wrote.
#include <gtest/gtest.h>

#include "actors/pit/dag/dag_records.hpp"
#include "runtime/storage/bytes.hpp"
#include "tests/actors/pit/dag/dag_bench.hpp"

namespace symphony::actors {
namespace {

using test::Bench;
using test::kDiamond;
using test::kExpanded;
using test::kFailed;
using test::Nodes;
using test::ready;

// Changes the storage below the component.
template <class Change>
void change(Bench& bench, Change change) {
  auto txn = bench.storage->begin_write().value();
  auto store = [&](std::string_view name) { return txn.open_database(name).value(); };
  change(txn, store);
  ASSERT_TRUE(txn.commit().ok());
}

std::string value_of(runtime::WriteTxn& txn, runtime::Database database, std::string_view key) {
  const auto value = txn.get(database, key).value();
  return value ? std::string(*value) : std::string();
}

void damage_result(Bench& bench, const std::string& run, NodeId node) {
  change(bench, [&](runtime::WriteTxn& txn, auto store) {
    const auto results = store(kResultsDatabase);
    std::string value = value_of(txn, results, result_key(run, node));
    ASSERT_FALSE(value.empty());
    value.back() = static_cast<char>(value.back() ^ 1);
    ASSERT_TRUE(txn.put(results, result_key(run, node), value).ok());
  });
}

TEST(DagResults, APageReadsNothingOfTheResultsItDoesNotShow) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", kDiamond).ok());
  ASSERT_TRUE(bench.complete("r1", {{0, {}, "\"a\""}, {1, {}, "\"b\""}, {2, {}, "\"c\""}}).ok());
  ASSERT_TRUE(bench.sync("r1").ok());
  damage_result(bench, "r1", 2);
  const auto page = bench.results("r1", 0, 2);
  ASSERT_TRUE(page.ok()) << to_string(page.error());
  EXPECT_STREQ((*page)->getNodes()[1].getResultJson().cStr(), "\"b\"");
  EXPECT_EQ(bench.results("r1", 2, 1).error().code, Errc::DATA_CORRUPT);
  const auto brief = bench.results("r1", 0, 0, true);
  ASSERT_TRUE(brief.ok()) << "a brief page needs no result at all";
  EXPECT_EQ((*brief)->getNodes().size(), 4u);
  EXPECT_EQ((*brief)->getNodes()[1].getResultJson().size(), 0u);
  EXPECT_EQ((*brief)->getNodes()[2].getStatus(), messages::NodeStatus::DONE);
  bench.restart();
  EXPECT_EQ(ready(bench.open("r1")), (Nodes{3})) << "nor does taking the run up";
}

TEST(DagResults, ALaterPageReadsOfTheJournalOnlyWhatWasWrittenSince) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", kDiamond).ok());
  ASSERT_TRUE(bench.complete("r1", {{0, {}, "1", 0, 5}}).ok());
  ASSERT_TRUE(bench.results("r1").ok());
  change(bench, [&](runtime::WriteTxn& txn, auto store) {
    for (const std::uint64_t sequence : {0u, 1u})
      ASSERT_TRUE(*txn.erase(store(kJournalDatabase), journal_key("r1", sequence)));
  });
  ASSERT_TRUE(bench.complete("r1", {{2, {}, "3", 0, 7}}).ok());
  const auto page = bench.results("r1");
  ASSERT_TRUE(page.ok()) << to_string(page.error());
  EXPECT_EQ((*page)->getNodes()[2].getStatus(), messages::NodeStatus::DONE);
  EXPECT_TRUE((*page)->getNodes()[2].getCritical());
}

TEST(DagResults, GivesOnlyWhatFailedWhenAskedTo) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", {{"a"}, {"b"}, {"c"}, {"d"}}).ok());
  ASSERT_TRUE(bench.complete("r1", {{0}, {1, kFailed}, {2}, {3, kFailed}}).ok());
  const auto failed = bench.results("r1", 0, 0, true, true);
  ASSERT_EQ((*failed)->getNodes().size(), 2u);
  EXPECT_EQ((*failed)->getNodes()[1].getNode(), 3u);
  EXPECT_STREQ((*failed)->getNodes()[1].getError().getMessage().cStr(), "out of paper");
  EXPECT_EQ((*failed)->getTotal(), 4u);
}

// ---- the first format ---------------------------------------------------------------------------

void append_old_text(std::string& out, std::string_view text) {
  runtime::append_be32(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

// A journal record of version 1, which had no durations.
std::string old_record(RecordKind kind, std::string_view body) {
  std::string out{'\1', static_cast<char>(kind), '\2'};
  out.append(body);
  const std::uint32_t crc = crc32c(out);
  for (int byte = 0; byte < 4; ++byte) out.push_back(static_cast<char>(crc >> (8 * byte)));
  return out;
}

std::string old_value(const std::string& entries) {
  std::string out(1, '\1');
  runtime::append_be32(out, crc32c(entries));
  return out + entries;
}

std::string old_input(RecordKind kind, std::string_view body) {
  std::string out(1, '\1');
  append_old_text(out, old_record(kind, body));
  return out;
}

std::string old_result(NodeId node, std::string_view json, std::uint64_t duration_us) {
  std::string out(1, '\2');
  runtime::append_be32(out, node);
  out.push_back('\x09');  // JSON and times
  append_old_text(out, json);
  runtime::append_be64(out, 1);
  runtime::append_be64(out, duration_us);
  return out;
}

// Makes of a run with two nodes in a row, just created, what the first program would have left
// after the first of them.
void make_old(Bench& bench, const std::string& run) {
  change(bench, [&](runtime::WriteTxn& txn, auto store) {
    const auto runs = store(kRunsDatabase);
    auto summary = decode_summary(value_of(txn, runs, run)).value();
    summary.next_sequence = 2;
    std::string old = encode_summary(summary);
    old[0] = 2;
    old.resize(old.size() - 4);
    ASSERT_TRUE(txn.put(runs, run, old).ok());
    const auto journal = store(kJournalDatabase);
    const auto started = old_input(RecordKind::started, "\2");
    ASSERT_TRUE(txn.put(journal, journal_key(run, 0), old_value(started)).ok());
    using namespace std::string_view_literals;
    const auto completed = old_input(RecordKind::completed, "\1\0\0"sv);  // node 0 succeeded
    const auto entries = completed + old_result(0, "[1,2]", 30);
    ASSERT_TRUE(txn.put(journal, journal_key(run, 1), old_value(entries)).ok());
    ASSERT_TRUE(*txn.erase(store(kUnfinishedDatabase), start_key(summary.started_ns, run)));
    ASSERT_TRUE(*txn.erase(store(kFormatDatabase), "format"));
  });
}

TEST(DagResults, RunsOfTheFirstFormatAreListedShownAndTakenUp) {
  for (const bool open_first : {false, true}) {
    Bench bench;
    ASSERT_TRUE(bench.create("r1", {{"a"}, {"b", {0}}}).ok());
    make_old(bench, "r1");
    bench.restart();
    EXPECT_EQ(bench.list(true), std::vector<std::string>{"r1"});
    if (open_first) {
      EXPECT_EQ(ready(bench.open("r1")), (Nodes{1}));
    }
    const auto page = bench.results("r1");
    ASSERT_TRUE(page.ok()) << to_string(page.error());
    EXPECT_STREQ((*page)->getNodes()[0].getResultJson().cStr(), "[1,2]");
    EXPECT_EQ((*page)->getNodes()[0].getDurationUs(), 30u);
    EXPECT_EQ((*bench.show("r1"))->getCriticalPathUs(), 30u);
    EXPECT_EQ(ready(bench.open("r1")), (Nodes{1}));
    ASSERT_TRUE(bench.complete("r1", {{1, {}, "2"}}).ok());
    ASSERT_TRUE(bench.sync("r1").ok());
    bench.restart();
    EXPECT_STREQ((*bench.results("r1"))->getNodes()[0].getResultJson().cStr(), "[1,2]");
    EXPECT_TRUE(bench.list(true).empty());
  }
}

// ---- newer programs -----------------------------------------------------------------------------

void expect_newer(const Error& error) {
  EXPECT_EQ(error.code, Errc::UNIMPLEMENTED) << to_string(error);
  EXPECT_NE(error.message.find("newer version"), std::string::npos) << to_string(error);
}

TEST(DagResults, WhatANewerProgramWroteIsCalledNewerAndNotDamaged) {
  Bench bench;
  ASSERT_TRUE(bench.create("r1", {{"a"}}).ok());
  ASSERT_TRUE(bench.complete("r1", {{0, {}, "1"}}).ok());
  ASSERT_TRUE(bench.sync("r1").ok());
  change(bench, [](runtime::WriteTxn& txn, auto store) {
    std::string entries(1, '\x09');
    append_old_text(entries, "who knows");
    ASSERT_TRUE(txn.put(store(kJournalDatabase), journal_key("r1", 1), old_value(entries)).ok());
  });
  expect_newer(bench.open("r1").error());
  expect_newer(bench.results("r1").error());
  change(bench, [](runtime::WriteTxn& txn, auto store) {
    ASSERT_TRUE(txn.put(store(kFormatDatabase), "format", "\x07").ok());
  });
  const auto store = DagStore::open(*bench.storage);
  ASSERT_FALSE(store.ok());
  expect_newer(store.error());
}

TEST(DagResults, AResultWithPartsOfANewerProgramIsCalledNewer) {
  std::string value = encode_result({3, "[1]", "", std::nullopt, 1, 2});
  EXPECT_EQ(decode_result(3, value, false)->json, "[1]");
  EXPECT_EQ(decode_result(3, value + "x", false).error().code, Errc::DATA_CORRUPT);
  value[0] = 9;
  expect_newer(decode_result(3, value, false).error());
}

}  // namespace
}  // namespace symphony::actors
