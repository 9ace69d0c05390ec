#include "extensions/operators/code/duplicates.hpp"

#include <algorithm>
#include <list>
#include <map>
#include <tuple>
#include <unordered_map>

namespace symphony::extensions::code {
namespace {

// Winnowing leaves at most this distance between neighbouring fingerprints of one copied block
// (more when grams of repeated lines were dropped in between: twice is generous).
constexpr std::int64_t kMaxGap = 2 * (kWindow + kGramLines);

struct Occurrence {
  std::uint64_t hash;
  std::uint32_t file;
  std::uint32_t index;
  auto key() const { return std::tie(hash, file, index); }
};

// The same gram at two places; the first is the earlier one.
struct Pair {
  std::uint32_t first_file;
  std::uint32_t second_file;
  std::int64_t distance;  // second index minus first
  std::uint32_t first_index;
  auto key() const { return std::tie(first_file, second_file, distance, first_index); }
};

struct Candidate {
  Pair begin;
  std::int64_t length;  // estimated significant lines
};

struct Range {
  std::uint32_t file;
  std::int64_t begin;  // significant lines, end not included
  std::int64_t end;
  BlockCopy lines;
};

struct Block {
  Range first;
  Range second;
  std::int64_t length() const { return first.end - first.begin; }
};

class LineCache {
 public:
  explicit LineCache(const LineLoader& load) : load_(load) {}

  // Valid until the next but one call: the two most recent files are never dropped.
  const std::vector<SignificantLine>& get(std::uint32_t file) {
    if (const auto found = entries_.find(file); found != entries_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return order_.front().lines;
    }
    order_.push_front({file, load_(file).value_or(std::vector<SignificantLine>())});
    entries_[file] = order_.begin();
    total_ += order_.front().lines.size();
    while (total_ > kMaxCachedLines && order_.size() > 2) {
      total_ -= order_.back().lines.size();
      entries_.erase(order_.back().file);
      order_.pop_back();
    }
    return order_.front().lines;
  }

 private:
  struct Entry {
    std::uint32_t file;
    std::vector<SignificantLine> lines;
  };
  const LineLoader& load_;
  std::list<Entry> order_;  // most recently used first
  std::unordered_map<std::uint32_t, std::list<Entry>::iterator> entries_;
  std::size_t total_ = 0;
};

std::vector<IdenticalFiles> identical_files(const std::vector<ScannedFile>& files,
                                            std::vector<bool>& is_copy) {
  std::map<std::string, std::vector<std::size_t>> by_content;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].size_bytes > 0 && !files[i].sha256.empty()) {
      by_content[files[i].sha256].push_back(i);
    }
  }
  std::vector<IdenticalFiles> groups;
  for (const auto& [sha256, members] : by_content) {
    if (members.size() < 2) continue;
    IdenticalFiles group{sha256, files[members.front()].size_bytes, {}};
    for (const std::size_t member : members) group.paths.push_back(files[member].path);
    for (std::size_t i = 1; i < members.size(); ++i) is_copy[members[i]] = true;
    std::sort(group.paths.begin(), group.paths.end());
    groups.push_back(std::move(group));
  }
  std::sort(groups.begin(), groups.end(), [](const IdenticalFiles& a, const IdenticalFiles& b) {
    return a.wasted_bytes() != b.wasted_bytes() ? a.wasted_bytes() > b.wasted_bytes()
                                                : a.paths < b.paths;
  });
  return groups;
}

std::vector<Pair> pairs_of(const std::vector<ScannedFile>& files, const std::vector<bool>& is_copy,
                           bool& truncated) {
  std::vector<Occurrence> all;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (is_copy[i]) continue;
    if (all.size() + files[i].fingerprints.size() > kMaxFingerprints) {
      truncated = true;
      break;
    }
    for (const Fingerprint& fingerprint : files[i].fingerprints) {
      all.push_back({fingerprint.hash, static_cast<std::uint32_t>(i), fingerprint.index});
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Occurrence& a, const Occurrence& b) { return a.key() < b.key(); });
  std::vector<Pair> pairs;
  for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    while (end < all.size() && all[end].hash == all[begin].hash) ++end;
    const std::size_t last = std::min(end, begin + kMaxOccurrencesPerHash);
    for (std::size_t i = begin + 1; i < last; ++i) {
      pairs.push_back({all[begin].file, all[i].file, std::int64_t{all[i].index} - all[begin].index,
                       all[begin].index});
    }
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const Pair& a, const Pair& b) { return a.key() < b.key(); });
  return pairs;
}

