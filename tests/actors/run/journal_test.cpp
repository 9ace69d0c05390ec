#include "actors/run/journal.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "actors/pit/dag/dag_records.hpp"

namespace symphony::actors {
namespace {

TEST(RunSummary, OfTheFirstVersionIsReadWithAllItsResumptionsFruitless) {
  RunSummary summary;
  summary.resumptions = 3;
  summary.fruitless_resumptions = 1;
  summary.melody = "tune";
  std::string bytes = encode_summary(summary);
  EXPECT_EQ(decode_summary(bytes)->fruitless_resumptions, 1U);
  bytes[0] = 1;
  EXPECT_FALSE(decode_summary(bytes).ok());
  bytes.resize(bytes.size() - 8);
  const auto old = decode_summary(bytes);
  ASSERT_TRUE(old.ok());
  EXPECT_EQ(old->melody, "tune");
  EXPECT_EQ(old->fruitless_resumptions, 3U);
}

// The state that all the records give.
Result<RunState> replay(RunPlan plan, std::span<const JournalRecord> records) {
  auto state = RunState::create(std::move(plan));
  if (!state) return state;
  for (const JournalRecord& record : records) {
    auto applied = apply(*state, record);
    if (!applied) return std::move(applied).error();
  }
  return state;
}

RunPlan any_plan() {
  const auto nodes = *rc::gen::inRange<NodeId>(1, 12);
  const auto id = rc::gen::inRange<NodeId>(0, nodes);
  std::vector<Edge> edges;
  for (auto [from, to] :
       *rc::gen::container<std::vector<std::pair<NodeId, NodeId>>>(rc::gen::pair(id, id))) {
    if (from == to) continue;
    edges.push_back({std::min(from, to), std::max(from, to)});
  }
  auto graph = Graph::build(nodes, edges);
  RunPlan plan{std::move(graph).value(), {}};
  for (NodeId i = 0; i < nodes; ++i) {
    RunNode node;
    node.weight = *rc::gen::inRange(0, 5);
    node.mapped = *rc::gen::inRange(0, 3) == 0;
    node.retry = {*rc::gen::inRange(1U, 4U), *rc::gen::inRange(0U, 3U), 5};
    plan.nodes.push_back(node);
  }
  return plan;
}

// Some outcomes that the state accepts.
std::vector<NodeOutcome> any_outcomes(const RunState& state) {
  std::vector<NodeOutcome> outcomes;
  for (NodeId id = 0; id < state.node_count(); ++id) {
    const NodeStatus status = state.status_of(id);
    if (status != NodeStatus::ready && status != NodeStatus::running) continue;
    if (state.children_of(id) || *rc::gen::inRange(0, 3) == 2) continue;
    const bool mapped = id < state.plan().nodes.size() && state.plan().nodes[id].mapped;
    const int kind = *rc::gen::inRange(0, 8);
    NodeOutcome outcome{id, mapped ? OutcomeKind::expanded : OutcomeKind::succeeded};
    if (kind == 0) outcome.kind = OutcomeKind::skipped;
    if (kind == 1) outcome.kind = OutcomeKind::cancelled;
    if (kind == 2 || kind == 3) outcome = {id, OutcomeKind::failed, kind == 3};
    if (outcome.kind == OutcomeKind::expanded) outcome.children = *rc::gen::inRange(0U, 4U);
    outcome.duration_us = *rc::gen::inRange<std::uint64_t>(0, 1'000);
    outcomes.push_back(outcome);
  }
  return outcomes;
}

JournalRecord any_input(const RunState& state, std::int64_t now_us) {
  JournalRecord record{RecordKind::completed, now_us};
  switch (*rc::gen::inRange(0, 24)) {
    case 0:
      record.kind = RecordKind::cancelled;
      break;
    case 1:
      record.kind = RecordKind::resumed;
      record.again = *rc::gen::arbitrary<bool>();
      break;
    case 2:
    case 3:
      record.kind = RecordKind::advanced;
      break;
    case 4:
      record.kind = RecordKind::abandoned;
      break;
    case 5:
    case 6:
    case 7:
      record.kind = RecordKind::running;
      for (const NodeId id : state.ready()) {
        if (*rc::gen::arbitrary<bool>()) record.nodes.push_back(id);
      }
      break;
    default:
      record.outcomes = any_outcomes(state);
  }
  return record;
}

// What must hold in every state.
void check_invariants(const RunState& state) {
  RunProgress counted;
  for (NodeId id = 0; id < state.node_count(); ++id) {
    const NodeStatus status = state.status_of(id);
    counted.waiting += status == NodeStatus::waiting;
    counted.ready += status == NodeStatus::ready;
    counted.running += status == NodeStatus::running;
    counted.done += status == NodeStatus::done;
    counted.failed += status == NodeStatus::failed;
    counted.skipped += status == NodeStatus::skipped;
    counted.cancelled += status == NodeStatus::cancelled;
    if (id >= state.plan().nodes.size()) continue;
    if (status != NodeStatus::ready && status != NodeStatus::running && status != NodeStatus::done)
      continue;
    for (const NodeId need : state.plan().graph.predecessors(id)) {
      const NodeStatus end = state.status_of(need);
      RC_ASSERT(end == NodeStatus::done || end == NodeStatus::skipped);
      RC_ASSERT(!state.blocked_by(need));
    }
  }
  RC_ASSERT(counted == state.progress());
}

RC_GTEST_PROP(JournalProperty, ReplayOfAnyPrefixEqualsTheLiveState, ()) {
  const RunPlan plan = any_plan();
  RunState live = std::move(RunState::create(plan)).value();
  std::vector<JournalRecord> records;
  std::vector<RunState> states{live};
  const int steps = *rc::gen::inRange(1, 25);
  std::int64_t now_us = 1'000;
  for (int step = 0; step < steps; ++step) {
    now_us += *rc::gen::inRange(0, 4'000);
    JournalRecord record = step == 0 ? JournalRecord{RecordKind::started, now_us,
                                                     static_cast<std::uint32_t>(plan.nodes.size())}
                                     : any_input(live, now_us);
    RC_ASSERT(apply(live, record).ok());
    check_invariants(live);
    const auto copy = RunState::restore(plan, live.snapshot());
    RC_ASSERT(copy.ok());
    RC_ASSERT(*copy == live);
    auto decoded = decode_record(encode(record));
    RC_ASSERT(decoded.ok());
    RC_ASSERT(*decoded == record);
    records.push_back(std::move(decoded).value());
    states.push_back(live);
  }
  for (std::size_t prefix = 0; prefix <= records.size(); ++prefix) {
    auto replayed = replay(plan, std::span(records).first(prefix));
    RC_ASSERT(replayed.ok());
    RC_ASSERT(*replayed == states[prefix]);
  }
}

RC_GTEST_PROP(JournalProperty, EveryRunEndsWhenItsNodesDo, ()) {
  RunState state = std::move(RunState::create(any_plan())).value();
  RC_ASSERT(state.start(0).ok());
  std::int64_t now_us = 0;
  for (int rounds = 0; !state.ended(); ++rounds) {
    RC_ASSERT(rounds < 500);
    now_us += 10'000;
    RC_ASSERT(state.advance(now_us).ok());
    RC_ASSERT(state.complete(any_outcomes(state), now_us).ok());
  }
  RC_ASSERT(state.progress().ended() == state.node_count());
}

RC_GTEST_PROP(JournalProperty, AnyFlippedBitOrCutIsFoundOut, ()) {
  JournalRecord record{RecordKind::completed, *rc::gen::arbitrary<std::int64_t>()};
  record.outcomes = {{5, OutcomeKind::succeeded}, {3, OutcomeKind::expanded, false, 70'000}};
  std::string bytes = encode(record);
  const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
  RC_ASSERT(!decode_record(std::string_view(bytes).substr(0, at)).ok());
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << *rc::gen::inRange(0, 8)));
  RC_ASSERT(!decode_record(bytes).ok());
}

TEST(Journal, RefusesToApplyTheJournalOfAnotherPlan) {
  RunPlan plan{Graph::build(2, {}).value(), std::vector<RunNode>(2)};
  const std::vector<JournalRecord> records{{RecordKind::started, 0, 3}};
  auto state = replay(std::move(plan), records);
  ASSERT_FALSE(state.ok());
  EXPECT_EQ(state.error().code, Errc::FAILED_PRECONDITION);
}

// The checksum of changed bytes, as `encode` would have written it.
std::string sealed(std::string bytes) {
  bytes.resize(bytes.size() - 4);
  const std::uint32_t crc = crc32c(bytes);
  for (int byte = 0; byte < 4; ++byte) bytes.push_back(static_cast<char>(crc >> (8 * byte)));
  return bytes;
}

TEST(Journal, WhatANewerProgramWroteIsNewerAndNotDamaged) {
  JournalRecord record{RecordKind::completed, 5};
  record.outcomes = {{0, OutcomeKind::succeeded}};
  const std::string good = encode(record);
  ASSERT_EQ(sealed(good), good);
  for (const std::size_t at : {0, 1, 5}) {  // version, kind of record, kind of outcome
    std::string bytes = good;
    bytes[at] = 60;
    const auto newer = decode_record(sealed(bytes));
    ASSERT_FALSE(newer.ok());
    EXPECT_EQ(newer.error().code, Errc::UNIMPLEMENTED) << at;
    EXPECT_NE(newer.error().message.find("newer version"), std::string::npos);
  }
}

TEST(Journal, AByteTooManyIsDamage) {
  std::string bytes = encode({RecordKind::advanced, 5});
  bytes.insert(bytes.size() - 4, 1, 'x');
  EXPECT_EQ(decode_record(sealed(bytes)).error().code, Errc::DATA_CORRUPT);
}

TEST(Journal, ItsChecksumIsCastagnolis) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);  // RFC 3720, B.4
}

TEST(Journal, ANoOpNodeTakesAFewBytes) {
  JournalRecord record{RecordKind::completed, 1'700'000'000'000'000};
  for (NodeId id = 0; id < 1'000; ++id) record.outcomes.push_back({id, OutcomeKind::succeeded});
  EXPECT_LT(encode(record).size(), 4'100U);
}

}  // namespace
}  // namespace symphony::actors
