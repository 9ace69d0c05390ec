// A program to be killed: stores artifacts and says which are acknowledged.
//
//   artifacts_driver put DIR TREE SEED COUNT   stores COUNT artifacts on each of kPutters threads,
//                                              and the directory TREE again and again meanwhile;
//                                              "ack NAME@VERSION DIGEST" for each, once durable
//   artifacts_driver write DIR COUNT           writes eight files in DIR/new/ over and over, COUNT
//                                              times in all; "ack PATH N", once N is in it durably
//   artifacts_driver check DIR                 reads such lines (without "ack ") from standard
//                                              input and says what is lost or damaged; exit code 0
//                                              when nothing is
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <random>
#include <thread>

#include "actors/pit/artifacts/artifact_messages.hpp"
#include "actors/pit/artifacts/artifact_verify.hpp"
#include "actors/pit/artifacts/content_upload.hpp"
#include "actors/pit/artifacts/tree_walk.hpp"
#include "runtime/system/file_writer.hpp"

namespace {

using namespace symphony;
using namespace symphony::actors;

constexpr int kPutters = 2;
constexpr std::size_t kPartBytes = 16 << 10;  // small, so that many artifacts have several
constexpr std::size_t kMaxContentBytes = 100'000;

int fail(const Error& error) {
  std::cerr << to_string(error) << '\n';
  return 2;
}

// One write, so that a line is there whole or not at all.
void acknowledge(const VersionRecord& record) {
  const auto line = fmt::format("ack {}@{} {}\n", record.name, record.version, record.digest.hex());
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(3);
}

std::string make_content(std::mt19937_64& random) {
  // Mostly small, now and then several parts; half of it compresses.
  const auto limit = random() % 8 == 0 ? kMaxContentBytes : std::size_t{2000};
  std::string content(random() % limit, '\0');
  const auto mask = random() % 2 == 0 ? 0xff : 0x03;
  for (auto& byte : content) byte = static_cast<char>(random() & mask);
  return content;
}

Status put_one(const ArtifactStore& store, runtime::StorageWriter& writer, std::string_view content,
               std::string name, bool upload) {
  ArtifactBatch batch;
  if (upload) {
    ContentUpload pieces(store);
    for (std::size_t at = 0; at < content.size(); at += 10'000) {
      ArtifactBatch parts;
      auto ready = pieces.append(content.substr(at, 10'000));
      if (!ready) return std::move(ready).error();
      parts.parts = std::move(*ready);
      if (auto written = store.write(writer, std::move(parts)); !written) {
        return std::move(written).error();
      }
    }
    auto prepared = pieces.finish();
    if (!prepared) return std::move(prepared).error();
    batch.contents.push_back(std::move(*prepared));
  } else {
    auto prepared = store.prepare(content);
    if (!prepared) return std::move(prepared).error();
    batch.contents.push_back(std::move(*prepared));
  }
  batch.versions.push_back({.name = std::move(name), .digest = batch.contents.front().info.digest});
  auto outcome = store.write(writer, std::move(batch));
  if (!outcome) return std::move(outcome).error();
  acknowledge(outcome->versions.front());
  return {};
}

// Contents, then the listing with its name.
Result<VersionRecord> put_tree(const ArtifactStore& store, runtime::StorageWriter& writer,
                               const std::string& dir) {
  const runtime::Descriptor root(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  auto listing = walk_tree(root.get());
  if (!listing) return std::move(listing).error();
  ArtifactBatch contents;
  for (auto& entry : listing->entries) {
    if (entry.kind != TreeEntryKind::file) continue;
    auto file = FileReading::open(root.get(), entry.path);
    if (!file) return std::move(file).error();
    std::string content(file->size_bytes(), '\0');
    if (auto read = file->read(content.data(), content.size()); !read) return read.error();
    auto prepared = store.prepare(content);
    if (!prepared) return std::move(prepared).error();
    entry.digest = prepared->info.digest;
    entry.size_bytes = content.size();
    contents.contents.push_back(std::move(*prepared));
    if (contents.contents.size() < 20) continue;
    if (auto written = store.write(writer, std::exchange(contents, {})); !written)
      return written.error();
  }
  if (auto written = store.write(writer, std::move(contents)); !written) return written.error();
  auto tree = prepare_tree(store, std::move(listing->entries));
  if (!tree) return std::move(tree).error();
  ArtifactBatch last;
  last.versions.push_back({.name = "tree",
                           .kind = ArtifactKind::tree,
                           .digest = tree->sizes.digest,
                           .sizes = tree->sizes});
  last.contents.push_back(std::move(tree->content));
  auto outcome = store.write(writer, std::move(last));
  if (!outcome) return std::move(outcome).error();
  return outcome->versions.front();
}

int write_files(const std::string& dir, int count) {
  for (int i = 0; i < count; ++i) {
    const auto text = std::to_string(i);
    const auto written =
        runtime::write_file(fmt::format("{}/new/{}/f{}", dir, i % 2, i % 8),
                            text + std::string(i, '.'), {.create_directories = true});
    if (!written) return fail(written.error());
    const auto line = fmt::format("ack {}/f{} {}\n", i % 2, i % 8, text);
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(3);
  }
  return 0;
}

int put(const std::string& dir, const std::string& tree, std::uint64_t seed, int count) {
  auto storage = runtime::Storage::open(dir);
  if (!storage) return fail(storage.error());
  auto store = ArtifactStore::open(**storage, {.part_bytes = kPartBytes});
  if (!store) return fail(store.error());
  runtime::ThreadStorageWriter writer(**storage);
  std::atomic<int> putting{kPutters};
  std::atomic<bool> failed{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < kPutters; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(seed * kPutters + static_cast<std::uint64_t>(t));
      for (int i = 0; i < count && !failed; ++i) {
        const auto content = make_content(random);
        auto name = fmt::format("artifact-{}", random() % 20);
        const auto status = put_one(**store, writer, content, std::move(name), i % 3 == 0);
        if (!status) failed = fail(status.error()) != 0;
      }
      --putting;
    });
  }
  while (putting > 0 && !failed) {
    auto stored = put_tree(**store, writer, tree);
    if (!stored) {
      failed = fail(stored.error()) != 0;
    } else {
      acknowledge(*stored);
    }
  }
  for (auto& thread : threads) thread.join();
  return failed ? 2 : 0;
}

int check(const std::string& dir) {
  auto storage = runtime::Storage::open(dir);
  if (!storage) return fail(storage.error());
  auto store = ArtifactStore::open(**storage, {.part_bytes = kPartBytes});
  if (!store) return fail(store.error());
  int lost = 0;
  int checked = 0;
  std::string name, digest;
  while (std::cin >> name >> digest) {
    ++checked;
    const auto found = (*store)->resolve(name);
    if (!found || found->content.digest.hex() != digest) {
      std::cout << "lost: " << name << ' ' << digest << '\n';
      ++lost;
      continue;
    }
    if (const auto content = (*store)->get(found->content.digest); !content) {
      std::cout << "lost: " << name << ": " << to_string(content.error()) << '\n';
      ++lost;
    }
  }
  auto report = verify(**store);
  if (!report) return fail(report.error());
  for (const auto& problem : report->problems) {
    std::cout << "damaged: " << problem.where << ": " << problem.what << '\n';
  }
  std::cout << "checked " << checked << ", versions " << report->versions << ", contents "
            << report->contents << ", unreferenced " << report->unreferenced_contents << "\n";
  return lost == 0 && report->clean() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 5 && arguments[0] == "put") {
    return put(arguments[1], arguments[2], std::stoull(arguments[3]), std::stoi(arguments[4]));
  }
  if (arguments.size() == 3 && arguments[0] == "write")
    return write_files(arguments[1], std::stoi(arguments[2]));
  if (arguments.size() == 2 && arguments[0] == "check") return check(arguments[1]);
  std::cerr << "usage: artifacts_driver put DIR TREE SEED COUNT | write DIR COUNT | check DIR\n";
  return 64;
}
