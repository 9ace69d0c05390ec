// The bus factor: the smallest number of people who together made more than half of the changes.
//
// Source of the measure: the "truck factor" of Avelino et al., "A novel approach for estimating
// truck factors" (ICPC 2016), with changed lines in place of their degree of authorship: it needs
// no training data, and says who would be missed. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "extensions/operators/git/churn.hpp"

namespace symphony::extensions::git {

struct Owner {
  std::size_t author = 0;  // index
  std::int64_t changes = 0;
  double share = 0;  // of all changes, 0 to 1
};

struct Ownership {
  std::string directory;  // raw bytes, "" for the whole tree
  std::int64_t files = 0;
  std::int64_t changes = 0;
  std::size_t people = 0;
  std::size_t bus_factor = 0;  // 0 when there is no change
  std::vector<Owner> owners;   // the bus_factor people, largest first
};

struct OwnedFile {
  std::string path;  // raw bytes
  Shares owners;
};

// The whole tree first, then each directory down to `max_depth` levels, by path.
std::vector<Ownership> ownership(const std::vector<OwnedFile>& files, std::size_t max_depth);

}  // namespace symphony::extensions::git
