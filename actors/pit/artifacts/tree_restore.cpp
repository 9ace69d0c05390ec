#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "actors/pit/artifacts/tree_put.hpp"

namespace symphony::actors {

namespace {

// Set-user, set-group and sticky bits are not restored: content may come from anywhere.
constexpr mode_t kRestoredBits = 0777;

Error failed(std::string_view doing, const std::string& path) {
  const int code = errno;
  const auto kind = code == ENOSPC || code == EDQUOT                   ? Errc::RESOURCE_EXHAUSTED
                    : code == EACCES || code == EPERM || code == EROFS ? Errc::PERMISSION_DENIED
                    : code == EEXIST || code == ENOTEMPTY              ? Errc::ALREADY_EXISTS
                                                                       : Errc::UNAVAILABLE;
  return {.code = kind,
          .message = fmt::format("cannot {} {}: {}", doing, path, std::strerror(code))};
}

Status write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// The directory that holds `path`, opened without following a symlink, and the last component.
struct Place {
  OwnedFd dir;
  std::string name;
};

Place place_of(int root, const std::string& path) {
  const auto slash = path.rfind('/');
  const auto parent = slash == std::string::npos ? std::string(".") : path.substr(0, slash);
  return {open_beneath(root, parent, O_RDONLY | O_DIRECTORY),
          slash == std::string::npos ? path : path.substr(slash + 1)};
}

Status restore(const ArtifactStore& store, int root, const TreeEntry& entry) {
  const auto place = place_of(root, entry.path);
  if (!place.dir) return failed("open the directory of", entry.path);
  const auto* name = place.name.c_str();
  switch (entry.kind) {
    case TreeEntryKind::directory:
      // Its own permissions come when everything is in it.
      if (::mkdirat(place.dir.get(), name, 0700) != 0) return failed("create", entry.path);
      return {};
    case TreeEntryKind::symlink:
      if (::symlinkat(entry.target.c_str(), place.dir.get(), name) != 0) {
        return failed("create", entry.path);
      }
      return {};
    case TreeEntryKind::file:
      break;
  }
  OwnedFd file(
      ::openat(place.dir.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return failed("create", entry.path);
  auto written = store.stream(
      entry.digest, [&](std::string_view part) { return write_all(file.get(), part, entry.path); });
  if (!written) return written;
  if (::fchmod(file.get(), entry.mode & kRestoredBits) != 0) {
    return failed("set the permissions of", entry.path);
  }
  return {};
}

Result<OwnedFd> open_empty(const std::filesystem::path& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  OwnedFd root(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return failed("open", dir.native());
  if (!std::filesystem::is_empty(dir, error) || error) {
    return Error{
        .code = Errc::ALREADY_EXISTS,
        .message = fmt::format("{} is not empty; restore into a new directory", dir.native())};
  }
  return root;
}

}  // namespace

Result<std::vector<TreeEntry>> load_tree(const ArtifactStore& store, const Digest& digest) {
  auto bytes = store.get(digest, kMaxTreeBytes);
  if (!bytes) return std::move(bytes).error();
  auto entries = decode_tree(*bytes);
  if (entries) return entries;
  return Error{.code = Errc::INVALID_ARGUMENT,
               .message = fmt::format("the artifact {} is not a tree: {}", digest.hex(),
                                      entries.error().message)};
}

Status materialise(const ArtifactStore& store, const Digest& tree,
                   const std::filesystem::path& dir) {
  auto entries = load_tree(store, tree);
  if (!entries) return std::move(entries).error();
  auto root = open_empty(dir);
  if (!root) return std::move(root).error();
  for (const auto& entry : *entries) {
    if (auto restored = restore(store, root->get(), entry); !restored) return restored;
  }
  // Deepest first: a directory without write permission takes no more entries.
  for (auto entry = entries->rbegin(); entry != entries->rend(); ++entry) {
    if (entry->kind != TreeEntryKind::directory) continue;
    OwnedFd opened = open_beneath(root->get(), entry->path, O_RDONLY | O_DIRECTORY);
    if (!opened || ::fchmod(opened.get(), entry->mode & kRestoredBits) != 0) {
      return failed("set the permissions of", entry->path);
    }
  }
  return {};
}

}  // namespace symphony::actors
