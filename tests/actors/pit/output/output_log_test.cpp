#include "actors/pit/output/output_log.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>
#include <tuple>

namespace symphony::actors {
namespace {

using messages::PrintedOn;

constexpr OutputLimits kSmall{.piece_bytes_max = 10,
                              .attempt_bytes_max = 40,
                              .run_bytes_max = 200,
                              .short_bytes_max = 8,
                              .attempts_max = 4};

// What a disk would hold.
struct Disk {
  std::map<std::uint64_t, OutputPiece> pieces;
  std::uint64_t bytes = 0;

  void take(OutputLog& log) {
    OutputWrite write = log.take();
    for (const auto sequence : write.erased) pieces.erase(sequence);
    for (auto& [sequence, piece] : write.pieces) {
      EXPECT_TRUE(pieces.empty() || pieces.rbegin()->first < sequence);
      pieces.emplace(sequence, std::move(piece));
    }
    bytes = 0;
    for (const auto& [sequence, piece] : pieces) bytes += piece.data.size();
    EXPECT_EQ(write.run_bytes, bytes);
  }
  std::string text(const std::string& node) const {
    std::string all;
    for (const auto& [sequence, piece] : pieces)
      if (piece.node == node) all += piece.data;
    return all;
  }
};

TEST(OutputLog, JoinsWhatComesInSmallPieces) {
  OutputLog log(kSmall, 1, 0);
  log.append("a", 1, PrintedOn::OUT, 0, "one ", 7);
  log.append("a", 1, PrintedOn::OUT, 4, "two", 8);
  log.append("a", 1, PrintedOn::ERR, 0, "no", 9);
  const OutputWrite write = log.take();
  ASSERT_EQ(write.pieces.size(), 2u);
  EXPECT_EQ(write.pieces[0].second.data, "one two");
  EXPECT_EQ(write.pieces[0].second.time_ns, 7);
  EXPECT_EQ(write.pieces[1].second.data, "no");
  EXPECT_EQ(write.pieces[1].second.stream, PrintedOn::ERR);
  EXPECT_FALSE(log.pending());
}

TEST(OutputLog, KeepsTheEndOfALongOutputWhetherItWasWrittenOrNot) {
  OutputLog log(kSmall, 1, 0);
  Disk disk;
  std::string all;
  for (int i = 0; i < 30; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    log.append("a", 1, PrintedOn::OUT, all.size(), line, 0);
    all += line;
    if (i % 7 == 0) disk.take(log);
  }
  disk.take(log);
  const std::string kept = disk.text("a");
  EXPECT_LE(kept.size(), kSmall.attempt_bytes_max);
  EXPECT_GE(kept.size(), kSmall.attempt_bytes_max - kSmall.piece_bytes_max);
  EXPECT_TRUE(all.ends_with(kept));
  EXPECT_EQ(disk.pieces.begin()->second.offset, all.size() - kept.size());
}

TEST(OutputLog, KeepsLessOfEachNodeOnceTheRunHasFilledItsShare) {
  OutputLog log(kSmall, 1, kSmall.run_bytes_max);
  Disk disk;
  log.append("a", 1, PrintedOn::OUT, 0, "0123456789", 0);
  const OutputWrite write = log.take();
  ASSERT_EQ(write.pieces.size(), 1u);
  EXPECT_EQ(write.pieces[0].second.data, "23456789");
  EXPECT_EQ(write.pieces[0].second.offset, 2u);
}

TEST(OutputLog, KeepsAttemptsApart) {
  OutputLog log(kSmall, 5, 0);
  Disk disk;
  log.append("a", 1, PrintedOn::OUT, 0, std::string(40, '1'), 0);
  disk.take(log);
  log.append("a", 2, PrintedOn::OUT, 0, std::string(40, '2'), 0);
  disk.take(log);
  EXPECT_EQ(disk.text("a"), std::string(40, '1') + std::string(40, '2'));
  EXPECT_EQ(disk.pieces.begin()->first, 5u);
  log.end("a", 1);
  EXPECT_FALSE(log.idle()) << "that was the end of another attempt";
  log.end("a", 2);
  EXPECT_TRUE(log.idle());
}

TEST(OutputLog, ForgetsTheOldestOfTooManyThatPrintAtOnce) {
  OutputLog log(kSmall, 1, 0);
  for (int i = 0; i < 10; ++i)
    log.append("n" + std::to_string(i), i + 1, PrintedOn::OUT, 0, "x", 0);
  EXPECT_EQ(log.take().pieces.size(), 10u) << "what they printed stays";
  for (int i = 6; i < 10; ++i) log.end("n" + std::to_string(i), i + 1);
  EXPECT_TRUE(log.idle());
}

// Of every attempt and stream the bytes that are kept are those that were printed there, at their
// offsets and in order; of an attempt they are the latest, within its limit, and never fewer than
// that but for one piece.
RC_GTEST_PROP(OutputLogProperty, WhatIsKeptIsTheEndOfWhatWasPrinted, ()) {
  OutputLog log(kSmall, 1, 0);
  Disk disk;
  std::map<std::tuple<std::string, std::int64_t, PrintedOn>, std::string> printed;
  std::map<std::string, std::int64_t> attempt;
  std::uint64_t largest_run = 0;
  for (int i = *rc::gen::inRange(1, 80); i > 0; --i) {
    const std::string node(1, static_cast<char>('a' + *rc::gen::inRange(0, 3)));
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
        disk.take(log);
        largest_run = std::max(largest_run, disk.bytes);
        break;
      case 1:
        log.end(node, attempt[node]);
        ++attempt[node];
        break;
      default: {
        const auto stream = *rc::gen::arbitrary<bool>() ? PrintedOn::OUT : PrintedOn::ERR;
        auto& all = printed[{node, attempt[node], stream}];
        std::string data;
        for (int n = *rc::gen::inRange(0, 60); n > 0; --n)
          data.push_back(static_cast<char>('0' + (all.size() + data.size()) % 43));
        log.append(node, attempt[node], stream, all.size(), data, i);
        all += data;
      }
    }
  }
  disk.take(log);
  RC_ASSERT(!log.pending());
  std::map<std::tuple<std::string, std::int64_t>, std::size_t> kept;
  std::map<std::tuple<std::string, std::int64_t, PrintedOn>, std::uint64_t> ends;
  for (const auto& [sequence, piece] : disk.pieces) {
    const auto key = std::tuple(piece.node, piece.started_ns, piece.stream);
    RC_ASSERT(printed[key].substr(piece.offset, piece.data.size()) == piece.data);
    const auto end = ends.find(key);
    RC_ASSERT(end == ends.end() || end->second == piece.offset);
    ends[key] = piece.offset + piece.data.size();
    kept[{piece.node, piece.started_ns}] += piece.data.size();
  }
  for (const auto& [key, end] : ends) RC_ASSERT(end == printed[key].size());
  for (const auto& [key, bytes] : kept) RC_ASSERT(bytes <= kSmall.attempt_bytes_max);
  if (largest_run + 60 >= kSmall.run_bytes_max) return;
  std::map<std::tuple<std::string, std::int64_t>, std::size_t> sizes;
  for (const auto& [key, all] : printed) sizes[{std::get<0>(key), std::get<1>(key)}] += all.size();
  for (const auto& [key, size] : sizes)
    RC_ASSERT(kept[key] + kSmall.piece_bytes_max >= std::min(size, kSmall.attempt_bytes_max));
}

}  // namespace
}  // namespace symphony::actors