std::vector<Candidate> candidates_of(const std::vector<Pair>& pairs, bool& truncated) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Pair& pair = pairs[i];
    if (i > 0) {
      const Pair& before = pairs[i - 1];
      const bool joins = before.first_file == pair.first_file &&
                         before.second_file == pair.second_file &&
                         before.distance == pair.distance &&
                         std::int64_t{pair.first_index} - before.first_index <= kMaxGap;
      if (joins) {
        Candidate& open = candidates.back();
        open.length = std::int64_t{pair.first_index} - open.begin.first_index +
                      static_cast<std::int64_t>(kGramLines);
        continue;
      }
    }
    candidates.push_back({pair, static_cast<std::int64_t>(kGramLines)});
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.length != b.length ? a.length > b.length : a.begin.key() < b.begin.key();
  });
  if (candidates.size() > kMaxVerifiedCandidates) {
    candidates.resize(kMaxVerifiedCandidates);
    truncated = true;
  }
  // Neighbouring files share loads.
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.begin.key() < b.begin.key(); });
  return candidates;
}

Range range_of(std::uint32_t file, std::int64_t begin, std::int64_t end,
               const std::vector<SignificantLine>& lines) {
  return {file,
          begin,
          end,
          {file, lines[static_cast<std::size_t>(begin)].line,
           lines[static_cast<std::size_t>(end - 1)].line}};
}

// The longest run of equal lines around a pair; nothing when the gram itself differs.
std::optional<Block> grow(const Pair& pair, LineCache& cache) {
  const auto& a = cache.get(pair.first_file);
  const auto& b = cache.get(pair.second_file);
  const auto size_a = static_cast<std::int64_t>(a.size());
  const auto size_b = static_cast<std::int64_t>(b.size());
  const std::int64_t distance = pair.distance;
  const auto equal = [&](std::int64_t i) {
    return i >= 0 && i < size_a && i + distance >= 0 && i + distance < size_b &&
           a[static_cast<std::size_t>(i)].hash == b[static_cast<std::size_t>(i + distance)].hash;
  };
  std::int64_t begin = pair.first_index;
  std::int64_t end = begin;
  // A block and its copy in the same file must not overlap.
  const bool same_file = pair.first_file == pair.second_file;
  const auto may_grow = [&] { return !same_file || end - begin < distance; };
  while (may_grow() && equal(end)) ++end;
  while (may_grow() && equal(begin - 1)) --begin;
  if (end - begin < static_cast<std::int64_t>(kGramLines)) return std::nullopt;
  return Block{range_of(pair.first_file, begin, end, a),
               range_of(pair.second_file, begin + distance, end + distance, b)};
}

std::int64_t overlap(const BlockCopy& a, const BlockCopy& b) {
  if (a.file != b.file) return 0;
  return std::int64_t{std::min(a.last_line, b.last_line)} - std::max(a.first_line, b.first_line) +
         1;
}

// Puts blocks that share a place together.
class Clusters {
 public:
  void add(const Block& block) {
    for (const auto& [here, there] : {std::pair(block.first.lines, block.second.lines),
                                      std::pair(block.second.lines, block.first.lines)}) {
      if (BlockCluster* cluster = holding(here)) {
        join(*cluster, there);
        return;
      }
    }
    clusters_.push_back({static_cast<std::uint32_t>(block.length()), {}});
    join(clusters_.back(), block.first.lines);
    join(clusters_.back(), block.second.lines);
  }

