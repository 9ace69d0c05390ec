#include "runtime/storage/storage_writer.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <future>
#include <latch>
#include <set>

#include "tests/support/temp_dir.hpp"

namespace symphony::runtime {
namespace {

using test::TempDir;

WriteOp put_op(Database database, std::string key, std::string value) {
  return [=](WriteTxn& txn) { return txn.put(database, key, value); };
}

Error refusal() { return {.code = Errc::FAILED_PRECONDITION, .message = "refused"}; }

struct Fixture {
  explicit Fixture(StorageOptions options = {})
      : storage(std::move(*Storage::open(dir.path(), std::move(options)))),
        database(*storage->open_database("things")) {}

  bool has(std::string_view key) const {
    auto txn = storage->begin_read();
    return *txn->contains(database, key);
  }

  TempDir dir;
  std::unique_ptr<Storage> storage;
  Database database;
};

// Holds the writer inside an operation, so that a test decides what waits behind it.
class Gate {
 public:
  WriteOp op() {
    return [this](WriteTxn&) -> Status {
      entered_.count_down();
      opened_.wait();
      return {};
    };
  }
  void wait_until_entered() { entered_.wait(); }
  void open() { opened_.count_down(); }

 private:
  std::latch entered_{1};
  std::latch opened_{1};
};

TEST(StorageWriter, MakesALoneOperationDurableAtOnce) {
  Fixture f;
  ThreadStorageWriter writer(*f.storage);
  ASSERT_TRUE(write_and_wait(writer, put_op(f.database, "k", "v")).ok());
  EXPECT_TRUE(f.has("k"));
}

TEST(StorageWriter, SharesOneCommitAmongEverythingThatWaits) {
  Fixture f;
  Gate gate;
  ThreadStorageWriter writer(*f.storage);
  ASSERT_TRUE(writer.submit(gate.op(), nullptr).ok());
  gate.wait_until_entered();
  std::atomic<int> acknowledged{0};
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(writer
                    .submit(put_op(f.database, std::to_string(i), "v"),
                            [&](Status status) { acknowledged += status.ok(); })
                    .ok());
  }
  gate.open();
  writer.drain();
  EXPECT_EQ(acknowledged, 100);
  EXPECT_EQ(writer.stats().transactions, 2u);
  EXPECT_EQ(writer.stats().largest_group, 100u);
}

TEST(StorageWriter, KeepsAGroupWithinItsLimits) {
  Fixture f;
  Gate gate;
  ThreadStorageWriter writer(*f.storage, {.max_group_ops = 4, .max_group_bytes = 100});
  ASSERT_TRUE(writer.submit(gate.op(), nullptr).ok());
  gate.wait_until_entered();
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(writer.submit(put_op(f.database, std::to_string(i), "v"), nullptr).ok());
  }
  for (int i = 8; i < 12; ++i) {
    ASSERT_TRUE(writer.submit(put_op(f.database, std::to_string(i), "v"), nullptr, 50).ok());
  }
  gate.open();
  writer.drain();
  EXPECT_EQ(writer.stats().largest_group, 4u);
  EXPECT_EQ(writer.stats().transactions, 1u + 2u + 2u);
}

TEST(StorageWriter, RefusesWhatItsQueueCannotHold) {
  Fixture f;
  Gate gate;
  ThreadStorageWriter writer(*f.storage, {.max_queued_ops = 2, .max_queued_bytes = 100});
  ASSERT_TRUE(writer.submit(gate.op(), nullptr).ok());
  gate.wait_until_entered();
  // Larger than the limit, but nothing else waits.
  ASSERT_TRUE(writer.submit(put_op(f.database, "a", "v"), nullptr, 150).ok());
  const auto too_large = writer.submit(put_op(f.database, "b", "v"), nullptr, 1);
  ASSERT_FALSE(too_large.ok());
  EXPECT_EQ(too_large.error().code, Errc::OVERLOADED);
  EXPECT_TRUE(too_large.error().retryable);
  gate.open();
  writer.drain();
  EXPECT_FALSE(f.has("b"));
  EXPECT_TRUE(writer.submit(put_op(f.database, "b", "v"), nullptr, 1).ok());
  writer.drain();
  EXPECT_TRUE(f.has("b"));
  EXPECT_EQ(writer.stats().refused, 1u);
}

TEST(StorageWriter, MakesRoomForAsManyBytesAsItHasTaken) {
  Fixture f;
  ThreadStorageWriter writer(*f.storage, {.max_queued_bytes = 100});
  for (int round = 0; round < 5; ++round) {
    Gate gate;
    ASSERT_TRUE(writer.submit(gate.op(), nullptr).ok());
    gate.wait_until_entered();
    std::atomic<int> acknowledged{0};
    const auto count = [&](Status status) { acknowledged += status.ok(); };
    for (const std::size_t bytes : {60, 40})
      ASSERT_TRUE(writer.submit(put_op(f.database, "k", "v"), count, bytes).ok()) << round;
    EXPECT_FALSE(writer.submit(put_op(f.database, "k", "v"), count, 1).ok());
    gate.open();
    writer.drain();
    EXPECT_EQ(acknowledged, 2);
  }
}

