// What storing costs, against what the disk alone costs in the same run.
//
//   bench_storage [--dir DIR] [--tree TREE]
//
// DIR is where the store is made and removed again (default: the current directory's disk), TREE
// whence the files come that are read back (default /usr/include). Whole trees are measured as
// people store them: bench_tree.py.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "actors/pit/artifacts/artifact_verify.hpp"
#include "actors/pit/artifacts/tree_walk.hpp"

namespace {

using namespace symphony;
using namespace symphony::actors;
using Clock = std::chrono::steady_clock;

constexpr int kDurableRounds = 300;
constexpr int kReadRounds = 20'000;
constexpr std::size_t kFilesRead = 1000;
constexpr std::size_t kSmallBytes = 2000;

double micros_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

struct Samples {
  std::vector<double> micros;
  double percentile(double p) {
    std::sort(micros.begin(), micros.end());
    return micros[static_cast<std::size_t>(p * static_cast<double>(micros.size() - 1))];
  }
};

template <class T>
T must(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "{}\n", to_string(result.error()));
    std::exit(1);
  }
  return std::move(*result);
}

std::string small_content(std::mt19937_64& random) {
  std::string content(kSmallBytes, '\0');
  for (auto& byte : content) byte = static_cast<char>('a' + random() % 16);
  return content;
}

// One append of the same size and an fdatasync.
double bare_sync(int fd, const std::string& content) {
  const auto start = Clock::now();
  if (::write(fd, content.data(), content.size()) < 0 || ::fdatasync(fd) != 0) std::exit(1);
  return micros_since(start);
}

double put_small(const ArtifactStore& store, runtime::StorageWriter& writer,
                 const std::string& content) {
  const auto start = Clock::now();
  ArtifactBatch batch;
  batch.contents.push_back(must(store.prepare(content)));
  batch.versions.push_back({.name = "bench", .digest = batch.contents.front().info.digest});
  must(store.write(writer, std::move(batch)));
  return micros_since(start);
}

void bench_durable(const ArtifactStore& store, runtime::StorageWriter& writer,
                   const std::filesystem::path& dir) {
  const int fd = ::open((dir / "bare").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  std::mt19937_64 random(1);
  Samples bare, put;
  for (int i = 0; i < kDurableRounds; ++i) {  // in turns: a disk's mood changes
    const auto content = small_content(random);
    bare.micros.push_back(bare_sync(fd, content));
    put.micros.push_back(put_small(store, writer, content));
  }
  ::close(fd);
  for (const auto& [label, p] : {std::pair{"p50", 0.5}, std::pair{"p99", 0.99}}) {
    const auto b = bare.percentile(p), m = put.percentile(p);
    fmt::print("{:<44} {:>10.0f} us {:>10.0f} us {:>7.2f}\n",
               fmt::format("durable put of {} bytes {} / bare fdatasync", kSmallBytes, label), m, b,
               m / b);
  }
}

void bench_group(const ArtifactStore& store, runtime::StorageWriter& writer, int putters) {
  std::vector<std::thread> threads;
  const auto start = Clock::now();
  for (int t = 0; t < putters; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(static_cast<std::uint64_t>(1000 + t));
      for (int i = 0; i < kDurableRounds / 3; ++i) put_small(store, writer, small_content(random));
    });
  }
  for (auto& thread : threads) thread.join();
  const double seconds = micros_since(start) / 1e6;
  fmt::print("{:<44} {:>10.0f} /s\n", fmt::format("durable puts a second by {} callers", putters),
             putters * (kDurableRounds / 3) / seconds);
}

// The small files of a tree, as contents without a name.
std::vector<Digest> store_small_files(const ArtifactStore& store, runtime::StorageWriter& writer,
                                      const std::filesystem::path& tree) {
  const runtime::Descriptor root(::open(tree.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::vector<Digest> digests;
  ArtifactBatch batch;
  for (const auto& entry : must(walk_tree(root.get())).entries) {
    if (entry.kind != TreeEntryKind::file || entry.size_bytes > 16'384) continue;
    auto file = FileReading::open(root.get(), entry.path);
    if (!file) continue;
    std::string content(file->size_bytes(), '\0');
    must(file->read(content.data(), content.size()));
    batch.contents.push_back(must(store.prepare(content)));
    digests.push_back(batch.contents.back().info.digest);
    if (digests.size() == kFilesRead) break;
  }
  must(store.write(writer, std::move(batch)));
  return digests;
}

void bench_reads(const ArtifactStore& store, const std::vector<Digest>& digests) {
  if (digests.empty()) return;
  Samples samples;
  for (int i = 0; i < kReadRounds; ++i) {
    const auto start = Clock::now();
    must(store.get(digests[static_cast<std::size_t>(i) % digests.size()]));
    samples.micros.push_back(micros_since(start));
  }
  fmt::print("{:<44} {:>10.1f} us\n", "get of a file up to 16 KiB, cached, checked, p50",
             samples.percentile(0.5));
  fmt::print("{:<44} {:>10.1f} us\n", "                                             p99",
             samples.percentile(0.99));
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path base = ".", tree = "/usr/include";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--dir") base = argv[i + 1];
    if (option == "--tree") tree = argv[i + 1];
  }
  auto pattern = (base / "bench-storage-XXXXXX").native();
  if (::mkdtemp(pattern.data()) == nullptr) {
    fmt::print(stderr, "cannot make a directory in {}\n", base.native());
    return 1;
  }
  const std::filesystem::path dir = pattern;
  {
    const auto storage = must(runtime::Storage::open(dir / "node"));
    const auto store = must(ArtifactStore::open(*storage));
    runtime::ThreadStorageWriter writer(*storage);
    bench_durable(*store, writer, dir);
    bench_group(*store, writer, 1);
    bench_group(*store, writer, 16);
    bench_reads(*store, store_small_files(*store, writer, tree));
    const auto start = Clock::now();
    const auto report = must(verify(*store));
    fmt::print("{:<44} {:>10.0f} MB/s {}\n", "verify everything",
               static_cast<double>(report.content_bytes) / micros_since(start),
               report.clean() ? "clean" : "DAMAGED");
    fmt::print("{:<44} {:>10.1f} MB for {:.1f} MB of content\n", "data file",
               static_cast<double>(storage->stats().used_bytes) / 1e6,
               static_cast<double>(report.content_bytes) / 1e6);
  }
  std::filesystem::remove_all(dir);
}
