// A disk that loses power, for programs that are run with this library in LD_PRELOAD.
//
// Writes to files below DISK_FAULT_DIR happen at once, as in the page cache, and are remembered
// with what they replaced until the file is synced. When the chosen moment comes the process ends
// as if power was lost: of the writes that were not synced a random subset is kept, some of them
// torn at 512-byte sectors, and of the names created or renamed in directories that were not
// synced a random prefix. Whatever was synced stays. A sync costs nothing, so runs are fast.
//
//   DISK_FAULT_DIR       directory whose files are watched (those of locks are not)
//   DISK_FAULT_SEED      decides what is kept
//   DISK_FAULT_AT_WRITE  power goes at this write (counted from 1) ...
//   DISK_FAULT_AT_SYNC   ... or at this sync
//   DISK_FAULT_STAT      an errno: stat(2) of a data.mdb fails with it, as on a file server that
//   hangs DISK_FAULT_LMDB      "nosync" or "nometasync": opens LMDB with that flag, which is wrong,
//   to
//                        show that such a mistake is found
//
// The process exits with kExitPowerLost. The disk is put into its final state by a child that
// starts when the process is gone: nobody sees it in between, and whoever reads the process's
// output to its end knows that it is done.
#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr int kExitPowerLost = 77;
constexpr int kExitShimFailed = 78;
constexpr std::size_t kSectorBytes = 512;

