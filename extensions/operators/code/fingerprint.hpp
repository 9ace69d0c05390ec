// Fingerprints of a file's lines, from which copies are found without comparing all with all.
//
// Source: Schleimer, Wilkerson, Aiken, "Winnowing: local algorithms for document fingerprinting"
// (SIGMOD 2003). Lines are normalised (comments and white space gone, imports and lines of
// punctuation only left out), hashed, and every kGramLines of them in a row are one gram; of every
// kWindow grams in a row the smallest hash is kept, the rightmost if several are. Two files that
// share kGramLines + kWindow - 1 = 10 normalised lines in a row are certain to share a fingerprint;
// fewer than kGramLines are never seen. About 2 / (kWindow + 1) of all lines are kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "messages/result.hpp"

namespace symphony::extensions::code {

inline constexpr std::size_t kGramLines = 5;
inline constexpr std::size_t kWindow = 6;
inline constexpr std::size_t kGuaranteedLines = kGramLines + kWindow - 1;
// Of one file; the rest of a longer one is not searched for copies.
inline constexpr std::size_t kMaxFingerprintsPerFile = 20'000;

// A line that counts for comparison.
struct SignificantLine {
  std::uint64_t hash = 0;
  std::uint32_t line = 0;  // in the file, from 1
};

struct Fingerprint {
  std::uint64_t hash = 0;   // 48 bits
  std::uint32_t index = 0;  // of the gram's first line among the significant ones, < 2^24

  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// `text` is the source with comments replaced by spaces, newlines kept.
std::vector<SignificantLine> significant_lines(std::string_view text);

std::vector<Fingerprint> winnow(const std::vector<SignificantLine>& lines);

// Nine bytes each, as base64 without padding: 12 characters a fingerprint.
std::string pack(const std::vector<Fingerprint>& fingerprints);
// Errc::INVALID_ARGUMENT when `text` was not made by pack.
Result<std::vector<Fingerprint>> unpack(std::string_view text);

}  // namespace symphony::extensions::code
