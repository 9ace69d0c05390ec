#include "runtime/log/log.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "messages/utf8.hpp"

namespace symphony::runtime {
namespace {

constexpr std::size_t kWriterBatch = 256;
constexpr std::string_view kOwnName = "/foundation/log";

// "/pit" covers "/pit" and "/pit/pool", not "/pitch"; "" and "/" cover all.
bool covers(std::string_view rule, std::string_view component) {
  if (rule.empty() || rule == "/") return true;
  if (rule.back() == '/') rule.remove_suffix(1);
  if (!component.starts_with(rule)) return false;
  return component.size() == rule.size() || component[rule.size()] == '/';
}

LogValue own(const LogArg::View& value) {
  if (const auto* text = std::get_if<std::string_view>(&value))
    return valid_text(*text, Log::kFieldMaxBytes);
  return std::visit(
      [](const auto& plain) -> LogValue {
        if constexpr (std::is_same_v<std::decay_t<decltype(plain)>, std::string_view>)
          return std::string(plain);
        else
          return plain;
      },
      value);
}

std::string format(const LogRecord& record, LogFormat as) {
  if (as == LogFormat::kJson) return format_json(record);
  return format_text(record, as == LogFormat::kColouredText);
}

}  // namespace

// A component's name and its present level: what its loggers share.
struct LogGate {
  explicit LogGate(std::string component) : name(std::move(component)) {}
  const std::string name;
  std::atomic<LogLevel> level{LogLevel::kInfo};
};

class LogCore {
 public:
  LogCore(const Clocks& clocks, LogOptions options)
      : clocks_(clocks), options_(std::move(options)) {
    SYMPHONY_ASSERT(options_.ring_records_max > 0);
    rules_[""] = options_.level;
  }

  std::shared_ptr<const LogGate> gate(std::string_view component) {
    std::lock_guard lock(levels_mutex_);
    auto& known = gates_[std::string(component)];
    if (auto gate = known.lock()) return gate;
    // Components come and go, so names that nobody logs under any more are forgotten.
    if (gates_.size() >= 2 * gates_kept_) {
      std::erase_if(gates_, [&](const auto& entry) {
        return entry.first != component && entry.second.expired();
      });
      gates_kept_ = std::max(kGatesAtLeast, gates_.size());
    }
    auto gate = std::make_shared<LogGate>(std::string(component));
    gate->level = level_by_rules(component);
    gates_[std::string(component)] = gate;
    return gate;
  }

  void set_level(std::string_view component, LogLevel level) {
    std::lock_guard lock(levels_mutex_);
    rules_[component == "/" ? "" : std::string(component)] = level;
    for (const auto& [name, weak] : gates_)
      if (const auto gate = weak.lock()) gate->level = level_by_rules(name);
  }

  LogLevel level_of(std::string_view component) const {
    std::lock_guard lock(levels_mutex_);
    return level_by_rules(component);
  }

  void append(LogLevel level, std::string_view component, const Uuid& trace, std::uint64_t span,
              std::string_view message, Logger::Args args) {
    auto record = std::make_shared<LogRecord>();
    record->level = level;
    record->wall_ns = clocks_.wall_ns();
    record->node = options_.node;
    record->component = valid_text(component, Log::kFieldMaxBytes);
    record->trace = trace;
    record->span = span;
    record->message = valid_text(message, Log::kMessageMaxBytes);
    for (const LogArg& arg : args) {
      if (record->fields.size() == Log::kFieldsMax) break;
      record->fields.emplace_back(valid_text(arg.key, Log::kFieldMaxBytes), own(arg.value));
    }
    std::shared_ptr<const LogRecord> dropped;  // freed after the lock
    {
      std::lock_guard lock(ring_mutex_);
      record->sequence = ++latest_;
      if (ring_.size() == options_.ring_records_max) {
        dropped = std::move(ring_.front());
        ring_.pop_front();
      }
      ring_.push_back(std::move(record));
    }
    appended_.notify_one();
  }

  LogPage read_after(std::uint64_t cursor, std::size_t max, const LogFilter& filter) const {
    LogPage page;
    std::lock_guard lock(ring_mutex_);
    cursor = std::min(cursor, latest_);
    const std::uint64_t before_oldest = latest_ - ring_.size();
    if (cursor < before_oldest) {
      page.missed = before_oldest - cursor;
      cursor = before_oldest;
    }
    for (; cursor < latest_ && page.records.size() < max; ++cursor) {
      const auto& record = ring_[cursor - before_oldest];
      if (record->level < filter.level || !covers(filter.component, record->component)) continue;
      if (!filter.trace.is_nil() && record->trace != filter.trace) continue;
      page.records.push_back(record);
    }
    page.cursor = cursor;
    return page;
  }

  std::uint64_t latest() const {
    std::lock_guard lock(ring_mutex_);
    return latest_;
  }
  std::uint64_t unwritten() const {
    std::lock_guard lock(ring_mutex_);
    return unwritten_;
  }

  bool flush(Nanos patience) {
    std::unique_lock lock(ring_mutex_);
    const std::uint64_t until = latest_;
    return written_changed_.wait_for(lock, patience,
                                     [&] { return !has_writer_ || written_ >= until; });
  }

