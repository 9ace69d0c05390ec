#include "runtime/storage/storage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <lmdb.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "runtime/storage/bytes.hpp"
#include "runtime/storage/lmdb_error.hpp"
#include "runtime/system/descriptor.hpp"
#include "runtime/system/fs.hpp"

namespace symphony::runtime {

namespace {

constexpr std::string_view kMetaDatabase = "storage.meta";
constexpr std::string_view kFormatKey = "format";
constexpr mode_t kFileMode = 0600;

// LMDB takes a file without bytes for a new environment.
Status refuse_empty(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return system_error("look at", file, errno);
  if (status.st_size > 0) return {};
  return Error{.code = Errc::DATA_CORRUPT,
               .message = fmt::format("{} is empty, and was not when it was made; restore it from "
                                      "a copy, or remove it to begin anew",
                                      file.native())};
}

}  // namespace

// ---- the lock -----------------------------------------------------------------------------------

class Storage::DirectoryLock {
 public:
  static Result<std::unique_ptr<DirectoryLock>> acquire(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
    if (fd < 0) return lmdb_error(errno, "open", path.native());
    std::unique_ptr<DirectoryLock> lock(new DirectoryLock(fd));
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return lmdb_error(errno, "lock", path.native());
      return held_by_another(fd, path);
    }
    const auto pid = fmt::format("{}\n", ::getpid());
    if (::ftruncate(fd, 0) != 0 ||
        ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
      return lmdb_error(errno, "write", path.native());
    }
    return lock;
  }

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}

  static Error held_by_another(int fd, const std::filesystem::path& path) {
    char text[32] = {};
    const auto size = ::pread(fd, text, sizeof(text) - 1, 0);
    std::string holder(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    while (!holder.empty() && (holder.back() < '0' || holder.back() > '9')) holder.pop_back();
    const auto dir = path.parent_path().native();
    return Error{.code = Errc::FAILED_PRECONDITION,
                 .message = fmt::format("{} is in use by process {}; stop that process, or use "
                                        "another node name",
                                        dir, holder.empty() ? "(unknown)" : holder)};
  }

  Descriptor fd_;
};

// ---- the environment ----------------------------------------------------------------------------

class Storage::Environment {
 public:
  static Result<std::unique_ptr<Environment>> open(const std::filesystem::path& file,
                                                   const StorageOptions& options) {
    MDB_env* env = nullptr;
    int code = mdb_env_create(&env);
    if (code != MDB_SUCCESS) return lmdb_error(code, "open", file.native());
    std::unique_ptr<Environment> owned(new Environment(env));
    if (code == MDB_SUCCESS) code = mdb_env_set_mapsize(env, options.map_size_bytes);
    if (code == MDB_SUCCESS) code = mdb_env_set_maxdbs(env, options.max_databases + 1);
    if (code == MDB_SUCCESS) code = mdb_env_set_maxreaders(env, options.max_readers);
    // Full sync: MDB_NOSYNC, MDB_NOMETASYNC and MDB_WRITEMAP would each lose what was acknowledged.
    if (code == MDB_SUCCESS) {
      code = mdb_env_open(env, file.c_str(), MDB_NOSUBDIR | MDB_NOTLS, kFileMode);
    }
    if (code != MDB_SUCCESS) return lmdb_error(code, "open", file.native());
    return owned;
  }

  ~Environment() { mdb_env_close(env_); }
  MDB_env* get() const { return env_; }

 private:
  explicit Environment(MDB_env* env) : env_(env) {}
  MDB_env* env_;
};

Storage::Storage(std::filesystem::path dir, std::unique_ptr<DirectoryLock> lock,
                 std::unique_ptr<Environment> environment)
    : dir_(std::move(dir)), lock_(std::move(lock)), environment_(std::move(environment)) {}

Storage::~Storage() = default;

