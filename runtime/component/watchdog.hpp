// Notices when the threads that run components are lost.
//
// A thread that is stuck in a handler cannot be freed; its component is fenced and replaced, but
// the thread is gone. When half of them are, the node no longer does its work and should end, so
// that whoever started it starts another. No actor can find that out, since actors are what does
// not run then: the watchdog looks from a thread of its own at what telemetry publishes.
//
// Only time in which the watchdog itself was awake counts: after the process was stopped, or the
// machine asleep, nobody is lost who had no chance to go on.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/time/clocks.hpp"

namespace symphony::runtime {

class TelemetryRegistry;

struct WatchdogOptions {
  std::size_t workers = 0;  // threads that run components; REQUIRES: > 0
  Nanos limit{};            // a thread in one handler for longer is lost; REQUIRES: > 0
  Nanos interval{};         // between two looks; REQUIRES: > 0
};

// A handler as it was seen to run: `life` tells incarnations apart while they exist.
struct BusyHandler {
  const void* life = nullptr;
  MonoTime since;
  std::string component = {};
};

// Decides; has no clock and no thread. Not thread-safe.
class WatchdogCore {
 public:
  explicit WatchdogCore(const WatchdogOptions& options);

  // Takes in all that runs at `now`; answers the components whose threads are lost when these are
  // at least half of the workers, else nothing. REQUIRES: `now` never goes back.
  std::vector<std::string> look(MonoTime now, const std::vector<BusyHandler>& busy);

 private:
  struct Seen {
    MonoTime since;
    Nanos watched{};  // for how long it was seen in this handler
  };
  const WatchdogOptions options_;
  std::map<const void*, Seen> seen_;
  MonoTime last_look_ = MonoTime::min();
};

// All handlers that run now, of former incarnations too.
std::vector<BusyHandler> busy_handlers(const TelemetryRegistry& telemetry);

class Watchdog {
 public:
  // Called once, on the watchdog's thread, with the components whose threads are lost.
  using OnLost = std::function<void(const std::vector<std::string>& components)>;

  // `telemetry` and `clocks` must outlive the watchdog.
  Watchdog(const WatchdogOptions& options, const TelemetryRegistry& telemetry, const Clocks& clocks,
           OnLost on_lost);
  // Returns after the thread has ended; not from within `on_lost`.
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  void run();

  const WatchdogOptions options_;
  const TelemetryRegistry& telemetry_;
  const Clocks& clocks_;
  const OnLost on_lost_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace symphony::runtime
