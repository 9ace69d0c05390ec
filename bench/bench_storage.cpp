// What storing costs, against what the disk alone costs in the same run.
//
//   bench_storage [--dir DIR] [--tree TREE] [--threads N]
//
// DIR is where the store is made and removed again (default: the current directory's disk), TREE
// the source tree for bulk figures (default /usr/include). Where `restic` is installed, it backs up
// the same tree to the same disk in the same run.
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
#include "actors/pit/artifacts/tree_put.hpp"

namespace {

using namespace symphony;
using namespace symphony::actors;
using Clock = std::chrono::steady_clock;

constexpr int kDurableRounds = 300;
constexpr int kReadRounds = 20'000;
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

double restic_files_per_s(const std::filesystem::path& tree, const std::filesystem::path& dir,
                          std::uint64_t files) {
  const auto restic = fmt::format("RESTIC_PASSWORD=x restic --quiet --no-cache --repo '{}' ",
                                  (dir / "restic").native());
  if (std::system((restic + "init >/dev/null").c_str()) != 0) return 0;
  const auto start = Clock::now();
  if (std::system(fmt::format("{} backup '{}' >/dev/null", restic, tree.native()).c_str()) != 0)
    return 0;
  return static_cast<double>(files) / (micros_since(start) / 1e6);
}

void bench_restic(const std::filesystem::path& tree, const std::filesystem::path& dir,
                  std::uint64_t files, double our_files_per_s) {
  if (std::system("command -v restic >/dev/null 2>&1") != 0) {
    fmt::print("restic is not installed (apt: restic)\n");
    return;
  }
  const double theirs = restic_files_per_s(tree, dir, files);
  if (theirs == 0) {
    fmt::print("restic failed\n");
    return;
  }
  fmt::print("{:<44} {:>10.0f} files/s   times restic's: {:.2f}\n", "restic, the same tree, first",
             theirs, our_files_per_s / theirs);
}

Digest bench_bulk(const ArtifactStore& store, runtime::StorageWriter& writer,
                  const std::filesystem::path& tree, const std::filesystem::path& dir,
                  int threads) {
  Digest digest;
  std::uint64_t files = 0;
  double first_files_per_s = 0;
  for (const auto* round : {"first", "again"}) {
    const auto start = Clock::now();
    const auto put =
        must(put_tree(store, writer, tree, {.version = {.name = "tree"}, .threads = threads}));
    const double seconds = micros_since(start) / 1e6;
    fmt::print("{:<44} {:>10.0f} files/s {:>6.1f} MB/s\n",
               fmt::format("put {} ({} files, {:.1f} MB), {}", tree.native(), put.files,
                           static_cast<double>(put.size_bytes) / 1e6, round),
               static_cast<double>(put.files) / seconds,
               static_cast<double>(put.size_bytes) / 1e6 / seconds);
    digest = put.digest;
    files = put.files;
    if (first_files_per_s == 0) first_files_per_s = static_cast<double>(files) / seconds;
  }
  bench_restic(tree, dir, files, first_files_per_s);
  return digest;
}

void bench_reads(const ArtifactStore& store, const Digest& tree) {
  const auto entries = must(load_tree(store, tree));
  std::vector<Digest> digests;
  for (const auto& entry : entries) {
    const bool small = entry.kind == TreeEntryKind::file && entry.size_bytes <= 16'384;
    if (small && digests.size() < 1000) digests.push_back(entry.digest);
  }
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
  int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--dir") base = argv[i + 1];
    if (option == "--tree") tree = argv[i + 1];
    if (option == "--threads") threads = std::stoi(argv[i + 1]);
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
    const auto digest = bench_bulk(*store, writer, tree, dir, threads);
    bench_reads(*store, digest);
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
