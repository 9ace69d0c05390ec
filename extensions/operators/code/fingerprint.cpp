#include "extensions/operators/code/fingerprint.hpp"

#include <algorithm>
#include <array>

namespace symphony::extensions::code {
namespace {

constexpr std::uint64_t kFnvOffset = 14'695'981'039'346'656'037ULL;
constexpr std::uint64_t kFnvPrime = 1'099'511'628'211ULL;
constexpr std::uint64_t kHashMask = (1ULL << 48) - 1;
constexpr std::uint32_t kMaxIndex = (1U << 24) - 1;
constexpr std::size_t kPackedBytes = 9;
constexpr std::size_t kPackedChars = 12;
// A gram of fewer different lines is a table or padding, which is alike everywhere.
constexpr std::size_t kMinDifferentLines = 3;
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Spreads FNV's bits, so that the smallest hash is not always that of the shortest line.
std::uint64_t mixed(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

bool is_word_byte(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c >= 0x80;
}

// Lists of imports are alike wherever the same things are used: that is no copy of code.
bool is_import(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  for (const std::string_view word : {"#include", "import ", "from ", "using ", "use "}) {
    if (line.starts_with(word)) return true;
  }
  return false;
}

std::size_t different_lines(const SignificantLine* lines) {
  std::size_t different = 0;
  for (std::size_t i = 0; i < kGramLines; ++i) {
    const bool seen = std::any_of(lines, lines + i, [&](const SignificantLine& earlier) {
      return earlier.hash == lines[i].hash;
    });
    different += seen ? 0 : 1;
  }
  return different;
}

std::uint64_t gram_hash(const SignificantLine* lines) {
  std::uint64_t hash = kFnvOffset;
  for (std::size_t i = 0; i < kGramLines; ++i) hash = (hash ^ lines[i].hash) * kFnvPrime;
  return mixed(hash) & kHashMask;
}

}  // namespace

std::vector<SignificantLine> significant_lines(std::string_view text) {
  std::vector<SignificantLine> lines;
  std::uint32_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) end = text.size();
    ++number;
    std::uint64_t hash = kFnvOffset;
    bool has_word = false;
    for (std::size_t i = begin; i < end; ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      if (c <= ' ') continue;
      has_word = has_word || is_word_byte(c);
      hash = (hash ^ c) * kFnvPrime;
    }
    if (has_word && !is_import(text.substr(begin, end - begin))) lines.push_back({hash, number});
    begin = end + 1;
  }
  return lines;
}

std::vector<Fingerprint> winnow(const std::vector<SignificantLine>& lines) {
  std::vector<Fingerprint> kept;
  if (lines.size() < kGuaranteedLines) return kept;
  const std::size_t grams = std::min<std::size_t>(lines.size() - kGramLines + 1, kMaxIndex);
  std::vector<std::uint64_t> hashes(grams);
  for (std::size_t i = 0; i < grams; ++i) hashes[i] = gram_hash(&lines[i]);
  std::size_t last_kept = grams;
  for (std::size_t begin = 0; begin + kWindow <= grams; ++begin) {
    std::size_t smallest = begin;
    for (std::size_t i = begin + 1; i < begin + kWindow; ++i) {
      if (hashes[i] <= hashes[smallest]) smallest = i;
    }
    if (smallest == last_kept) continue;
    last_kept = smallest;
    if (different_lines(&lines[smallest]) < kMinDifferentLines) continue;
    kept.push_back({hashes[smallest], static_cast<std::uint32_t>(smallest)});
    if (kept.size() == kMaxFingerprintsPerFile) break;
  }
  return kept;
}

std::string pack(const std::vector<Fingerprint>& fingerprints) {
  std::string text;
  text.reserve(fingerprints.size() * kPackedChars);
  for (const Fingerprint& fingerprint : fingerprints) {
    std::array<std::uint8_t, kPackedBytes> bytes{};
    for (std::size_t i = 0; i < 6; ++i) {
      bytes[i] = static_cast<std::uint8_t>(fingerprint.hash >> (40 - 8 * i));
    }
    for (std::size_t i = 0; i < 3; ++i) {
      bytes[6 + i] = static_cast<std::uint8_t>(fingerprint.index >> (16 - 8 * i));
    }
    for (std::size_t i = 0; i < kPackedBytes; i += 3) {
      const unsigned group = unsigned{bytes[i]} << 16 | unsigned{bytes[i + 1]} << 8 | bytes[i + 2];
      for (int shift = 18; shift >= 0; shift -= 6) text += kAlphabet[(group >> shift) & 63];
    }
  }
  return text;
}

Result<std::vector<Fingerprint>> unpack(std::string_view text) {
  static constexpr auto kValues = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
      values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
    }
    return values;
  }();
  const Error malformed{Errc::INVALID_ARGUMENT, "These are no fingerprints made by code.scan."};
  if (text.size() % kPackedChars != 0) return malformed;
  std::vector<Fingerprint> fingerprints;
  fingerprints.reserve(text.size() / kPackedChars);
  for (std::size_t at = 0; at < text.size(); at += kPackedChars) {
    Fingerprint fingerprint;
    for (std::size_t i = 0; i < kPackedChars; ++i) {
      const std::int8_t value = kValues[static_cast<unsigned char>(text[at + i])];
      if (value < 0) return malformed;
      // Eight characters hold the hash, four the index.
      if (i < 8) {
        fingerprint.hash = fingerprint.hash << 6 | static_cast<std::uint8_t>(value);
      } else {
        fingerprint.index = fingerprint.index << 6 | static_cast<std::uint8_t>(value);
      }
    }
    fingerprints.push_back(fingerprint);
  }
  return fingerprints;
}

}  // namespace symphony::extensions::code
