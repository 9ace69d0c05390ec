// Finds copies: files with the same content, and blocks of lines that occur more than once.
//
// Blocks: occurrences of each fingerprint (fingerprint.hpp) are sorted together; every later one
// is paired with the first, so that the pairs are as many as the fingerprints, however often a
// block is copied. Pairs on one diagonal (same distance between both places) join into
// candidates, the longest candidates are verified line by line and grown in both directions, and
// what overlaps becomes one cluster. Time is that of sorting; memory 16 bytes a fingerprint and
// 16 a line of the files being verified, both limited. Pure but for the loader.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "extensions/operators/code/fingerprint.hpp"

namespace symphony::extensions::code {

inline constexpr std::size_t kMaxFingerprints = 8'000'000;  // of all files: 128 MiB
inline constexpr std::size_t kMaxOccurrencesPerHash = 50;   // further copies are not looked at
inline constexpr std::size_t kMaxVerifiedCandidates = 5'000;
inline constexpr std::size_t kMaxCachedLines = 4'000'000;  // 64 MiB

struct ScannedFile {
  std::string path;  // raw bytes
  std::string sha256;
  std::int64_t size_bytes = 0;
  std::vector<Fingerprint> fingerprints;
};

struct IdenticalFiles {
  std::string sha256;
  std::int64_t size_bytes = 0;
  std::vector<std::string> paths;  // sorted
  std::int64_t wasted_bytes() const {
    return size_bytes * (static_cast<std::int64_t>(paths.size()) - 1);
  }
};

struct BlockCopy {
  std::size_t file = 0;  // index
  std::uint32_t first_line = 0;
  std::uint32_t last_line = 0;
  std::uint32_t lines() const { return last_line - first_line + 1; }
};

struct BlockCluster {
  std::uint32_t compared_lines = 0;  // lines of the longest pair that count (see winnowing)
  std::vector<BlockCopy> copies;     // by file and line
  // Lines that would go if one copy were kept.
  std::int64_t duplicated_lines() const;
};

struct Duplicates {
  std::vector<IdenticalFiles> identical;  // most wasted bytes first
  std::vector<BlockCluster> clusters;     // most duplicated lines first
  std::int64_t duplicated_lines = 0;      // lines inside any reported copy but the first
  bool truncated = false;                 // a limit was hit: there may be more
};

// The lines of a file by index; nothing when it cannot be read any more.
using LineLoader = std::function<std::optional<std::vector<SignificantLine>>(std::size_t file)>;
using StopCheck = std::function<bool()>;  // true: give up (the result is meaningless then)

// Of files with the same content only the first takes part in the search for blocks.
// `min_lines`: significant lines a block has at least; below kGuaranteedLines some are missed.
Duplicates find_duplicates(const std::vector<ScannedFile>& files, std::size_t min_lines,
                           const LineLoader& load, const StopCheck& stopped);

}  // namespace symphony::extensions::code
