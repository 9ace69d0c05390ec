// What a launcher decides: when the processes of its program are asked to end, made to end, and
// what of it the node is told.
//
//   running ──exited──► leftover ──end──► ending ──grace over──► killing ──all gone──► over
//      └────────────end───────────────────►┘
//
// Whoever is left when the program has exited stays until the node says `end` (it may still read
// what they write). A second `end` can only shorten the grace. Killing is repeated with every tick,
// since whoever forks at the wrong moment leaves a child behind.
//
// Pure: times are arguments. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace symphony::runtime {

class LaunchCore {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Span = std::chrono::milliseconds;

  static constexpr Span kKillPeriod{5};

  struct Actions {
    bool terminate = false;    // SIGTERM to every descendant
    bool kill = false;         // SIGKILL to every descendant
    bool report_exit = false;  // tell the node how the program ended; with `report_gone`: alone
    bool report_gone = false;  // and that nothing of it is left: the launcher's work is done
  };

  // The program has exited. `others`: whether it leaves processes behind.
  Actions exited(bool others);
  // No process is left.
  Actions all_gone();
  // To be ended: the node said so or is gone.
  Actions end(Time now, Span grace);
  Actions tick(Time now);

  // When tick() is next to be called; nothing: not by itself.
  std::optional<Time> next_tick() const;
  bool over() const noexcept { return over_; }

 private:
  Actions report();

  bool exited_ = false;
  bool reported_exit_ = false;
  bool gone_ = false;
  bool over_ = false;
  std::optional<Time> kill_at_;  // it is being ended
  std::optional<Time> killed_;   // when SIGKILL was last sent
};

}  // namespace symphony::runtime
