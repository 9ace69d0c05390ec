#include "runtime/storage/txn.hpp"

#include <lmdb.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include <cerrno>

#include "runtime/storage/lmdb_error.hpp"

namespace symphony::runtime {

namespace {

MDB_val to_val(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }

std::string_view to_view(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

std::string path_of(MDB_txn* txn) {
  const char* path = nullptr;
  return mdb_env_get_path(mdb_txn_env(txn), &path) == 0 && path != nullptr ? path : "";
}

// LMDB reports a write that came out short as EIO, which is what a disk does when it fills up in
// the middle of a write.
bool looks_full(const std::string& path, std::uint64_t written_bytes) {
  constexpr std::uint64_t kSlackBytes = 1 << 20;
  const auto needed_bytes = written_bytes + kSlackBytes;
  struct statvfs volume {};
  if (statvfs(path.c_str(), &volume) == 0 &&
      std::uint64_t{volume.f_bavail} * volume.f_frsize < needed_bytes) {
    return true;
  }
  rlimit limit{};
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

}  // namespace

// ---- cursor -------------------------------------------------------------------------------------

Cursor::~Cursor() {
  if (cursor_ != nullptr) mdb_cursor_close(cursor_);
}

bool Cursor::move(int operation) {
  MDB_val key = to_val(key_);
  MDB_val value{};
  const int code = mdb_cursor_get(cursor_, &key, &value, static_cast<MDB_cursor_op>(operation));
  valid_ = code == MDB_SUCCESS;
  if (valid_) {
    key_ = to_view(key);
    value_ = to_view(value);
    return true;
  }
  key_ = value_ = {};
  if (code != MDB_NOTFOUND) {
    error_ = lmdb_error(code, "read", path_of(mdb_cursor_txn(cursor_)));
  }
  return false;
}

bool Cursor::first() { return move(MDB_FIRST); }
bool Cursor::last() { return move(MDB_LAST); }

bool Cursor::seek(std::string_view key) {
  if (key.empty()) return first();
  key_ = key;
  return move(MDB_SET_RANGE);
}

bool Cursor::seek_before(std::string_view key) {
  if (seek(key)) return move(MDB_PREV);
  return error_ ? false : last();
}

bool Cursor::next() {
  SYMPHONY_ASSERT(valid_);
  return move(MDB_NEXT);
}

bool Cursor::prev() {
  SYMPHONY_ASSERT(valid_);
  return move(MDB_PREV);
}

// ---- reading ------------------------------------------------------------------------------------

Txn::~Txn() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
}

Result<std::optional<std::string_view>> Txn::get(Database database, std::string_view key) const {
  SYMPHONY_ASSERT(txn_ != nullptr);
  MDB_val key_val = to_val(key);
  MDB_val value{};
  const int code = mdb_get(txn_, database.handle, &key_val, &value);
  if (code == MDB_SUCCESS) return std::optional(to_view(value));
  if (code == MDB_NOTFOUND) return std::optional<std::string_view>();
  return lmdb_error(code, "read", path_of(txn_));
}

Result<bool> Txn::contains(Database database, std::string_view key) const {
  auto found = get(database, key);
  if (!found) return std::move(found).error();
  return found->has_value();
}

Result<Cursor> Txn::cursor(Database database) const {
  SYMPHONY_ASSERT(txn_ != nullptr);
  MDB_cursor* cursor = nullptr;
  const int code = mdb_cursor_open(txn_, database.handle, &cursor);
  if (code != MDB_SUCCESS) return lmdb_error(code, "read", path_of(txn_));
  return Cursor(cursor);
}

Result<std::uint64_t> Txn::count(Database database) const {
  SYMPHONY_ASSERT(txn_ != nullptr);
  MDB_stat stat{};
  const int code = mdb_stat(txn_, database.handle, &stat);
  if (code != MDB_SUCCESS) return lmdb_error(code, "read", path_of(txn_));
  return std::uint64_t{stat.ms_entries};
}

// ---- writing ------------------------------------------------------------------------------------

Error WriteTxn::fail(int code, std::string_view doing) {
  const auto path = path_of(txn_);
  auto error = lmdb_error(code, doing, path);
  // LMDB checks a key before it touches anything: such a mistake leaves the transaction usable.
  if (code != MDB_BAD_VALSIZE && !failure_) failure_ = error;
  return error;
}

Status WriteTxn::put(Database database, std::string_view key, std::string_view value) {
  SYMPHONY_ASSERT(txn_ != nullptr);
  MDB_val key_val = to_val(key);
  MDB_val value_val = to_val(value);
  const int code = mdb_put(txn_, database.handle, &key_val, &value_val, 0);
  if (code != MDB_SUCCESS) return fail(code, "write to");
  ++mutations_;
  written_bytes_ += key.size() + value.size();
  return {};
}

Result<bool> WriteTxn::put_new(Database database, std::string_view key, std::string_view value) {
  SYMPHONY_ASSERT(txn_ != nullptr);
  MDB_val key_val = to_val(key);
  MDB_val value_val = to_val(value);
  const int code = mdb_put(txn_, database.handle, &key_val, &value_val, MDB_NOOVERWRITE);
  if (code == MDB_KEYEXIST) return false;
  if (code != MDB_SUCCESS) return fail(code, "write to");
  ++mutations_;
  written_bytes_ += key.size() + value.size();
  return true;
}

Result<bool> WriteTxn::erase(Database database, std::string_view key) {
  SYMPHONY_ASSERT(txn_ != nullptr);
  MDB_val key_val = to_val(key);
  const int code = mdb_del(txn_, database.handle, &key_val, nullptr);
  if (code == MDB_NOTFOUND) return false;
  if (code != MDB_SUCCESS) return fail(code, "write to");
  ++mutations_;
  return true;
}

Result<Database> WriteTxn::open_database(std::string_view name) {
  SYMPHONY_ASSERT(txn_ != nullptr);
  MDB_dbi dbi = 0;
  const int code = mdb_dbi_open(txn_, std::string(name).c_str(), MDB_CREATE, &dbi);
  if (code != MDB_SUCCESS) return fail(code, "open database \"" + std::string(name) + "\" in");
  return Database{dbi};
}

Status WriteTxn::commit() {
  SYMPHONY_ASSERT(txn_ != nullptr);
  if (failure_) {
    mdb_txn_abort(std::exchange(txn_, nullptr));
    return *failure_;
  }
  const auto path = path_of(txn_);
  int code = mdb_txn_commit(std::exchange(txn_, nullptr));
  if (code == EIO && looks_full(path, written_bytes_)) code = ENOSPC;
  if (code != MDB_SUCCESS) return lmdb_error(code, "commit to", path);
  return {};
}

}  // namespace symphony::runtime
