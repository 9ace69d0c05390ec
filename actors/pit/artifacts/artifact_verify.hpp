// Reads everything in the artifact store and checks it.
//
// Every part decompresses to bytes of its digest, every content is whole and has its digest, every
// tree can be read and every entry of it is there with its size, every version points at content
// that is there. Content and parts that nothing refers to are legal (a put that was cut short) and
// only counted. What is written meanwhile may be seen or not; it is read in slices, since pages
// that are freed are not used again while a reader may still see them. Memory: 33 bytes a content
// and part, and one part. Blocks: call it from a thread that may.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "actors/pit/artifacts/artifact_store.hpp"

namespace symphony::actors {

inline constexpr std::size_t kMaxReportedProblems = 1000;

struct VerifyProblem {
  std::string where;  // "name@3", "sha256:…"
  std::string what;
};

struct VerifyReport {
  std::uint64_t names = 0;
  std::uint64_t versions = 0;
  std::uint64_t trees = 0;
  std::uint64_t tree_entries = 0;
  std::uint64_t contents = 0;
  std::uint64_t parts = 0;
  std::uint64_t content_bytes = 0;
  std::uint64_t stored_bytes = 0;
  std::uint64_t unreferenced_contents = 0;
  std::uint64_t unreferenced_parts = 0;
  std::uint64_t problem_count = 0;
  std::vector<VerifyProblem> problems;  // the first kMaxReportedProblems
  // Damaged, and nothing refers to them: they can go (ArtifactStore::remove_damaged_op).
  std::vector<Digest> spoilt_contents;
  std::vector<Digest> spoilt_parts;

  bool clean() const { return problem_count == 0; }
};

struct VerifyOptions {
  // How much is read of one state of the store.
  std::uint64_t slice_bytes = std::uint64_t{64} << 20;
  // Told after each record, of `total` records.
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress = {};
  // Asked before each record; true ends it with CANCELLED.
  std::function<bool()> cancelled = {};
};

// Damage is in the report; errors are only those that keep it from being made.
Result<VerifyReport> verify(const ArtifactStore& store, VerifyOptions options = {});

}  // namespace symphony::actors
