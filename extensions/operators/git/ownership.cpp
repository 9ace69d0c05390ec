#include "extensions/operators/git/ownership.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace symphony::extensions::git {
namespace {

struct Tally {
  std::int64_t files = 0;
  std::map<std::size_t, std::int64_t> changes_of;
};

void add(Tally& tally, const OwnedFile& file) {
  tally.files += 1;
  for (const auto& [author, changes] : file.owners) tally.changes_of[author] += changes;
}

Ownership conclude(std::string directory, const Tally& tally) {
  Ownership result{.directory = std::move(directory), .files = tally.files};
  std::vector<Owner> all;
  for (const auto& [author, changes] : tally.changes_of) {
    result.changes += changes;
    all.push_back({author, changes, 0});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Owner& a, const Owner& b) { return a.changes > b.changes; });
  result.people = all.size();
  std::int64_t covered = 0;
  for (Owner& owner : all) {
    if (2 * covered > result.changes) break;
    covered += owner.changes;
    owner.share = static_cast<double>(owner.changes) / static_cast<double>(result.changes);
    result.owners.push_back(owner);
  }
  result.bus_factor = result.owners.size();
  return result;
}

}  // namespace

std::vector<Ownership> ownership(const std::vector<OwnedFile>& files, std::size_t max_depth) {
  std::map<std::string, Tally> tallies;
  tallies[""];
  for (const OwnedFile& file : files) {
    add(tallies[""], file);
    std::size_t slash = file.path.find('/');
    for (std::size_t depth = 0; depth < max_depth && slash != std::string::npos; ++depth) {
      add(tallies[file.path.substr(0, slash)], file);
      slash = file.path.find('/', slash + 1);
    }
  }
  std::vector<Ownership> result;
  result.reserve(tallies.size());
  for (const auto& [directory, tally] : tallies) result.push_back(conclude(directory, tally));
  return result;
}

}  // namespace symphony::extensions::git
