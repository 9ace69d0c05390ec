// Reading git repositories through libgit2: handles that free themselves, and opening whatever
// repository a directory belongs to.
//
// Symphony only reads: the check that a repository belongs to the calling user is switched off
// (it protects against hooks and configuration that only writing or running commands would use).
// libgit2 objects are not to be shared between threads: every thread opens its own Repository.
#pragma once

#include <git2.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "messages/result.hpp"

namespace symphony::extensions::git {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using RepositoryHandle = std::unique_ptr<git_repository, Freer<git_repository_free>>;
using CommitHandle = std::unique_ptr<git_commit, Freer<git_commit_free>>;
using TreeHandle = std::unique_ptr<git_tree, Freer<git_tree_free>>;
using TreeEntryHandle = std::unique_ptr<git_tree_entry, Freer<git_tree_entry_free>>;
using BlobHandle = std::unique_ptr<git_blob, Freer<git_blob_free>>;
using DiffHandle = std::unique_ptr<git_diff, Freer<git_diff_free>>;
using PatchHandle = std::unique_ptr<git_patch, Freer<git_patch_free>>;
using BlameHandle = std::unique_ptr<git_blame, Freer<git_blame_free>>;
using ReferenceHandle = std::unique_ptr<git_reference, Freer<git_reference_free>>;
using MailmapHandle = std::unique_ptr<git_mailmap, Freer<git_mailmap_free>>;
using StatusHandle = std::unique_ptr<git_status_list, Freer<git_status_list_free>>;

// libgit2 counts its users; while one of these lives it is initialised and set up for reading.
class Library {
 public:
  Library();
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

// The text of libgit2's last error on this thread.
std::string last_error();

// Who made a commit, after .mailmap. `key` tells people apart: the address in lower case, or the
// name where there is no address. Bytes that are not UTF-8 are replaced.
struct Person {
  std::string key;
  std::string name;
  std::string email;
};

class Repository {
 public:
  // What there is at a directory (or the directory of a file): nothing when it belongs to no
  // repository. An error when there is one that cannot be read (damaged, unknown format).
  static Result<std::optional<Repository>> open(const std::string& path);

  git_repository* get() const noexcept { return handle_.get(); }

  // Where the asked directory lies below the root of the work tree: "" or "a/b/" (raw bytes).
  const std::string& prefix() const noexcept { return prefix_; }
  bool bare() const { return git_repository_is_bare(handle_.get()) == 1; }
  bool shallow() const { return git_repository_is_shallow(handle_.get()) == 1; }

  // The commit HEAD points at; nothing in an empty repository.
  std::optional<git_oid> head() const;
  Person person(const git_signature* signature) const;

 private:
  Repository(RepositoryHandle handle, std::string prefix);

  RepositoryHandle handle_;
  MailmapHandle mailmap_;
  std::string prefix_;
};

std::string hex(const git_oid& id);

}  // namespace symphony::extensions::git
