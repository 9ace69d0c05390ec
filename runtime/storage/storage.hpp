// The one LMDB environment of a node.
//
// A node keeps everything that must survive in one environment with named databases, so that one
// transaction can change several of them (a checkpoint and the artifact index commit together).
// What was committed survives `kill -9` and power loss: every commit is fully synced, there is no
// option to do otherwise, and the environment is created under another name and renamed when it
// is whole, so that a crash during creation leaves nothing half made.
//
// In `dir`: `lock` (held by flock, holds the pid of the holder), `data.mdb`, `data.mdb-lock`.
// One process at a time, and once in that process: a second open gets FAILED_PRECONDITION that
// names the holder.
//
// Format: database "storage.meta", key "format" -> 4 bytes, big-endian version. An older version
// is migrated in one transaction by `StorageOptions::migrate`; a newer one is refused.
//
// Thread-safety: all methods may be called from any thread. Nothing that comes from a Storage
// (transactions, cursors, writers) may outlive it. Do not use it in a forked child.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "messages/result.hpp"
#include "runtime/storage/txn.hpp"

struct MDB_env;

namespace symphony::runtime {

struct StorageOptions {
  // Address space reserved, and the most the data file can grow to. Costs neither memory nor disk.
  std::uint64_t map_size_bytes = std::uint64_t{64} << 30;
  unsigned max_databases = 64;
  unsigned max_readers = 512;  // read transactions open at a time
  std::uint32_t format_version = 1;
  // Brings data of `from_version` to `format_version`; runs once, inside the transaction that
  // writes the new version. Without it older data is refused.
  std::function<Status(WriteTxn& txn, std::uint32_t from_version)> migrate = {};
};

struct StorageStats {
  std::uint64_t map_size_bytes = 0;
  std::uint64_t used_bytes = 0;  // of the map, free pages inside included
  std::uint64_t last_txn = 0;
  unsigned readers = 0;  // slots in use
};

class Storage {
 public:
  // Opens the environment in `dir`, creating both when they are missing.
  // Errors: FAILED_PRECONDITION (held by another, newer format, no migration), PERMISSION_DENIED,
  // RESOURCE_EXHAUSTED, DATA_CORRUPT.
  static Result<std::unique_ptr<Storage>> open(const std::filesystem::path& dir,
                                               StorageOptions options = {});
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  // Opens a named database, creating it (one durable commit) when it is missing. Waits for the
  // write transaction under way: not to be called by the thread that holds one.
  Result<Database> open_database(std::string_view name);

  // Errors: OVERLOADED when max_readers transactions are open.
  Result<ReadTxn> begin_read() const;
  Result<WriteTxn> begin_write();

  StorageStats stats() const;
  const std::filesystem::path& dir() const { return dir_; }

 private:
  class DirectoryLock;
  class Environment;
  Storage(std::filesystem::path dir, std::unique_ptr<DirectoryLock> lock,
          std::unique_ptr<Environment> environment);
  Status check_format(const StorageOptions& options);

  std::filesystem::path dir_;
  std::unique_ptr<DirectoryLock> lock_;  // released last
  std::unique_ptr<Environment> environment_;
};

}  // namespace symphony::runtime
