// When a node that a command started may end: some time after its last client and its last run.
#pragma once

#include <cstdint>

#include "runtime/time/clocks.hpp"

namespace symphony::bootstrap {

// Pure: the time is an argument. What it is told are looks from time to time; a client that came
// and went between two looks shows in the number of connections ever made.
class Linger {
 public:
  Linger(runtime::Nanos patience, runtime::MonoTime now) : patience_(patience), idle_since_(now) {}

  // Whether to end.
  bool look(std::size_t clients, std::uint64_t connections_ever, std::size_t runs,
            runtime::MonoTime now) {
    const bool came = connections_ever != connections_ever_;
    connections_ever_ = connections_ever;
    const bool there = clients > 0 || runs > 0;
    // Whoever waits for it to make way looks in again and again: that holds nothing up.
    if (make_way_) return !there;
    const bool busy = there || came;
    if (busy) idle_since_ = now;
    return !busy && now - idle_since_ >= patience_;
  }

  // From now on it ends as soon as nobody is there.
  void make_way() noexcept { make_way_ = true; }

 private:
  const runtime::Nanos patience_;
  runtime::MonoTime idle_since_;
  std::uint64_t connections_ever_ = 0;
  bool make_way_ = false;
};

}  // namespace symphony::bootstrap