Result<std::unique_ptr<Storage>> Storage::open(const std::filesystem::path& dir,
                                               StorageOptions options) {
  if (auto made = create_directories(dir, 0700); !made) return std::move(made).error();
  auto lock = DirectoryLock::acquire(dir / "lock");
  if (!lock) return std::move(lock).error();

  const auto file = dir / "data.mdb";
  const auto unfinished = dir / "data.mdb.new";
  // Data that cannot be looked at is not data that is missing.
  const auto there = path_exists(file);
  if (!there) return there.error();
  const bool create = !*there;
  std::error_code ignored;
  if (create) {
    std::filesystem::remove(unfinished, ignored);
  } else if (auto whole = refuse_empty(file); !whole) {
    return std::move(whole).error();
  }
  auto environment = Environment::open(create ? unfinished : file, options);
  if (!environment) return std::move(environment).error();
  std::unique_ptr<Storage> storage(new Storage(dir, std::move(*lock), std::move(*environment)));
  if (auto checked = storage->check_format(options); !checked) return std::move(checked).error();
  if (!create) return storage;

  // Whole now: give it its name, durably, and open it under that.
  storage->environment_.reset();
  if (auto named = rename_new(unfinished, file); !named) return std::move(named).error();
  std::filesystem::remove(dir / "data.mdb.new-lock", ignored);
  if (auto synced = sync_directory(dir); !synced) return std::move(synced).error();
  auto reopened = Environment::open(file, options);
  if (!reopened) return std::move(reopened).error();
  storage->environment_ = std::move(*reopened);
  return storage;
}

Status Storage::check_format(const StorageOptions& options) {
  auto txn = begin_write();
  if (!txn) return std::move(txn).error();
  auto meta = txn->open_database(kMetaDatabase);
  if (!meta) return std::move(meta).error();
  auto stored = txn->get(*meta, kFormatKey);
  if (!stored) return std::move(stored).error();

  std::string version;
  append_be32(version, options.format_version);
  if (stored->has_value()) {
    if ((*stored)->size() != version.size()) {
      return Error{.code = Errc::DATA_CORRUPT,
                   .message = fmt::format("{} has no readable format version; restore it from a "
                                          "copy",
                                          dir_.native())};
    }
    const auto found = read_be32(**stored);
    if (found == options.format_version) return {};
    if (found > options.format_version || !options.migrate) {
      return Error{.code = Errc::FAILED_PRECONDITION,
                   .message = fmt::format("{} has format {} and this program reads format {}; use "
                                          "the version of symphony that wrote it",
                                          dir_.native(), found, options.format_version)};
    }
    if (auto migrated = options.migrate(*txn, found); !migrated) return migrated;
  }
  if (auto put = txn->put(*meta, kFormatKey, version); !put) return put;
  return txn->commit();
}

Result<Database> Storage::open_database(std::string_view name) {
  auto txn = begin_write();
  if (!txn) return std::move(txn).error();
  auto database = txn->open_database(name);
  if (!database) return database;
  if (auto committed = txn->commit(); !committed) return std::move(committed).error();
  return database;
}

Result<ReadTxn> Storage::begin_read() const {
  MDB_txn* txn = nullptr;
  const int code = mdb_txn_begin(environment_->get(), nullptr, MDB_RDONLY, &txn);
  if (code != MDB_SUCCESS) return lmdb_error(code, "read", dir_.native());
  return ReadTxn(txn);
}

Result<WriteTxn> Storage::begin_write() {
  MDB_txn* txn = nullptr;
  const int code = mdb_txn_begin(environment_->get(), nullptr, 0, &txn);
  if (code != MDB_SUCCESS) return lmdb_error(code, "write to", dir_.native());
  return WriteTxn(txn);
}

StorageStats Storage::stats() const {
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(environment_->get(), &info);
  mdb_env_stat(environment_->get(), &stat);
  // me_numreaders is a high-water mark: count the slots that are taken.
  struct Count {
    unsigned slots = 0;
    bool header = true;
  } count;
  mdb_reader_list(
      environment_->get(),
      [](const char*, void* context) {
        auto& seen = *static_cast<Count*>(context);
        if (seen.header) {
          seen.header = false;
        } else {
          ++seen.slots;
        }
        return 0;
      },
      &count);
  return {.map_size_bytes = info.me_mapsize,
          .used_bytes = (std::uint64_t{info.me_last_pgno} + 1) * stat.ms_psize,
          .last_txn = info.me_last_txnid,
          .readers = count.slots};
}

}  // namespace symphony::runtime