template <class F>
F* real(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

ssize_t real_pwrite(int fd, const void* data, std::size_t size, off_t offset) {
  static auto* function = real<ssize_t(int, const void*, std::size_t, off_t)>("pwrite64");
  return function(fd, data, size, offset);
}

int real_open(const char* path, int flags, mode_t mode) {
  static auto* function = real<int(const char*, int, ...)>("open64");
  return function(path, flags, mode);
}

std::string text_of(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

std::uint64_t number_of(const char* variable) {
  return std::strtoull(text_of(variable).c_str(), nullptr, 10);
}

struct Write {
  off_t offset = 0;
  std::string before;  // shorter than `after` when the write made the file longer
  std::string after;
  bool durable = false;  // through a descriptor that syncs each write
};

struct File {
  std::string path;
  off_t size_before = 0;  // when the first of `unsynced` came
  std::vector<Write> unsynced;
};

// A name that was made (`from` empty) or changed. What had the name before lives on as `replaced`
// for as long as power may go (empty: nothing had it).
struct NameChange {
  std::string from;
  std::string to;
  std::string replaced;
};

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

class Disk {
 public:
  Disk()
      : dir_(text_of("DISK_FAULT_DIR")),
        random_(number_of("DISK_FAULT_SEED")),
        at_write_(number_of("DISK_FAULT_AT_WRITE")),
        at_sync_(number_of("DISK_FAULT_AT_SYNC")) {}

  std::mutex& mutex() { return mutex_; }

  bool watches(std::string_view path) const {
    if (dir_.empty() || !path.starts_with(dir_) || path.ends_with("lock")) return false;
    return path.size() == dir_.size() || path[dir_.size()] == '/';
  }

  void opened(int fd, const std::string& path, int flags, bool created) {
    if (created) made(path);
    struct stat info {};
    if (fstat(fd, &info) != 0) return;
    if (S_ISDIR(info.st_mode)) {
      directories_[fd] = path;
      return;
    }
    const Id id{info.st_dev, info.st_ino};
    files_[id].path = path;
    descriptors_[fd] = {id, (flags & (O_DSYNC | O_SYNC)) != 0};
  }

  void closed(int fd) {
    descriptors_.erase(fd);
    directories_.erase(fd);
  }

  bool watches(int fd) const { return descriptors_.count(fd) + directories_.count(fd) > 0; }
  bool watches_file(int fd) const { return descriptors_.count(fd) > 0; }

  void made(const std::string& path) { name_changes_.push_back({"", path, ""}); }

  // To be called before the rename: keeps what has the name.
  std::string keep(const std::string& path) {
    const auto kept = path + ".before-" + std::to_string(++kept_);
    return ::link(path.c_str(), kept.c_str()) == 0 ? kept : "";
  }

  void renamed(const std::string& from, const std::string& to, const std::string& replaced) {
    name_changes_.push_back({from, to, replaced});
    for (auto& [id, file] : files_) {
      if (file.path == from) file.path = to;
    }
  }

  ssize_t write(int fd, std::string data, off_t offset) {
    const auto& [id, syncs] = descriptors_.at(fd);
    auto& file = files_[id];
    const bool last = ++writes_ == at_write_;
    if (syncs && file.unsynced.empty() && !last) {
      return real_pwrite(fd, data.data(), data.size(), offset);
    }
    Write write{
        .offset = offset, .before = {}, .after = std::move(data), .durable = syncs && !last};
    struct stat info {};
    if (fstat(fd, &info) != 0) std::_Exit(kExitShimFailed);
    if (file.unsynced.empty()) file.size_before = info.st_size;
    write.before = read_back(file.path, offset, write.after.size());
    const auto size = write.after.size();
    const auto written = real_pwrite(fd, write.after.data(), size, offset);
    if (written != static_cast<ssize_t>(size)) return written;
    file.unsynced.push_back(std::move(write));
    if (last) lose_power(&file);
    return written;
  }

  void synced(int fd) {
    // Power may go before the sync had any effect, or after it had all of it.
    const bool last = ++syncs_ == at_sync_;
    if (last && coin(2)) lose_power(nullptr);
    if (const auto file = descriptors_.find(fd); file != descriptors_.end()) {
      files_[file->second.first].unsynced.clear();
    }
    if (const auto dir = directories_.find(fd); dir != directories_.end()) {
      std::erase_if(name_changes_, [&](const NameChange& change) {
        const bool durable = directory_of(change.to) == dir->second;
        if (durable && !change.replaced.empty()) ::unlink(change.replaced.c_str());
        return durable;
      });
    }
    if (last) lose_power(nullptr);
  }

 private:
  using Id = std::pair<dev_t, ino_t>;

  bool coin(unsigned sides) { return random_() % sides == 0; }

  static std::string read_back(const std::string& path, off_t offset, std::size_t size) {
    std::string bytes(size, '\0');
    const int fd = real_open(path.c_str(), O_RDONLY | O_CLOEXEC, 0);
    const auto got = fd < 0 ? -1 : ::pread(fd, bytes.data(), size, offset);
    if (got < 0) std::_Exit(kExitShimFailed);
    bytes.resize(static_cast<std::size_t>(got));
    real<int(int)>("close")(fd);
    return bytes;
  }

  [[noreturn]] void lose_power(const File* torn) {
    int alive[2];
    if (::pipe(alive) != 0) std::_Exit(kExitShimFailed);
    const auto child = ::fork();
    if (child != 0) std::_Exit(child > 0 ? kExitPowerLost : kExitShimFailed);
    real<int(int)>("close")(alive[1]);
    char nothing = 0;
    while (::read(alive[0], &nothing, 1) > 0) {
    }
    for (auto& [id, file] : files_) settle(file, &file == torn);
    settle_names();
    std::_Exit(0);
  }

  // Takes all unsynced writes back, then lets some of them happen after all.
  void settle(const File& file, bool tear_last) {
    if (file.unsynced.empty()) return;
    const int fd = real_open(file.path.c_str(), O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) return;  // removed
    for (auto write = file.unsynced.rbegin(); write != file.unsynced.rend(); ++write) {
      real_pwrite(fd, write->before.data(), write->before.size(), write->offset);
    }
    if (::ftruncate(fd, file.size_before) != 0) std::_Exit(kExitShimFailed);
    // Now and then nothing at all, or everything, got to the disk.
    const auto mood = random_() % 8;
    for (const auto& write : file.unsynced) {
      const bool keep = write.durable || mood == 1 || (mood != 0 && coin(2));
      const bool tear = !write.durable &&
                        ((tear_last && &write == &file.unsynced.back()) || (mood > 1 && coin(4)));
      if (tear) {
        keep_sectors(fd, write);
      } else if (keep) {
        real_pwrite(fd, write.after.data(), write.after.size(), write.offset);
      }
    }
  }

  void keep_sectors(int fd, const Write& write) {
    for (std::size_t at = 0; at < write.after.size();) {
      const auto position = static_cast<std::size_t>(write.offset) + at;
      const auto size = std::min(kSectorBytes - position % kSectorBytes, write.after.size() - at);
      if (coin(2)) {
        real_pwrite(fd, write.after.data() + at, size, static_cast<off_t>(position));
      }
      at += size;
    }
  }

  void settle_names() {
    const auto kept = name_changes_.empty() ? 0 : random_() % (name_changes_.size() + 1);
    while (name_changes_.size() > kept) {
      const auto change = name_changes_.back();
      name_changes_.pop_back();
      auto* rename = real<int(const char*, const char*)>("rename");
      if (change.from.empty()) {
        // A directory goes with what is in it. Not by the standard library: it closes through us.
        ::nftw(
            change.to.c_str(),
            [](const char* path, const struct stat*, int, FTW*) { return ::remove(path); }, 8,
            FTW_DEPTH | FTW_PHYS);
      } else {
        rename(change.to.c_str(), change.from.c_str());
      }
      if (!change.replaced.empty()) rename(change.replaced.c_str(), change.to.c_str());
    }
    for (const auto& change : name_changes_) {
      if (!change.replaced.empty()) ::unlink(change.replaced.c_str());
    }
  }

  std::mutex mutex_;
  const std::string dir_;
  std::mt19937_64 random_;
  const std::uint64_t at_write_;
  const std::uint64_t at_sync_;
  std::uint64_t writes_ = 0;
  std::uint64_t syncs_ = 0;
  std::uint64_t kept_ = 0;
  std::map<int, std::pair<Id, bool>> descriptors_;
  std::map<int, std::string> directories_;
  std::map<Id, File> files_;
  std::vector<NameChange> name_changes_;
};

// Made on first use, for the dynamic loader calls us before any constructor; never destroyed, for
// others write after every destructor.
Disk& disk() {
  static auto* instance = new Disk;
  return *instance;
}

int open_watched(const char* path, int flags, mode_t mode) {
  const bool watched = disk().watches(std::string_view(path));
  if (!watched) return real_open(path, flags, mode);
  std::lock_guard lock(disk().mutex());
  const bool created = (flags & O_CREAT) != 0 && ::access(path, F_OK) != 0;
  const int fd = real_open(path, flags, mode);
  if (fd >= 0) disk().opened(fd, path, flags, created);
  return fd;
}

template <class Rename>
int rename_watched(const char* from, const char* to, Rename&& rename) {
  std::lock_guard lock(disk().mutex());
  if (!disk().watches(std::string_view(to))) return rename();
  const auto replaced = disk().keep(to);
  const int result = rename();
  if (result == 0)
    disk().renamed(from, to, replaced);
  else if (!replaced.empty())
    ::unlink(replaced.c_str());
  return result;
}

// Whether stat(2) is to fail; errno says why.
bool stat_fails(const char* path) {
  const auto error_number = number_of("DISK_FAULT_STAT");
  if (error_number == 0 || !std::string_view(path).ends_with("data.mdb")) return false;
  errno = static_cast<int>(error_number);
  return true;
}

int sync_watched(int fd, const char* name) {
  {
    std::lock_guard lock(disk().mutex());
    if (disk().watches(fd)) {
      disk().synced(fd);
      return 0;
    }
  }
  return real<int(int)>(name)(fd);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : mode_t{0};
  va_end(arguments);
  return open_watched(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : mode_t{0};
  va_end(arguments);
  return open_watched(path, flags, mode);
}

int close(int fd) {
  {
    std::lock_guard lock(disk().mutex());
    disk().closed(fd);
  }
  static auto* function = real<int(int)>("close");
  return function(fd);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  {
    std::lock_guard lock(disk().mutex());
    if (disk().watches_file(fd)) {
      return disk().write(fd, std::string(static_cast<const char*>(data), size), offset);
    }
  }
  return real_pwrite(fd, data, size, offset);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  return pwrite64(fd, data, size, offset);
}

static std::string gather(const iovec* pieces, int count) {
  std::string data;
  for (int i = 0; i < count; ++i) {
    data.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  }
  return data;
}

ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset) {
  {
    std::lock_guard lock(disk().mutex());
    if (disk().watches_file(fd)) return disk().write(fd, gather(pieces, count), offset);
  }
  static auto* function = real<ssize_t(int, const iovec*, int, off_t)>("pwritev");
  return function(fd, pieces, count, offset);
}

ssize_t pwritev64(int fd, const iovec* pieces, int count, off64_t offset) {
  return pwritev(fd, pieces, count, offset);
}

// Writes at the descriptor's position, which moves.
static ssize_t write_at_position(int fd, std::string data) {
  const auto offset = lseek(fd, 0, SEEK_CUR);
  const auto written = disk().write(fd, std::move(data), offset);
  if (written > 0) lseek(fd, offset + written, SEEK_SET);
  return written;
}

ssize_t write(int fd, const void* data, size_t size) {
  {
    std::lock_guard lock(disk().mutex());
    if (disk().watches_file(fd)) {
      return write_at_position(fd, std::string(static_cast<const char*>(data), size));
    }
  }
  static auto* function = real<ssize_t(int, const void*, std::size_t)>("write");
  return function(fd, data, size);
}

ssize_t writev(int fd, const iovec* pieces, int count) {
  {
    std::lock_guard lock(disk().mutex());
    if (disk().watches_file(fd)) return write_at_position(fd, gather(pieces, count));
  }
  static auto* function = real<ssize_t(int, const iovec*, int)>("writev");
  return function(fd, pieces, count);
}

int fsync(int fd) { return sync_watched(fd, "fsync"); }
int fdatasync(int fd) { return sync_watched(fd, "fdatasync"); }

int rename(const char* from, const char* to) noexcept {
  static auto* function = real<int(const char*, const char*)>("rename");
  return rename_watched(from, to, [&] { return function(from, to); });
}

int renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) noexcept {
  static auto* function = real<int(int, const char*, int, const char*, unsigned)>("renameat2");
  if (to_dir != AT_FDCWD) return function(from_dir, from, to_dir, to, flags);
  return rename_watched(from, to, [&] { return function(from_dir, from, to_dir, to, flags); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  static auto* function = real<int(const char*, mode_t)>("mkdir");
  std::lock_guard lock(disk().mutex());
  const int result = function(path, mode);
  // Only where it would be seen that the directory above is synced.
  if (result == 0 && disk().watches(directory_of(path))) disk().made(path);
  return result;
}

int stat(const char* path, struct stat* status) noexcept {
  static auto* function = real<int(const char*, struct stat*)>("stat");
  return stat_fails(path) ? -1 : function(path, status);
}

int stat64(const char* path, struct stat64* status) noexcept {
  static auto* function = real<int(const char*, struct stat64*)>("stat64");
  return stat_fails(path) ? -1 : function(path, status);
}

int mdb_env_open(MDB_env* env, const char* path, unsigned flags, mdb_mode_t mode) {
  const auto wrong = text_of("DISK_FAULT_LMDB");
  if (wrong == "nosync") flags |= MDB_NOSYNC;
  if (wrong == "nometasync") flags |= MDB_NOMETASYNC;
  static auto* function = real<int(MDB_env*, const char*, unsigned, mdb_mode_t)>("mdb_env_open");
  return function(env, path, flags, mode);
}

}  // extern "C"