  void expect_writer() { has_writer_ = true; }
  void stop() {
    {
      std::lock_guard lock(ring_mutex_);
      stopping_ = true;
    }
    appended_.notify_all();
  }

  // Follows the ring until it is stopped and all is written.
  void write_to(std::vector<LogOutput>& outputs) {
    ::pthread_setname_np(::pthread_self(), "log");
    std::uint64_t cursor = 0;
    while (wait_for_more(cursor)) {
      const LogPage page = read_after(cursor, kWriterBatch, {});
      if (page.missed > 0) put(missed_notice(page), outputs);
      for (const auto& record : page.records) put(*record, outputs);
      for (LogOutput& output : outputs) quietly([&] { output.sink->flush(); });
      cursor = page.cursor;
      {
        std::lock_guard lock(ring_mutex_);
        written_ = cursor;
        unwritten_ += page.missed;
      }
      written_changed_.notify_all();
    }
  }

 private:
  static constexpr std::size_t kGatesAtLeast = 1024;

  template <class Fn>
  static void quietly(Fn&& fn) noexcept {
    try {
      fn();
    } catch (...) {  // see LogSink: there is nobody left to tell
    }
  }

  static void put(const LogRecord& record, std::vector<LogOutput>& outputs) noexcept {
    for (LogOutput& output : outputs)
      quietly([&] { output.sink->write(format(record, output.format)); });
  }

  bool wait_for_more(std::uint64_t cursor) {
    std::unique_lock lock(ring_mutex_);
    appended_.wait(lock, [&] { return stopping_ || latest_ > cursor; });
    return latest_ > cursor;
  }

  LogRecord missed_notice(const LogPage& page) const {
    LogRecord notice;
    notice.sequence = page.cursor;
    notice.wall_ns = clocks_.wall_ns();
    notice.level = LogLevel::kWarn;
    notice.node = options_.node;
    notice.component = kOwnName;
    notice.message = "records were logged faster than they could be written and are not shown";
    notice.fields.emplace_back("missed", page.missed);
    return notice;
  }

  // The longest rule that covers the component.
  LogLevel level_by_rules(std::string_view component) const {
    LogLevel level = options_.level;
    std::size_t longest = 0;
    for (const auto& [rule, its_level] : rules_) {
      if (!covers(rule, component) || rule.size() < longest) continue;
      longest = rule.size();
      level = its_level;
    }
    return level;
  }

  const Clocks& clocks_;
  const LogOptions options_;

  mutable std::mutex levels_mutex_;
  std::map<std::string, LogLevel, std::less<>> rules_;
  std::map<std::string, std::weak_ptr<LogGate>, std::less<>> gates_;
  std::size_t gates_kept_ = kGatesAtLeast;

  mutable std::mutex ring_mutex_;
  std::condition_variable appended_;
  std::condition_variable written_changed_;
  std::deque<std::shared_ptr<const LogRecord>> ring_;
  std::uint64_t latest_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t unwritten_ = 0;
  bool has_writer_ = false;
  bool stopping_ = false;
};

// ---- Logger -------------------------------------------------------------------------------------

Logger::Logger(std::shared_ptr<LogCore> core, std::shared_ptr<const LogGate> gate)
    : core_(std::move(core)), gate_(std::move(gate)), level_(&gate_->level) {}

Logger Logger::for_component(std::string_view name) const {
  if (!core_) return {};
  Logger other(core_, core_->gate(name));
  other.trace_ = trace_;
  other.span_ = span_;
  return other;
}

Logger Logger::with_trace(const Uuid& trace, std::uint64_t span) const {
  Logger other = *this;
  other.trace_ = trace;
  other.span_ = span;
  return other;
}

void Logger::write(LogLevel level, std::string_view message, Args args) const noexcept {
  try {
    core_->append(level, gate_->name, trace_, span_, message, args);
  } catch (...) {
    // Out of memory: a lost record must not become a lost component.
  }
}

// ---- Log ----------------------------------------------------------------------------------------

Log::Log(const Clocks& clocks, LogOptions options, std::vector<LogOutput> outputs)
    : core_(std::make_shared<LogCore>(clocks, std::move(options))) {
  if (outputs.empty()) return;
  core_->expect_writer();
  writer_ = std::thread(
      [core = core_, outputs = std::move(outputs)]() mutable { core->write_to(outputs); });
}

Log::~Log() {
  core_->stop();
  if (writer_.joinable()) writer_.join();
}

Logger Log::logger(std::string_view component) const {
  return Logger(core_, core_->gate(component));
}
void Log::set_level(std::string_view component, LogLevel level) {
  core_->set_level(component, level);
}
LogLevel Log::level_of(std::string_view component) const { return core_->level_of(component); }
LogPage Log::read_after(std::uint64_t cursor, std::size_t max, const LogFilter& filter) const {
  return core_->read_after(cursor, max, filter);
}
std::uint64_t Log::latest() const { return core_->latest(); }
std::uint64_t Log::unwritten() const { return core_->unwritten(); }
bool Log::flush(Nanos patience) { return core_->flush(patience); }

}  // namespace symphony::runtime
