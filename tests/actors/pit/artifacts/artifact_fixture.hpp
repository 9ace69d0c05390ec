// A store in a directory of its own, with the writer that commits at once.
#pragma once

#include <random>
#include <stdexcept>
#include <string>

#include "actors/pit/artifacts/artifact_store.hpp"
#include "tests/support/temp_dir.hpp"

namespace symphony::actors {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(to_string(result.error()));
  return std::move(*result);
}

inline void must(Status status) {
  if (!status) throw std::runtime_error(to_string(status.error()));
}

struct ArtifactFixture {
  explicit ArtifactFixture(ArtifactStoreOptions store_options = {}) : options(store_options) {
    open();
  }

  void open() {
    storage = must(runtime::Storage::open(dir.path() / "node"));
    writer = std::make_unique<runtime::InlineStorageWriter>(*storage);
    store = must(ArtifactStore::open(*storage, options));
  }
  void reopen() {
    store.reset();
    writer.reset();
    storage.reset();
    open();
  }

  Digest put(std::string_view content) {
    ArtifactBatch batch;
    batch.contents.push_back(must(store->prepare(content)));
    const auto digest = batch.contents.front().info.digest;
    must(store->write(*writer, std::move(batch)));
    return digest;
  }

  Result<VersionRecord> commit(VersionDraft draft) {
    ArtifactBatch batch;
    batch.versions.push_back(std::move(draft));
    auto outcome = store->write(*writer, std::move(batch));
    if (!outcome) return std::move(outcome).error();
    return outcome->versions.front();
  }

  test::TempDir dir;
  ArtifactStoreOptions options;
  std::unique_ptr<runtime::Storage> storage;
  std::unique_ptr<runtime::InlineStorageWriter> writer;
  std::unique_ptr<ArtifactStore> store;
};

// Changes one byte of a record, which is neither its head nor a spare bit of its frame.
inline void damage(ArtifactFixture& f, runtime::Database database, const Digest& digest) {
  auto txn = must(f.storage->begin_write());
  std::string value(*must(txn.get(database, digest.view())));
  value.back() = static_cast<char>(value.back() ^ 0x55);
  must(txn.put(database, digest.view(), value));
  must(txn.commit());
}

// Bytes that do not compress.
inline std::string noise(std::size_t size, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

}  // namespace symphony::actors
