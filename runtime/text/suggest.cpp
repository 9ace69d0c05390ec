#include "runtime/text/suggest.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace symphony::runtime {
namespace {

constexpr std::size_t kMaxWordBytes = 256;

std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// The edits (a letter more, less, another, or two swapped) from one to the other, if at most
// `limit`: most words have nothing in common with the one meant, and need not be compared to
// their end.
std::optional<std::size_t> edits_within(std::size_t limit, std::string_view a, std::string_view b) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return std::nullopt;
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  std::size_t last_least = 0;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t least = row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min(std::min(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
      least = std::min(least, row[j]);
    }
    if (least > limit && last_least >= limit) return std::nullopt;  // a swap reaches two rows back
    last_least = least;
    before_last.swap(last);
    last.swap(row);
  }
  if (last[b.size()] > limit) return std::nullopt;
  return last[b.size()];
}

}  // namespace

std::optional<std::string> suggest(std::string_view word, std::span<const std::string> candidates) {
  if (word.empty() || word.size() > kMaxWordBytes) return std::nullopt;
  const auto wanted = lower(word);
  const std::string* best = nullptr;
  std::size_t best_edits = 0;
  for (const auto& candidate : candidates) {
    if (candidate.size() > kMaxWordBytes) continue;
    const auto longer = std::max(word.size(), candidate.size());
    auto forgiven = longer < 4 ? 1 : std::max<std::size_t>(2, longer / 3);
    if (best != nullptr) {
      if (best_edits == 0) break;
      forgiven = std::min(forgiven, best_edits - 1);
    }
    if (const auto edits = edits_within(forgiven, wanted, lower(candidate))) {
      best = &candidate;
      best_edits = *edits;
    }
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

std::string suggestion_suffix(std::string_view word, std::span<const std::string> candidates) {
  const auto nearest = suggest(word, candidates);
  if (!nearest) return {};
  return " (did you mean \"" + *nearest + "\"?)";
}

}  // namespace symphony::runtime
