// Who is sick: work waiting, and no progress.
//
// A component is judged by what it does, never by how fast it answers: one that works off ten
// thousand messages is healthy, however long a new one has to wait. What counts as progress is that
// something ended: a handler, a continuation, a message that was dropped. While none does and there
// is something to do, the time between two looks is added up; beyond `stuck_after` the component is
//   - stuck, when it is inside a handler: it is reported, to be fenced and replaced;
//   - starved, when it is not, and somebody else is stuck: no thread is left for it, and replacing
//     it would help nobody. With nobody stuck it is reported like a stuck one.
// Time in which nobody looked does not count (at most twice the interval between two looks does): a
// process that was stopped wakes up with healthy components.
//
// An incarnation is reported once. If the report could not be delivered (`undelivered`) it is
// repeated, after a pause that doubles each time.
//
// No clock, no I/O, not thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/time/clocks.hpp"

namespace symphony::bootstrap {

struct HealthRules {
  runtime::Nanos interval{};     // between two looks; REQUIRES: > 0
  runtime::Nanos stuck_after{};  // REQUIRES: > 0
};

// Tells the lives of a name apart.
struct Life {
  std::uint64_t restarts = 0;     // as telemetry counts: never begins anew
  std::uint32_t incarnation = 0;  // as its supervisor counts
  friend auto operator<=>(const Life&, const Life&) = default;
};

// What one look sees of one incarnation.
struct Observation {
  std::string name;
  Life life;
  bool fenced = false;          // succeeded by another: watched only for the thread it may hold
  bool running = false;         // inside a handler or continuation
  std::int64_t waiting = 0;     // messages
  std::uint64_t processed = 0;  // these two show progress
  runtime::MonoTime last_progress{};
};

struct Sick {
  std::string name;
  Life life;
  std::string reason;   // for people
  bool report = false;  // its supervisor is to be told now
};

class HealthCore {
 public:
  // The first pause before a report is repeated is the interval of looks; it doubles up to this.
  static constexpr runtime::Nanos kPauseMax = std::chrono::minutes(5);

  explicit HealthCore(const HealthRules& rules);

  // Takes in what is seen of everyone who is there; answers who is sick, in the order given.
  // What is not seen is forgotten. REQUIRES: `now` never goes back.
  std::vector<Sick> look(runtime::MonoTime now, const std::vector<Observation>& seen);

  // The report of this incarnation did not reach its supervisor.
  void undelivered(const std::string& name, const Life& life, runtime::MonoTime now);

 private:
  struct Watched {
    std::uint64_t processed = 0;
    runtime::MonoTime last_progress{};
    runtime::Nanos idle{};  // with work and without progress
    bool reported = false;
    runtime::Nanos pause{};
    runtime::MonoTime not_before = runtime::MonoTime::min();
  };
  using Key = std::pair<std::string, Life>;

  static bool has_work(const Observation& one) { return one.running || one.waiting > 0; }
  Watched observe(const Observation& one, runtime::Nanos elapsed) const;

  const HealthRules rules_;
  std::map<Key, Watched> watched_;
  runtime::MonoTime last_look_ = runtime::MonoTime::min();
};

}  // namespace symphony::bootstrap
