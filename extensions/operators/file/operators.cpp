// file.glob, file.read, file.write, file.stat, file.store.
#include "extensions/operators/operators.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "extensions/operators/file/io.hpp"
#include "extensions/operators/file/walk.hpp"
#include "extensions/operators/git/command.hpp"
#include "extensions/operators/kit.hpp"
#include "extensions/operators/paths.hpp"
#include "runtime/system/file_writer.hpp"

namespace symphony::extensions {

namespace {

using actors::OperatorContext;
using actors::ValueType;

constexpr std::int64_t kMaxGlobFiles = 1'000'000;
constexpr std::size_t kStoreBatchBytes = 8 * 1024 * 1024;  // one transaction
constexpr std::size_t kStoreBatchFiles = 256;
constexpr std::size_t kProgressStride = 64;

runtime::PatternList patterns(ArgumentReader& args, std::string_view name) {
  runtime::PatternList list;
  const auto texts = args.texts(name);
  if (texts.size() > runtime::kMaxPatterns)
    args.fail(name, "more than " + std::to_string(runtime::kMaxPatterns) + " patterns");
  for (const auto& text : texts) {
    if (text.empty() || text.size() > runtime::kMaxPatternBytes)
      args.fail(name,
                "a pattern must have 1 to " + std::to_string(runtime::kMaxPatternBytes) + " bytes");
    list.add(decode_path(text));
  }
  return list;
}

// How many bytes at the end are the beginning of a character whose rest was not read.
std::size_t cut_character_bytes(std::string_view content) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, content.size()); ++back) {
    const auto byte = static_cast<unsigned char>(content[content.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC2 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

Result<Json> glob(ArgumentReader& args, OperatorContext& context) {
  const std::string root = args.path("root");
  WalkOptions options;
  options.include = patterns(args, "include");
  options.exclude = patterns(args, "exclude");
  options.exclude_paths = args.full_paths("exclude_paths");
  options.follow_symlinks = args.flag("follow_symlinks");
  options.hidden = args.flag("hidden");
  options.gitignore = args.flag("gitignore");
  options.max_files = static_cast<std::size_t>(args.integer("max_files", 1, kMaxGlobFiles));
  if (auto status = args.status(); !status) return status.error();
  if (root.empty())
    return invalid("root must not be empty; use . for the current directory", "root");

  Poller poller(context, 1);
  auto walked = walk(root, options, git::caller_of(context), [&] { return poller.check(); });
  if (!walked) return walked.error();
  Json files = Json::array();
  for (const auto& file : walked->files) {
    files.push_back({{"path", encode_path(file.path)},
                     {"size", file.size_bytes},
                     {"mode", mode_text(file.mode)}});
  }
  SkippedFiles skipped;
  for (auto& skip : walked->skipped) skipped.add(skip.path, std::move(skip.reason));
  const std::size_t skipped_count = skipped.count();
  return Json{{"files", std::move(files)},
              {"skipped", skipped.take()},
              {"skipped_count", skipped_count},
              {"total_bytes", walked->total_bytes},
              {"truncated", walked->truncated}};
}

Result<Json> read(ArgumentReader& args, OperatorContext&) {
  const std::string path = args.path("path");
  const auto max_bytes = args.integer("max_bytes", 0, kMaxFileBytes);
  const bool base64 = args.choice("encoding", {"text", "base64"}) == "base64";
  if (auto status = args.status(); !status) return status.error();

  std::string content;
  const auto prefix = read_prefix(path, static_cast<std::size_t>(max_bytes), content);
  if (!prefix) return prefix.error();
  // A prefix may end within a character: that is no fault of the file's.
  if (prefix->truncated && !base64) content.resize(content.size() - cut_character_bytes(content));
  const bool valid = is_utf8(content);
  const bool binary = looks_binary(content);
  return Json{{"content", base64  ? to_base64(content)
                          : valid ? std::move(content)
                                  : to_utf8_lossy(content)},
              {"size", prefix->size_bytes},
              {"truncated", prefix->truncated},
              {"binary", binary},
              {"valid_utf8", valid}};
}

Result<Json> write(ArgumentReader& args, OperatorContext& context) {
  const std::string path = args.path("path");
  const std::string& content = args.text("content");
  const bool base64 = args.choice("encoding", {"text", "base64"}) == "base64";
  const bool create_dirs = args.flag("create_dirs");
  if (auto status = args.status(); !status) return status.error();
  if (path.empty()) return invalid("path must not be empty", "path");

  std::string decoded;
  if (base64) {
    auto bytes = from_base64(content);
    if (!bytes) return invalid(bytes.error().message, "content");
    decoded = std::move(*bytes);
  }
  const std::string& bytes = base64 ? decoded : content;
  Poller poller(context, 1);
  if (auto written = runtime::write_file(
          path, bytes,
          {.create_directories = create_dirs, .going_on = [&] { return poller.check(); }});
      !written)
    return written.error();
  return Json{{"path", encode_path(path)}, {"size", bytes.size()}};
}

Result<Json> stat_files(ArgumentReader& args, OperatorContext& context) {
  const std::string root = args.root("root");
  const auto paths = args.paths("paths");
  if (auto status = args.status(); !status) return status.error();

  Json files = Json::array();
  Poller poller(context);
  for (const auto& path : paths) {
    if (auto going = poller.check(); !going) return going.error();
    struct stat info {};
    Json file = {{"path", encode_path(path)}};
    if (::lstat(join_path(root, path).c_str(), &info) != 0) {
      file["exists"] = false;
      file["reason"] = reason_of(errno);
    } else {
      const auto modified_ms =
          static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1000 + info.st_mtim.tv_nsec / 1'000'000;
      file.update({{"exists", true},
                   {"type", file_type(info.st_mode)},
                   {"size", info.st_size},
                   {"mode", mode_text(info.st_mode)},
                   {"modified_ms", modified_ms}});
    }
    files.push_back(std::move(file));
  }
  return Json{{"files", std::move(files)}};
}

// Collects drafts and stores them a batch at a time. A file whose name the store refuses is left
// out, and costs no other.
class Storer {
 public:
  Storer(OperatorContext& context, SkippedFiles& skipped) : context_(context), skipped_(skipped) {}

  Status add(const std::string& path, std::string name, std::string content) {
    bytes_ += content.size();
    paths_.push_back(path);
    const bool text = !looks_binary(content) && is_utf8(content);
    drafts_.push_back({.content = std::move(content),
                       .name = std::move(name),
                       .media_type = text ? "text/plain; charset=utf-8" : ""});
    if (bytes_ < kStoreBatchBytes && drafts_.size() < kStoreBatchFiles) return {};
    return flush();
  }

  Status flush() {
    if (drafts_.empty()) return {};
    Status stored = store(0, drafts_.size());
    if (!stored && stored.error().code == Errc::INVALID_ARGUMENT) {
      stored = {};
      for (std::size_t i = 0; stored && i < drafts_.size(); ++i) {
        stored = store(i, 1);
        if (stored || stored.error().code != Errc::INVALID_ARGUMENT) continue;
        skipped_.add(paths_[i], stored.error().message);
        stored = {};
      }
    }
    drafts_.clear();
    paths_.clear();
    bytes_ = 0;
    return stored;
  }

  std::uint64_t total_bytes() const noexcept { return total_bytes_; }
  Json take() { return std::move(stored_); }

 private:
  Status store(std::size_t first, std::size_t count) {
    auto digests = context_.store(std::span(drafts_).subspan(first, count));
    if (!digests) return digests.error();
    SYMPHONY_ASSERT(digests->size() == count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t size = drafts_[first + i].content.size();
      stored_.push_back({{"path", encode_path(paths_[first + i])},
                         {"size", size},
                         {"digest", std::move((*digests)[i])}});
      total_bytes_ += size;
    }
    return {};
  }

  OperatorContext& context_;
  SkippedFiles& skipped_;
  std::vector<actors::ArtifactDraft> drafts_;
  std::vector<std::string> paths_;
  std::size_t bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
  Json stored_ = Json::array();
};

Result<Json> store(ArgumentReader& args, OperatorContext& context) {
  const std::string root = args.root("root");
  const auto paths = args.paths("paths");
  const std::string& prefix = args.text("prefix");
  const auto max_bytes = args.integer("max_file_bytes", 0, kMaxFileBytes);
  if (auto status = args.status(); !status) return status.error();

  SkippedFiles skipped;
  Storer storer(context, skipped);
  Poller poller(context, 1);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (auto going = poller.check(); !going) return going.error();
    if (i % kProgressStride == 0)
      context.progress(static_cast<double>(i), static_cast<double>(paths.size()));
    std::string content;
    const auto read =
        read_prefix(join_path(root, paths[i]), static_cast<std::size_t>(max_bytes), content);
    if (!read || read->truncated) {
      skipped.add(paths[i],
                  !read ? read.error().message
                        : std::to_string(read->size_bytes) + " bytes, more than max_file_bytes");
      continue;
    }
    std::string name = prefix.empty() ? "" : prefix + "/" + encode_path(paths[i]);
    if (auto added = storer.add(paths[i], std::move(name), std::move(content)); !added)
      return added.error();
  }
  if (auto flushed = storer.flush(); !flushed) return flushed.error();
  return Json{
      {"files", storer.take()}, {"total_bytes", storer.total_bytes()}, {"skipped", skipped.take()}};
}

actors::ArgumentSpec root_argument() {
  return optional("root", ValueType::path, "", "directory that relative paths start from");
}

actors::ResultSpec skipped_result() {
  return result("skipped", ValueType::list, "what was left out: path and reason");
}

actors::OperatorSpec glob_spec() {
  return {
      .name = "file.glob",
      .summary = "Lists the regular files below a directory, sorted by the bytes of their paths",
      .arguments =
          {required("root", ValueType::path, "directory to walk"),
           optional("include", ValueType::list, Json::array(),
                    "patterns as in .gitignore (*, ?, [a-z], **, dir/); a file that none covers is "
                    "left out; empty: all files"),
           optional("exclude", ValueType::list, Json::array(),
                    "patterns of files and directories to leave out; !pattern takes back"),
           optional("exclude_paths", ValueType::list, Json::array(),
                    "paths of files and directories to leave out, absolute or relative to the "
                    "directory of the run as root is; those that do not exist do no harm"),
           optional("follow_symlinks", ValueType::boolean, false,
                    "follow symbolic links; each directory is visited once"),
           optional("hidden", ValueType::boolean, false, "list names that start with a dot too"),
           optional("gitignore", ValueType::boolean, true,
                    "in a git work tree, leave out what its .gitignore files name and git does not "
                    "track; .git itself is always left out"),
           optional("max_files", ValueType::integer, 200'000, "stop after this many files")},
      .results = {result("files", ValueType::list,
                         "an object a file: path relative to root, size in bytes, mode (\"0644\")"),
                  skipped_result(),
                  result("skipped_count", ValueType::integer,
                         "how many were left out; the list holds at most 10,000"),
                  result("total_bytes", ValueType::integer, "size of all listed files in bytes"),
                  result("truncated", ValueType::boolean, "whether max_files was reached")}};
}

}  // namespace

void add_file_operators(actors::OperatorRegistry& registry) {
  registry.add(make_operator(glob_spec(), glob));
  registry.add(make_operator(
      {.name = "file.read",
       .summary = "Reads a regular file, at most max_bytes of it",
       .arguments = {required("path", ValueType::path, "file to read"),
                     optional("max_bytes", ValueType::integer, 1024 * 1024,
                              "read at most this many bytes from the start"),
                     optional("encoding", ValueType::text, "text",
                              "text (bytes that are not UTF-8 become U+FFFD) or base64 (exact)")},
       .results = {result("content", ValueType::text, "what was read"),
                   result("size", ValueType::integer, "size of the whole file in bytes"),
                   result("truncated", ValueType::boolean, "whether the file holds more"),
                   result("binary", ValueType::boolean,
                          "whether there is a zero byte in the first 8000"),
                   result("valid_utf8", ValueType::boolean, "whether what was read is UTF-8")}},
      read));
  registry.add(make_operator(
      {.name = "file.write",
       .summary = "Writes a file, all or nothing: written beside it, synced, renamed",
       .arguments = {required("path", ValueType::path,
                              "file to write; what a symbolic link leads to is replaced, a pipe or "
                              "device is written into"),
                     required("content", ValueType::text, "what it shall hold"),
                     optional("encoding", ValueType::text, "text",
                              "how content is given: text or base64"),
                     optional("create_dirs", ValueType::boolean, false,
                              "create missing directories above it")},
       .results = {result("path", ValueType::path, "the file"),
                   result("size", ValueType::integer, "bytes written")}},
      write));
  registry.add(make_operator(
      {.name = "file.stat",
       .summary = "Describes files without following symbolic links",
       .arguments = {required("paths", ValueType::list,
                              "files to describe: paths, or objects with a path"),
                     root_argument()},
       .results = {result("files", ValueType::list,
                          "an object a path, in order: path, exists; if so type (file, directory, "
                          "symlink, fifo, socket, device), size in bytes, mode, modified_ms "
                          "(milliseconds since 1970); else reason")}},
      stat_files));
  registry.add(make_operator(
      {.name = "file.store",
       .summary = "Stores files in the artifact store, a batch of at most 8 MiB or 256 at a time",
       .arguments = {required("paths", ValueType::list,
                              "files to store: paths, or objects with a path"),
                     root_argument(),
                     optional("prefix", ValueType::text, "",
                              "name each artifact prefix/path; empty: content without a name"),
                     optional("max_file_bytes", ValueType::integer, 32 * 1024 * 1024,
                              "files larger than this many bytes are skipped")},
       .results = {result("files", ValueType::list,
                          "an object a stored file: path, digest (SHA-256), size in bytes"),
                   result("total_bytes", ValueType::integer, "bytes stored"), skipped_result()}},
      store));
}

}  // namespace symphony::extensions
