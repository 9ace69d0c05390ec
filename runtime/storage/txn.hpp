// Transactions of the node's storage: what may be read and written between begin and commit.
//
// A ReadTxn sees the state of the last commit before it began, whatever is written meanwhile, and
// never waits for writers; it keeps the pages it sees from being reused, so it should be short.
// There is one WriteTxn at a time in the process; begin_write waits for its turn. Code outside
// runtime/storage/ writes through a StorageWriter, which shares one commit among many callers.
//
// Keys are 1 to 511 bytes and ordered by memcmp; values are any bytes. Views into the storage are
// valid until the transaction ends, or in a WriteTxn until the next write.
//
// Errors: RESOURCE_EXHAUSTED (disk or map full), DATA_CORRUPT, INVALID_ARGUMENT (key length),
// UNAVAILABLE (the disk failed; the environment must be reopened).
// A transaction is used by one thread at a time; a WriteTxn by the thread that began it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "messages/result.hpp"

struct MDB_txn;
struct MDB_cursor;

namespace symphony::runtime {

inline constexpr std::size_t kMaxKeyBytes = 511;  // LMDB's compiled-in limit

// A named database inside the environment, as Storage::open_database gives it.
struct Database {
  unsigned handle = 0;
};

// Walks a database in key order. Starts invalid; every move says whether it stands on an entry.
// When a move fails for another reason than reaching the end, `status()` has the error.
// REQUIRES: destroyed before its transaction ends.
class Cursor {
 public:
  explicit Cursor(MDB_cursor* cursor) : cursor_(cursor) {}  // takes ownership
  Cursor(Cursor&& other) noexcept : cursor_(std::exchange(other.cursor_, nullptr)) {}
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();

  bool first();
  bool last();
  bool seek(std::string_view key);         // the first entry at or after `key`
  bool seek_before(std::string_view key);  // the last entry before `key`
  bool next();                             // REQUIRES: valid()
  bool prev();                             // REQUIRES: valid()

  bool valid() const { return valid_; }
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  // Whether the cursor stands on an entry whose key starts with `prefix`.
  bool in(std::string_view prefix) const { return valid_ && key_.starts_with(prefix); }
  Status status() const { return error_ ? Status(*error_) : Status(); }

 private:
  bool move(int operation);

  MDB_cursor* cursor_;
  bool valid_ = false;
  std::string_view key_;
  std::string_view value_;
  std::optional<Error> error_;
};

// What reading and writing transactions have in common.
class Txn {
 public:
  Txn(const Txn&) = delete;
  Txn& operator=(const Txn&) = delete;

  // The value of `key`, nothing when it is absent.
  Result<std::optional<std::string_view>> get(Database database, std::string_view key) const;
  Result<bool> contains(Database database, std::string_view key) const;
  Result<Cursor> cursor(Database database) const;
  Result<std::uint64_t> count(Database database) const;

 protected:
  explicit Txn(MDB_txn* txn) : txn_(txn) {}
  Txn(Txn&& other) noexcept : txn_(std::exchange(other.txn_, nullptr)) {}
  ~Txn();

  MDB_txn* txn_;
};

class ReadTxn : public Txn {
 public:
  explicit ReadTxn(MDB_txn* txn) : Txn(txn) {}  // takes ownership
  ReadTxn(ReadTxn&&) noexcept = default;
};

class WriteTxn : public Txn {
 public:
  explicit WriteTxn(MDB_txn* txn) : Txn(txn) {}  // takes ownership
  WriteTxn(WriteTxn&&) noexcept = default;

  Status put(Database database, std::string_view key, std::string_view value);
  // False, and nothing written, when the key is already there.
  Result<bool> put_new(Database database, std::string_view key, std::string_view value);
  // Whether there was something to erase.
  Result<bool> erase(Database database, std::string_view key);

  // Opens a database, creating it when it is missing. For migrations: the handle is valid in this
  // transaction, and after it if it commits. Everyone else uses Storage::open_database.
  Result<Database> open_database(std::string_view name);

  // Makes everything written durable. The transaction is over, whatever the result; after an
  // error nothing of it is visible.
  Status commit();

  // Writes so far: an operation that failed while this stood still has nothing to undo.
  std::uint64_t mutations() const { return mutations_; }
  // The first write that failed for want of space or of a healthy disk. The transaction can only
  // be dropped then, even if whoever met the error ignored it.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  Error fail(int code, std::string_view doing);

  std::uint64_t mutations_ = 0;
  std::uint64_t written_bytes_ = 0;
  std::optional<Error> failure_;
};

}  // namespace symphony::runtime
