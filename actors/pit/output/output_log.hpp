// What of a run's output is kept: of each attempt of a node the end, in the order in which it came.
//
// Pieces wait here until they are taken to the disk, where each gets a number of its run's row. An
// attempt that prints more than its limit loses its oldest pieces, whether they are on disk or not;
// each piece knows its offset in its stream, so that whoever reads sees that something is missing,
// and how much. Once a run has filled its share, what its nodes print is kept much shorter.
//
// Pure: times are arguments. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "messages/output.capnp.h"

namespace symphony::actors {

struct OutputLimits {
  std::size_t piece_bytes_max = std::size_t{32} << 10;
  std::size_t attempt_bytes_max = std::size_t{256} << 10;
  std::uint64_t run_bytes_max = std::uint64_t{256} << 20;  // beyond: short_bytes_max each
  std::size_t short_bytes_max = std::size_t{4} << 10;
  std::size_t attempts_max = 10'000;  // that print at a time; of more, the oldest ends
};

struct OutputPiece {
  std::string node;
  std::int64_t started_ns = 0;
  messages::PrintedOn stream = messages::PrintedOn::OUT;
  std::uint64_t offset = 0;
  std::int64_t time_ns = 0;
  std::string data;
};

// One write: pieces that are new, numbers of those that go, and where the row stands after it.
struct OutputWrite {
  std::vector<std::pair<std::uint64_t, OutputPiece>> pieces;
  std::vector<std::uint64_t> erased;
  std::uint64_t next_sequence = 1;
  std::uint64_t run_bytes = 0;
  std::size_t size_bytes = 0;  // of the pieces
};

class OutputLog {
 public:
  // `next_sequence` and `run_bytes` as the last write left them.
  OutputLog(OutputLimits limits, std::uint64_t next_sequence, std::uint64_t run_bytes)
      : limits_(limits), next_sequence_(next_sequence), run_bytes_(run_bytes) {}

  void append(std::string_view node, std::int64_t started_ns, messages::PrintedOn stream,
              std::uint64_t offset, std::string_view data, std::int64_t now_ns);
  // Nothing follows of the attempt.
  void end(std::string_view node, std::int64_t started_ns);

  bool pending() const noexcept { return !pieces_.empty() || !erased_.empty(); }
  std::size_t pending_bytes() const noexcept { return pending_bytes_; }
  // What is pending, and is not any more.
  OutputWrite take();
  // No attempt prints and nothing is pending.
  bool idle() const noexcept { return attempts_.empty() && !pending(); }

 private:
  struct Attempt;
  struct Pending {
    OutputPiece piece;
    Attempt* attempt;  // null once it has ended
  };
  struct Attempt {
    std::int64_t started_ns = 0;
    std::size_t bytes = 0;  // kept, here and on disk
    struct Stored {
      std::uint64_t sequence;
      std::size_t bytes;
    };
    std::deque<Stored> stored;                         // on disk, oldest first
    std::deque<std::list<Pending>::iterator> pending;  // here, oldest first
  };
  using Attempts = std::map<std::string, Attempt, std::less<>>;

  Attempt& attempt_of(std::string_view node, std::int64_t started_ns);
  void forget(Attempts::iterator attempt);
  void trim(Attempt& attempt);

  const OutputLimits limits_;
  std::uint64_t next_sequence_;
  std::uint64_t run_bytes_;  // on disk
  Attempts attempts_;        // the latest of each node that prints
  std::list<Pending> pieces_;
  std::size_t pending_bytes_ = 0;
  std::vector<std::uint64_t> erased_;
};

}  // namespace symphony::actors