  std::vector<BlockCluster> take() {
    for (BlockCluster& cluster : clusters_) {
      std::sort(cluster.copies.begin(), cluster.copies.end(), [](const auto& a, const auto& b) {
        return std::tie(a.file, a.first_line) < std::tie(b.file, b.first_line);
      });
    }
    std::stable_sort(clusters_.begin(), clusters_.end(), [](const auto& a, const auto& b) {
      return a.duplicated_lines() > b.duplicated_lines();
    });
    return std::move(clusters_);
  }

 private:
  // The cluster with a copy that covers most of `copy`.
  BlockCluster* holding(const BlockCopy& copy) {
    for (const std::size_t index : clusters_of_file_[copy.file]) {
      for (const BlockCopy& member : clusters_[index].copies) {
        if (5 * overlap(member, copy) >= 4 * std::int64_t{copy.lines()}) return &clusters_[index];
      }
    }
    return nullptr;
  }

  void join(BlockCluster& cluster, const BlockCopy& copy) {
    for (const BlockCopy& member : cluster.copies) {
      if (overlap(member, copy) > 0) return;
    }
    cluster.copies.push_back(copy);
    const auto index = static_cast<std::size_t>(&cluster - clusters_.data());
    auto& known = clusters_of_file_[copy.file];
    if (std::find(known.begin(), known.end(), index) == known.end()) known.push_back(index);
  }

  std::vector<BlockCluster> clusters_;
  std::unordered_map<std::size_t, std::vector<std::size_t>> clusters_of_file_;
};

// Lines inside copies other than the first of each cluster, each line counted once.
std::int64_t count_duplicated(const std::vector<BlockCluster>& clusters) {
  std::vector<BlockCopy> copies;
  for (const BlockCluster& cluster : clusters) {
    copies.insert(copies.end(), cluster.copies.begin() + 1, cluster.copies.end());
  }
  std::sort(copies.begin(), copies.end(), [](const BlockCopy& a, const BlockCopy& b) {
    return std::tie(a.file, a.first_line, a.last_line) <
           std::tie(b.file, b.first_line, b.last_line);
  });
  std::int64_t total = 0;
  std::size_t file = SIZE_MAX;
  std::uint32_t counted_to = 0;
  for (const BlockCopy& copy : copies) {
    if (copy.file != file) counted_to = 0;
    file = copy.file;
    const std::uint32_t first = std::max(copy.first_line, counted_to + 1);
    if (copy.last_line >= first) total += copy.last_line - first + 1;
    counted_to = std::max(counted_to, copy.last_line);
  }
  return total;
}

}  // namespace

std::int64_t BlockCluster::duplicated_lines() const {
  std::int64_t sum = 0;
  std::int64_t largest = 0;
  for (const BlockCopy& copy : copies) {
    sum += copy.lines();
    largest = std::max<std::int64_t>(largest, copy.lines());
  }
  return sum - largest;
}

Duplicates find_duplicates(const std::vector<ScannedFile>& files, std::size_t min_lines,
                           const LineLoader& load, const StopCheck& stopped) {
  Duplicates result;
  std::vector<bool> is_copy(files.size(), false);
  result.identical = identical_files(files, is_copy);
  const auto candidates =
      candidates_of(pairs_of(files, is_copy, result.truncated), result.truncated);
  LineCache cache(load);
  std::vector<Block> blocks;
  for (const Candidate& candidate : candidates) {
    if (stopped()) return result;
    // One diagonal may hold several candidates of the same run.
    if (!blocks.empty()) {
      const Block& last = blocks.back();
      if (last.first.file == candidate.begin.first_file &&
          last.second.file == candidate.begin.second_file &&
          last.second.begin - last.first.begin == candidate.begin.distance &&
          candidate.begin.first_index < last.first.end) {
        continue;
      }
    }
    const auto block = grow(candidate.begin, cache);
    if (block && block->length() >= static_cast<std::int64_t>(min_lines)) blocks.push_back(*block);
  }
  std::stable_sort(blocks.begin(), blocks.end(),
                   [](const Block& a, const Block& b) { return a.length() > b.length(); });
  Clusters clusters;
  for (const Block& block : blocks) clusters.add(block);
  result.clusters = clusters.take();
  result.duplicated_lines = count_duplicated(result.clusters);
  return result;
}

}  // namespace symphony::extensions::code
