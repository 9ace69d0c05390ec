// What a node lends to all its components. Everything outlives the actors and is thread-safe.
#pragma once

#include <chrono>

namespace symphony::runtime {

class Blocking;
class Clocks;
class DeadLetters;
class Fences;
class Log;
class Random;
class Registry;
class TelemetryRegistry;
class Ticker;

struct Services {
  const Clocks& clocks;
  Random& random;
  Ticker& ticker;
  Blocking& blocking;
  Log& log;
  TelemetryRegistry& telemetry;
  Registry& registry;
  DeadLetters& dead_letters;
  Fences& fences;
  // For asks that set no deadline of their own.
  std::chrono::nanoseconds ask_timeout;
};

}  // namespace symphony::runtime