TEST(StorageWriter, WhatDoesNotFitBesideOthersIsTriedAlone) {
  Fixture f;
  Gate gate;
  ThreadStorageWriter writer(*f.storage);
  ASSERT_TRUE(writer.submit(gate.op(), nullptr).ok());
  gate.wait_until_entered();
  std::atomic<int> acknowledged{0};
  const auto count = [&](Status status) { acknowledged += status.ok(); };
  const auto large = [&](WriteTxn& txn) -> Status {
    const bool alone = txn.mutations() == 0;
    if (auto put = txn.put(f.database, "large", "v"); !put) return put;
    if (alone) return {};
    return Error{.code = Errc::RESOURCE_EXHAUSTED, .message = "too much in one transaction"};
  };
  ASSERT_TRUE(writer.submit(put_op(f.database, "small", "v"), count).ok());
  ASSERT_TRUE(writer.submit(large, count).ok());
  ASSERT_TRUE(writer.submit(put_op(f.database, "after", "v"), count).ok());
  gate.open();
  writer.drain();
  EXPECT_EQ(acknowledged, 3);
  for (const auto* key : {"small", "large", "after"}) EXPECT_TRUE(f.has(key)) << key;
}

TEST(StorageWriter, AFailingOperationLeavesNothingAndHarmsNobody) {
  Fixture f;
  Gate gate;
  ThreadStorageWriter writer(*f.storage);
  ASSERT_TRUE(writer.submit(gate.op(), nullptr).ok());
  gate.wait_until_entered();
  std::vector<std::future<Status>> results;
  auto submit = [&](WriteOp op) {
    auto promise = std::make_shared<std::promise<Status>>();
    results.push_back(promise->get_future());
    ASSERT_TRUE(writer.submit(std::move(op), [promise](Status s) { promise->set_value(s); }).ok());
  };
  submit(put_op(f.database, "first", "v"));
  submit([&](WriteTxn& txn) -> Status {
    if (auto put = txn.put(f.database, "half", "v"); !put) return put;
    return refusal();
  });
  submit([&](WriteTxn&) -> Status { return refusal(); });
  submit([&](WriteTxn& txn) -> Status {
    (void)txn.put(f.database, "thrown", "v");
    throw std::runtime_error("bug");
  });
  submit(put_op(f.database, "last", "v"));
  gate.open();
  EXPECT_TRUE(results[0].get().ok());
  EXPECT_EQ(results[1].get().error(), refusal());
  EXPECT_EQ(results[2].get().error(), refusal());
  EXPECT_EQ(results[3].get().error().code, Errc::INTERNAL);
  EXPECT_TRUE(results[4].get().ok());
  EXPECT_TRUE(f.has("first"));
  EXPECT_TRUE(f.has("last"));
  EXPECT_FALSE(f.has("half"));
  EXPECT_FALSE(f.has("thrown"));
}

TEST(StorageWriter, AcknowledgesWhatWasAcceptedBeforeStopAndRefusesTheRest) {
  Fixture f;
  int acknowledged = 0;
  ThreadStorageWriter writer(*f.storage);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(writer
                    .submit(put_op(f.database, std::to_string(i), "v"),
                            [&](Status status) { acknowledged += status.ok(); })
                    .ok());
  }
  writer.stop();
  writer.stop();
  EXPECT_EQ(acknowledged, 50);
  EXPECT_EQ(writer.submit(put_op(f.database, "late", "v"), nullptr).error().code,
            Errc::UNAVAILABLE);
}

TEST(FencedWriter, WritesNothingOnceItsIncarnationWasGivenUp) {
  Fixture fixture;
  ThreadStorageWriter writer{*fixture.storage};
  std::atomic<bool> given_up = false;
  FencedWriter fenced{writer, [&] { return given_up.load(); }};
  Gate gate;
  std::promise<Status> before, waiting;
  ASSERT_TRUE(fenced.submit(put_op(fixture.database, "before", "x"),
                            [&](Status status) { before.set_value(std::move(status)); }));
  EXPECT_TRUE(before.get_future().get());
  ASSERT_TRUE(writer.submit(gate.op(), [](Status) {}));
  gate.wait_until_entered();
  ASSERT_TRUE(fenced.submit(put_op(fixture.database, "waiting", "x"),
                            [&](Status status) { waiting.set_value(std::move(status)); }));
  given_up = true;
  EXPECT_EQ(fenced.submit(put_op(fixture.database, "after", "x"), [](Status) {}).error().code,
            Errc::UNAVAILABLE);
  gate.open();
  EXPECT_EQ(waiting.get_future().get().error().code, Errc::CANCELLED);
  writer.stop();
  EXPECT_TRUE(fixture.has("before"));
  EXPECT_FALSE(fixture.has("waiting"));
  EXPECT_FALSE(fixture.has("after"));
}

