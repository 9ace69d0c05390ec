// The log of a node.
//
// A `Log` is made once by the composition root; components get `Logger` handles that are passed to
// them. A record is put into a bounded ring under a short lock, and that is all the caller pays;
// one thread follows the ring and writes to the outputs (terminal, file). Whoever falls behind the
// ring (the writing thread, a `log -f` that reads with a cursor) misses the oldest records and is
// told how many. Logging never throws and never blocks on an output.
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "messages/result.hpp"
#include "runtime/log/log_output.hpp"
#include "runtime/log/log_record.hpp"
#include "runtime/time/clocks.hpp"

namespace symphony::runtime {

struct LogOptions {
  std::string node;
  LogLevel level = LogLevel::kInfo;       // of components without a rule of their own
  std::size_t ring_records_max = 10'000;  // REQUIRES: > 0
};

// A key and a value as given to a logging call: views, so that a disabled call copies nothing.
struct LogArg {
  using View = std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view>;

  std::string_view key;
  View value;

  template <class T>
  LogArg(std::string_view name, const T& given) : key(name), value(view_of(given)) {}

 private:
  template <class T>
  static View view_of(const T& given) {
    if constexpr (std::same_as<T, bool>)
      return given;
    else if constexpr (std::signed_integral<T>)
      return static_cast<std::int64_t>(given);
    else if constexpr (std::unsigned_integral<T>)
      return static_cast<std::uint64_t>(given);
    else if constexpr (std::floating_point<T>)
      return static_cast<double>(given);
    else
      return std::string_view(given);
  }
};

struct LogFilter {
  LogLevel level = LogLevel::kTrace;  // and above
  std::string component = {};         // "/pit": itself and what lies below it; "": all
  Uuid trace = {};                    // nil: all
};

struct LogPage {
  std::vector<std::shared_ptr<const LogRecord>> records;
  std::uint64_t missed = 0;  // records after the cursor that the ring no longer holds
  std::uint64_t cursor = 0;  // for the next call
};

class LogCore;
struct LogGate;

// A component's handle on the log: two pointers and the trace it works for. Copy it freely. A
// default-made logger is silent. It may outlive the Log: then only the ring is written.
// Thread-safe, except against assignment to itself.
class Logger {
 public:
  Logger() = default;

  [[nodiscard]] Logger for_component(std::string_view name) const;
  [[nodiscard]] Logger with_trace(const Uuid& trace, std::uint64_t span) const;

  [[nodiscard]] bool enabled(LogLevel level) const noexcept {
    return level_ != nullptr && level >= level_->load(std::memory_order_relaxed);
  }

  using Args = std::initializer_list<LogArg>;
  void log(LogLevel level, std::string_view message, Args args = {}) const noexcept {
    if (enabled(level)) write(level, message, args);
  }
  void trace(std::string_view message, Args args = {}) const noexcept {
    log(LogLevel::kTrace, message, args);
  }
  void debug(std::string_view message, Args args = {}) const noexcept {
    log(LogLevel::kDebug, message, args);
  }
  void info(std::string_view message, Args args = {}) const noexcept {
    log(LogLevel::kInfo, message, args);
  }
  void warn(std::string_view message, Args args = {}) const noexcept {
    log(LogLevel::kWarn, message, args);
  }
  void error(std::string_view message, Args args = {}) const noexcept {
    log(LogLevel::kError, message, args);
  }

 private:
  friend class Log;
  Logger(std::shared_ptr<LogCore> core, std::shared_ptr<const LogGate> gate);
  void write(LogLevel level, std::string_view message, Args args) const noexcept;

  std::shared_ptr<LogCore> core_;
  std::shared_ptr<const LogGate> gate_;
  const std::atomic<LogLevel>* level_ = nullptr;  // in *gate_
  Uuid trace_;
  std::uint64_t span_ = 0;
};

// Thread-safe.
class Log {
 public:
  static constexpr std::size_t kMessageMaxBytes = 16 * 1024;
  static constexpr std::size_t kFieldMaxBytes = 4 * 1024;
  static constexpr std::size_t kFieldsMax = 32;

  // `clocks` must outlive the log and all its loggers. Without outputs there is no thread.
  Log(const Clocks& clocks, LogOptions options, std::vector<LogOutput> outputs = {});
  // Writes out what is in the ring.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  [[nodiscard]] Logger logger(std::string_view component) const;

  // The level of a component and of all below it that have no rule of their own; "" or "/" is the
  // default. Takes effect at once, for existing loggers too.
  void set_level(std::string_view component, LogLevel level);
  [[nodiscard]] LogLevel level_of(std::string_view component) const;

  // The records after `cursor` (0: from the oldest held) that pass the filter, at most `max`.
  [[nodiscard]] LogPage read_after(std::uint64_t cursor, std::size_t max,
                                   const LogFilter& filter = {}) const;
  // The sequence number of the latest record, 0 when there is none.
  [[nodiscard]] std::uint64_t latest() const;
  // Records that no output ever saw because the ring was faster.
  [[nodiscard]] std::uint64_t unwritten() const;

  // Waits until all that is logged so far is written; false when that took longer than `patience`.
  bool flush(Nanos patience);

 private:
  std::shared_ptr<LogCore> core_;
  std::thread writer_;
};

}  // namespace symphony::runtime
