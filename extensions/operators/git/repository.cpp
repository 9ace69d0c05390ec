#include "extensions/operators/git/repository.hpp"

#include "extensions/operators/paths.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>

namespace symphony::extensions::git {
namespace {

namespace fs = std::filesystem;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string prefix_below(git_repository* repository, const fs::path& directory) {
  const char* root = git_repository_workdir(repository);
  if (root == nullptr) return "";
  std::error_code error;
  const std::string canonical_root = fs::canonical(root, error).string();
  if (error) return "";
  const std::string canonical = fs::canonical(directory, error).string();
  if (error || canonical == canonical_root) return "";
  const std::string start = canonical_root.back() == '/' ? canonical_root : canonical_root + '/';
  return canonical.starts_with(start) ? canonical.substr(start.size()) + '/' : "";
}

}  // namespace

Library::Library() {
  git_libgit2_init();
  git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
}

Library::~Library() { git_libgit2_shutdown(); }

std::string last_error() {
  const git_error* error = git_error_last();
  return error != nullptr && error->message != nullptr ? to_utf8_lossy(error->message)
                                                       : "unknown error";
}

Repository::Repository(RepositoryHandle handle, std::string prefix)
    : handle_(std::move(handle)), prefix_(std::move(prefix)) {
  git_mailmap* mailmap = nullptr;
  if (git_mailmap_from_repository(&mailmap, handle_.get()) == 0) mailmap_.reset(mailmap);
}

Result<std::optional<Repository>> Repository::open(const std::string& path) {
  std::error_code error;
  fs::path directory = path.empty() ? fs::path(".") : fs::path(path);
  if (!fs::is_directory(directory, error)) directory = directory.parent_path();
  if (directory.empty()) directory = ".";
  git_repository* raw = nullptr;
  const int code = git_repository_open_ext(&raw, directory.c_str(), 0, nullptr);
  RepositoryHandle handle(raw);
  if (code == GIT_ENOTFOUND) return std::optional<Repository>();
  if (code != 0) {
    return Error{Errc::UNAVAILABLE, "The git repository at " + to_utf8_lossy(path) +
                                        " cannot be read: " + last_error()};
  }
  std::string prefix = prefix_below(raw, directory);
  return std::optional<Repository>(Repository(std::move(handle), std::move(prefix)));
}

std::optional<git_oid> Repository::head() const {
  git_oid id;
  if (git_reference_name_to_id(&id, handle_.get(), "HEAD") != 0) return std::nullopt;
  return id;
}

Person Repository::person(const git_signature* signature) const {
  if (signature == nullptr) return Person{"", "unknown", ""};
  const char* name = signature->name;
  const char* email = signature->email;
  if (mailmap_) {
    git_mailmap_resolve(&name, &email, mailmap_.get(), signature->name, signature->email);
  }
  Person person{"", to_utf8_lossy(name == nullptr ? "" : name),
                to_utf8_lossy(email == nullptr ? "" : email)};
  if (person.name.empty()) person.name = person.email.empty() ? "unknown" : person.email;
  person.key = lower(person.email.empty() ? person.name : person.email);
  return person;
}

std::string hex(const git_oid& id) {
  char text[GIT_OID_HEXSZ + 1];
  git_oid_tostr(text, sizeof text, &id);
  return text;
}

}  // namespace symphony::extensions::git
