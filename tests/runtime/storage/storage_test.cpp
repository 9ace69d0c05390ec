#include "runtime/storage/storage.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <string>

#include "runtime/storage/bytes.hpp"
#include "tests/support/temp_dir.hpp"

namespace symphony::runtime {
namespace {

using test::TempDir;

std::unique_ptr<Storage> open_or_die(const std::filesystem::path& dir,
                                     StorageOptions options = {}) {
  auto storage = Storage::open(dir, std::move(options));
  if (!storage) throw std::runtime_error(to_string(storage.error()));
  return std::move(*storage);
}

void put(Storage& storage, Database database, std::string_view key, std::string_view value) {
  auto txn = storage.begin_write();
  ASSERT_TRUE(txn.ok());
  ASSERT_TRUE(txn->put(database, key, value).ok());
  ASSERT_TRUE(txn->commit().ok());
}

std::optional<std::string> get(Storage& storage, Database database, std::string_view key) {
  auto txn = storage.begin_read();
  if (!txn) return std::nullopt;
  auto value = txn->get(database, key);
  if (!value || !value->has_value()) return std::nullopt;
  return std::string(**value);
}

TEST(Storage, KeepsWhatWasCommittedAcrossReopening) {
  TempDir dir;
  const auto home = dir.path() / "a" / "b";
  {
    auto storage = open_or_die(home);
    put(*storage, *storage->open_database("things"), "key", "value");
  }
  auto storage = open_or_die(home);
  EXPECT_EQ(get(*storage, *storage->open_database("things"), "key"), "value");
  EXPECT_FALSE(std::filesystem::exists(home / "data.mdb.new"));
}

TEST(Storage, ForgetsWhatWasNotCommitted) {
  TempDir dir;
  auto storage = open_or_die(dir.path());
  auto database = *storage->open_database("things");
  {
    auto txn = storage->begin_write();
    ASSERT_TRUE(txn->put(database, "key", "value").ok());
  }
  EXPECT_EQ(get(*storage, database, "key"), std::nullopt);
}

TEST(Storage, RefusesASecondOpenAndNamesTheHolder) {
  TempDir dir;
  auto storage = open_or_die(dir.path());
  const auto second = Storage::open(dir.path());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Errc::FAILED_PRECONDITION);
  EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
  storage.reset();
  EXPECT_TRUE(Storage::open(dir.path()).ok());
}

TEST(Storage, RefusesAnotherProcessAndNamesTheHolder) {
  TempDir dir;
  auto storage = open_or_die(dir.path());
  const auto holder = std::to_string(::getpid());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto second = Storage::open(dir.path());
    const bool named = !second.ok() && second.error().message.find(holder) != std::string::npos;
    ::_exit(named ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Storage, StartsAfreshWhenCreationWasCutShort) {
  TempDir dir;
  std::ofstream(dir.path() / "data.mdb.new") << "half a page";
  auto storage = open_or_die(dir.path());
  EXPECT_TRUE(storage->open_database("things").ok());
}

TEST(Storage, CreatesNothingWhereItCannotLook) {
  TempDir dir;
  { auto storage = open_or_die(dir.path()); }
  std::filesystem::rename(dir.path() / "data.mdb", dir.path() / "kept");
  std::filesystem::create_symlink("data.mdb", dir.path() / "data.mdb");  // ELOOP, for root too
  const auto storage = Storage::open(dir.path());
  ASSERT_FALSE(storage.ok());
  EXPECT_TRUE(std::filesystem::is_symlink(dir.path() / "data.mdb")) << "it was replaced";
}

TEST(Storage, TakesAnEmptyFileForDamageAndNotForABeginning) {
  TempDir dir;
  { auto storage = open_or_die(dir.path()); }
  std::filesystem::resize_file(dir.path() / "data.mdb", 0);
  const auto storage = Storage::open(dir.path());
  ASSERT_FALSE(storage.ok());
  EXPECT_EQ(storage.error().code, Errc::DATA_CORRUPT);
}

TEST(Storage, CallsADamagedFileCorrupt) {
  TempDir dir;
  std::ofstream(dir.path() / "data.mdb") << std::string(20'000, 'x');
  const auto storage = Storage::open(dir.path());
  ASSERT_FALSE(storage.ok());
  EXPECT_EQ(storage.error().code, Errc::DATA_CORRUPT);
  EXPECT_NE(storage.error().message.find("data.mdb"), std::string::npos);
}

TEST(Storage, MigratesOlderDataOnceAndAtomically) {
  TempDir dir;
  {
    auto storage = open_or_die(dir.path());
    put(*storage, *storage->open_database("things"), "key", "old");
  }
  int runs = 0;
  bool succeed = false;
  StorageOptions options{.format_version = 2};
  options.migrate = [&](WriteTxn& txn, std::uint32_t from_version) -> Status {
    ++runs;
    EXPECT_EQ(from_version, 1u);
    auto things = txn.open_database("things");
    if (auto put = txn.put(*things, "key", "new"); !put) return put;
    if (!succeed) return Error{.code = Errc::INTERNAL, .message = "migration failed"};
    return {};
  };
  EXPECT_FALSE(Storage::open(dir.path(), options).ok());
  {
    auto storage = open_or_die(dir.path());  // still format 1, still the old value
    EXPECT_EQ(get(*storage, *storage->open_database("things"), "key"), "old");
  }
  succeed = true;
  for (int i = 0; i < 2; ++i) {
    auto storage = open_or_die(dir.path(), options);
    EXPECT_EQ(get(*storage, *storage->open_database("things"), "key"), "new");
  }
  EXPECT_EQ(runs, 2);
}

TEST(Storage, RefusesNewerDataAndOlderDataWithoutMigration) {
  TempDir dir;
  open_or_die(dir.path(), {.format_version = 2});
  for (const std::uint32_t version : {1u, 3u}) {
    const auto storage = Storage::open(dir.path(), {.format_version = version});
    ASSERT_FALSE(storage.ok());
    EXPECT_EQ(storage.error().code, Errc::FAILED_PRECONDITION);
    EXPECT_NE(storage.error().message.find("format 2"), std::string::npos);
  }
}

TEST(Storage, RefusesKeysOfTheWrongLength) {
  TempDir dir;
  auto storage = open_or_die(dir.path());
  auto database = *storage->open_database("things");
  auto txn = storage->begin_write();
  const std::string longest(kMaxKeyBytes, 'k');
  EXPECT_TRUE(txn->put(database, longest, "v").ok());
  EXPECT_EQ(txn->put(database, longest + "k", "v").error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(txn->put(database, "", "v").error().code, Errc::INVALID_ARGUMENT);
  EXPECT_TRUE(txn->commit().ok());
  EXPECT_EQ(get(*storage, database, longest), "v");
}

TEST(Storage, SaysWhenTheMapIsFullAndGoesOn) {
  TempDir dir;
  auto storage = open_or_die(dir.path(), {.map_size_bytes = 1 << 20});
  auto database = *storage->open_database("things");
  put(*storage, database, "small", "kept");
  {
    auto txn = storage->begin_write();
    const auto status = txn->put(database, "large", std::string(2 << 20, 'x'));
    EXPECT_EQ(status.error().code, Errc::RESOURCE_EXHAUSTED);
    EXPECT_TRUE(txn->failure().has_value());
    EXPECT_EQ(txn->commit().error().code, Errc::RESOURCE_EXHAUSTED);
  }
  put(*storage, database, "next", "works");
  EXPECT_EQ(get(*storage, database, "small"), "kept");
  EXPECT_EQ(get(*storage, database, "next"), "works");
}

TEST(Storage, ReadersSeeOneStateWhateverIsWrittenMeanwhile) {
  TempDir dir;
  auto storage = open_or_die(dir.path());
  auto database = *storage->open_database("things");
  put(*storage, database, "key", "old");
  auto before = storage->begin_read();
  put(*storage, database, "key", "new");
  auto after = storage->begin_read();
  EXPECT_EQ(*before->get(database, "key").value(), "old");
  EXPECT_EQ(*after->get(database, "key").value(), "new");
  EXPECT_EQ(storage->stats().readers, 2u);
}

TEST(Storage, RefusesMoreReadersThanItsLimit) {
  TempDir dir;
  auto storage = open_or_die(dir.path(), {.max_readers = 2});
  auto one = storage->begin_read();
  auto two = storage->begin_read();
  const auto three = storage->begin_read();
  ASSERT_FALSE(three.ok());
  EXPECT_EQ(three.error().code, Errc::OVERLOADED);
}

RC_GTEST_PROP(Storage, CursorWalksLikeASortedMap,
              (const std::map<std::string, std::string>& entries, const std::string& probe)) {
  TempDir dir;
  auto storage = open_or_die(dir.path());
  const auto database = *storage->open_database("things");
  std::map<std::string, std::string> model;
  {
    auto txn = storage->begin_write();
    for (const auto& [key, value] : entries) {
      if (key.empty()) continue;
      RC_ASSERT(txn->put(database, key, value).ok());
      model[key] = value;
    }
    RC_ASSERT(txn->commit().ok());
  }
  auto txn = storage->begin_read();
  RC_ASSERT(txn->count(database).value() == model.size());
  auto cursor = *txn->cursor(database);
  std::map<std::string, std::string> seen;
  for (bool more = cursor.first(); more; more = cursor.next()) {
    seen.emplace(cursor.key(), cursor.value());
  }
  RC_ASSERT(seen == model);
  RC_ASSERT(cursor.status().ok());

  const auto at_or_after = model.lower_bound(probe);
  RC_ASSERT(cursor.seek(probe) == (at_or_after != model.end()));
  if (at_or_after != model.end()) RC_ASSERT(cursor.key() == at_or_after->first);
  RC_ASSERT(cursor.seek_before(probe) == (at_or_after != model.begin()));
  if (at_or_after != model.begin()) RC_ASSERT(cursor.key() == std::prev(at_or_after)->first);
}

RC_GTEST_PROP(Bytes, BigEndianKeysSortAsNumbers, (std::uint64_t a, std::uint64_t b)) {
  RC_ASSERT((be64_key(a) < be64_key(b)) == (a < b));
  RC_ASSERT(read_be64(be64_key(a)) == a);
}

RC_GTEST_PROP(Bytes, ReaderNeverReadsBeyondTheEnd, (const std::string& bytes)) {
  RecordReader reader(bytes);
  std::size_t taken = 0;
  while (reader.ok()) taken += reader.text().size() + 4;
  RC_ASSERT(taken <= bytes.size() + 4);
  RC_ASSERT(reader.u64() == 0u);
  RC_ASSERT(!reader.complete());
}

TEST(Bytes, AfterPrefixIsTheFirstKeyBehindIt) {
  EXPECT_EQ(after_prefix("ab"), "ac");
  EXPECT_EQ(after_prefix("a\xff"), "b");
  EXPECT_EQ(after_prefix("\xff\xff"), "");
}

}  // namespace
}  // namespace symphony::runtime