TEST(StorageWriter, ManyThreadsAllGetTheirOwnResult) {
  Fixture f;
  ThreadStorageWriter writer(*f.storage);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const auto key = std::to_string(t * 1000 + i);
        const bool refuse = i % 7 == 0;
        const auto status = write_and_wait(writer, [&](WriteTxn& txn) -> Status {
          if (auto put = txn.put(f.database, key, "v"); !put) return put;
          if (refuse) return refusal();
          return {};
        });
        if (status.ok() == refuse || f.has(key) == refuse) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(StorageWriter, OnlyTheOperationThatDoesNotFitIsRefusedWhenTheMapIsFull) {
  Fixture f({.map_size_bytes = 1 << 20});
  std::vector<PendingWrite> group;
  std::vector<std::string> results(3);
  const auto record = [&](int i) {
    return [&results, i](Status s) { results[i] = s.ok() ? "ok" : to_string(s.error().code); };
  };
  group.push_back({put_op(f.database, "a", "v"), record(0)});
  // Ignoring the error does not help an operation past it.
  group.push_back({[&](WriteTxn& txn) -> Status {
                     (void)txn.put(f.database, "large", std::string(2 << 20, 'x'));
                     return {};
                   },
                   record(1)});
  group.push_back({put_op(f.database, "b", "v"), record(2)});
  commit_group(*f.storage, std::move(group));
  EXPECT_EQ(results, (std::vector<std::string>{"ok", "resourceExhausted", "ok"}));
  EXPECT_TRUE(f.has("a"));
  EXPECT_TRUE(f.has("b"));
}

// In a child process whose files may not grow beyond a limit, as on a disk that fills up.
TEST(StorageWriter, OnlyTheOperationThatDoesNotFitIsRefusedWhenTheDiskIsFull) {
  TempDir dir;
  { ASSERT_TRUE((*Storage::open(dir.path()))->open_database("things").ok()); }
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1 << 20, 1 << 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto storage = std::move(*Storage::open(dir.path()));
    const auto database = *storage->open_database("things");
    std::vector<PendingWrite> group;
    std::vector<Errc> errors(4, Errc::UNIMPLEMENTED);
    int acknowledged = 0;
    for (int i = 0; i < 4; ++i) {
      const std::size_t size = i == 2 ? 3 << 20 : 10'000;
      group.push_back(
          {put_op(database, std::to_string(i), std::string(size, 'x')), [&, i](Status s) {
             if (s.ok()) ++acknowledged;
             if (!s.ok()) errors[i] = s.error().code;
           }});
    }
    commit_group(*storage, std::move(group));
    const bool right = acknowledged == 3 && errors[2] == Errc::RESOURCE_EXHAUSTED;
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  auto storage = std::move(*Storage::open(dir.path()));
  const auto database = *storage->open_database("things");
  auto txn = storage->begin_read();
  EXPECT_TRUE(*txn->contains(database, "3"));
  EXPECT_FALSE(*txn->contains(database, "2"));
}

TEST(StorageWriter, InlineCommitsBeforeSubmitReturns) {
  Fixture f;
  InlineStorageWriter writer(*f.storage);
  bool acknowledged = false;
  ASSERT_TRUE(
      writer.submit(put_op(f.database, "k", "v"), [&](Status s) { acknowledged = s.ok(); }).ok());
  EXPECT_TRUE(acknowledged);
  EXPECT_TRUE(f.has("k"));
  writer.stop();
  EXPECT_EQ(writer.submit(put_op(f.database, "l", "v"), nullptr).error().code, Errc::UNAVAILABLE);
}

// Whatever fails in a group, and however: exactly the good operations are there afterwards, each
// completion came once, and in order among those that succeeded.
RC_GTEST_PROP(StorageWriter, CommitsExactlyTheGoodOperationsOfAnyGroup,
              (const std::vector<std::uint8_t>& kinds)) {
  Fixture f;
  enum { kGood, kFailsClean, kFailsDirty, kThrows, kKinds };
  std::vector<PendingWrite> group;
  std::vector<std::size_t> succeeded;
  std::set<std::size_t> completed;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const int kind = kinds[i] % kKinds;
    WriteOp op = [&f, i, kind](WriteTxn& txn) -> Status {
      if (kind == kFailsClean) return refusal();
      if (auto put = txn.put(f.database, std::to_string(i), "v"); !put) return put;
      if (kind == kThrows) throw std::runtime_error("bug");
      if (kind == kFailsDirty) return refusal();
      return {};
    };
    group.push_back({std::move(op), [&, i](Status status) {
                       RC_ASSERT(completed.insert(i).second);
                       if (status.ok()) succeeded.push_back(i);
                     }});
  }
  const auto stats = commit_group(*f.storage, std::move(group));
  RC_ASSERT(completed.size() == kinds.size());
  RC_ASSERT(std::is_sorted(succeeded.begin(), succeeded.end()));
  RC_ASSERT(stats.committed == succeeded.size());
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    RC_ASSERT(f.has(std::to_string(i)) == (kinds[i] % kKinds == kGood));
  }
}

}  // namespace
}  // namespace symphony::runtime
