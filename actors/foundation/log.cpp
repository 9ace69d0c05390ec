#include "actors/foundation/log.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include "runtime/component/services.hpp"
#include "runtime/telemetry/telemetry_registry.hpp"

namespace symphony::actors {
namespace {

using runtime::LogLevel;
using runtime::LogRecord;
using Records = std::span<const std::shared_ptr<const LogRecord>>;

static_assert(static_cast<int>(messages::LogLevel::TRACE) == static_cast<int>(LogLevel::kTrace));
static_assert(static_cast<int>(messages::LogLevel::OFF) == static_cast<int>(LogLevel::kOff));

// Nothing for a level that a later schema may have.
std::optional<LogLevel> level_of(messages::LogLevel level) {
  if (level > messages::LogLevel::OFF) return std::nullopt;
  return static_cast<LogLevel>(level);
}

std::string text_of(const runtime::LogValue& value) {
  return std::visit(
      [](const auto& plain) -> std::string {
        using Plain = std::decay_t<decltype(plain)>;
        if constexpr (std::is_same_v<Plain, std::string>)
          return plain;
        else if constexpr (std::is_same_v<Plain, bool>)
          return plain ? "true" : "false";
        else
          return std::to_string(plain);
      },
      value);
}

std::size_t size_bytes(const LogRecord& record) {
  std::size_t bytes = record.component.size() + record.message.size() + 64;
  for (const auto& [key, value] : record.fields) {
    bytes += key.size() + 32;
    if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
  }
  return bytes;
}

// As many of them, from the first on, as one answer may hold.
Records fitting(Records records) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    bytes += size_bytes(*records[i]);
    if (bytes > LogView::kAnswerMaxBytes) return records.first(std::max<std::size_t>(i, 1));
  }
  return records;
}

void write_record(const LogRecord& record, messages::LogRecord::Builder out) {
  out.setTimeNs(record.wall_ns);
  out.setLevel(static_cast<messages::LogLevel>(record.level));
  out.setComponent(record.component);
  out.setMessage(record.message);
  out.setTraceHigh(record.trace.high());
  out.setTraceLow(record.trace.low());
  out.setSpan(record.span);
  auto fields = out.initFields(static_cast<unsigned>(record.fields.size()));
  for (unsigned i = 0; i < record.fields.size(); ++i) {
    fields[i].setKey(record.fields[i].first);
    fields[i].setValue(text_of(record.fields[i].second));
  }
}

// Whether a rule for `name` concerns anybody.
bool covers_somebody(std::string_view name, const runtime::TelemetryRegistry& telemetry) {
  if (name.empty() || name == "/") return true;
  if (telemetry.find(name) != nullptr) return true;
  const std::string below = std::string{name} + "/";
  const auto all = telemetry.all();
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& stats) { return stats->name().starts_with(below); });
}

}  // namespace

LogView::LogView(runtime::Host& host) : ComponentOf(host), log_(host.services().log) {}

void LogView::next(Call<protocol::LogView::Next> call) {
  const auto level = level_of(call->getLevel());
  if (!level || *level == LogLevel::kOff)
    return call.fail({Errc::INVALID_ARGUMENT, "level must be one of trace to error", "level"});
  const std::size_t max = call->getMax() == 0 ? kRecordsMax : call->getMax();
  const std::size_t tail = call->getTail();
  Reader reader{.call = std::move(call)};
  reader.filter.level = *level;
  reader.filter.component = reader.call->getComponent().cStr();
  reader.cursor = reader.call->getCursor();
  reader.max = std::min(max, kRecordsMax);
  const auto now = host().now();
  const auto left = std::min<runtime::Nanos>(reader.call.header().deadline - now, kWaitMax);
  reader.give_up_at = now + left - std::min<runtime::Nanos>(kMargin, left / 2);
  if (reader.cursor == 0 && tail > 0) begin_at_tail(reader, tail);
  if (serve(reader)) return;
  if (waiting_.size() >= kWaitersMax)
    return reader.call.fail({Errc::OVERLOADED,
                             std::to_string(kWaitersMax) + " readers of the log wait already", "",
                             true});
  waiting_.push_back(std::move(reader));
  poll_later();
}

void LogView::begin_at_tail(Reader& reader, std::size_t tail) {
  const auto page = log_.read_after(0, std::numeric_limits<std::size_t>::max(), reader.filter);
  const auto count = page.records.size();
  if (count > tail)
    reader.cursor = page.records[count - tail]->sequence - 1;
  else if (count > 0)
    reader.cursor = page.records.front()->sequence - 1;
  else
    reader.cursor = page.cursor;
}

bool LogView::serve(Reader& reader) {
  const auto page = log_.read_after(reader.cursor, reader.max, reader.filter);
  // Who begins with the oldest record misses nothing.
  if (reader.cursor != 0) reader.missed += page.missed;
  reader.cursor = page.cursor;
  const bool late = host().now() >= reader.give_up_at;
  if (page.records.empty() && reader.missed == 0 && !late) return false;
  const Records records = fitting(page.records);
  if (records.size() < page.records.size()) reader.cursor = records.back()->sequence;
  reader.call.reply([&](messages::NextLogResponse::Builder out) {
    out.setNext(reader.cursor);
    out.setMissed(reader.missed);
    auto rows = out.initRecords(static_cast<unsigned>(records.size()));
    for (unsigned i = 0; i < records.size(); ++i) write_record(*records[i], rows[i]);
  });
  return true;
}

void LogView::poll_later() {
  if (waiting_.empty()) return;
  const auto now = host().now();
  auto at = now + kPollInterval;
  for (const auto& reader : waiting_) at = std::min(at, reader.give_up_at);
  if (at >= poll_at_) return;
  host().cancel_timer(timer_);
  poll_at_ = at;
  timer_ = host().after(at - now, [this] { poll(); });
}

void LogView::poll() {
  poll_at_ = runtime::MonoTime::max();
  std::erase_if(waiting_, [this](Reader& reader) { return serve(reader); });
  poll_later();
}

void LogView::cancelled(const Header& request) {
  std::erase_if(waiting_, [&](const Reader& reader) {
    return reader.call.header().sender == request.sender &&
           reader.call.header().correlation == request.correlation;
  });
}

void LogView::drain(runtime::Step step) {
  for (auto& reader : waiting_) {
    reader.give_up_at = host().now();
    serve(reader);
  }
  waiting_.clear();
  step.done();
}

void LogView::set_level(Call<protocol::LogView::SetLevel> call) {
  const auto level = level_of(call->getLevel());
  if (!level) return call.fail({Errc::INVALID_ARGUMENT, "there is no such level", "level"});
  const std::string component = call->getComponent().cStr();
  if (!covers_somebody(component, host().services().telemetry))
    return call.fail(
        {Errc::NOT_FOUND, "no component is named " + component + " or lies below it", "component"});
  log_.set_level(component, *level);
  call.reply();
}

}  // namespace symphony::actors
