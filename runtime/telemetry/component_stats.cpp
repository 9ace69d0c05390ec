#include "runtime/telemetry/component_stats.hpp"

#include <utility>

#include "messages/utf8.hpp"

namespace symphony::runtime {
namespace {

// What people read, whatever it was made from.
std::string cut(std::string_view text) {
  return shortened(valid_text(text), ComponentStats::kTextMaxBytes);
}

}  // namespace

ComponentStats::ComponentStats(std::string name, MonoTime born, std::uint32_t incarnation)
    : name_(std::move(name)), incarnation_(incarnation), last_progress_ns_(ns_of(born)) {}

void ComponentStats::note_error(std::int64_t wall_ns, Errc code, std::string_view text) {
  ErrorNote note{wall_ns, code, cut(text)};
  std::lock_guard lock(text_mutex_);
  if (errors_.size() == kErrorsMax) errors_.erase(errors_.begin());
  errors_.push_back(std::move(note));
}

void ComponentStats::set_state_line(std::string_view text) {
  std::string line = cut(text.substr(0, text.find('\n')));
  std::lock_guard lock(text_mutex_);
  state_line_ = std::move(line);
}

std::optional<RunningHandler> ComponentStats::running() const noexcept {
  // The method belongs to the time only if the time is the same before and after; a component that
  // moves on this fast is certainly not stuck, so a few attempts are enough.
  for (int attempt = 0; attempt < 4; ++attempt) {
    const std::int64_t began = began_ns_.load(std::memory_order_acquire);
    if (began == kIdle) return std::nullopt;
    const std::uint32_t method = method_.load(std::memory_order_acquire);
    if (began_ns_.load(std::memory_order_relaxed) == began)
      return RunningHandler{method, MonoTime{Nanos{began}}};
  }
  return std::nullopt;
}

ComponentSnapshot ComponentStats::snapshot() const {
  ComponentSnapshot view;
  view.name = name_;
  view.mailbox_depth = mailbox_depth();
  view.processed = processed();
  view.refused = shared_.refused.load(std::memory_order_relaxed);
  view.failed = failed_.load(std::memory_order_relaxed);
  view.dropped = dropped_.load(std::memory_order_relaxed);
  view.restarts = restarts();
  view.running = running();
  view.last_progress = last_progress();
  view.waiting_ns = waiting_.snapshot();
  view.handling_ns = handling_.snapshot();
  std::lock_guard lock(text_mutex_);
  view.errors.assign(errors_.begin(), errors_.end());
  view.state_line = state_line_;
  return view;
}

void ComponentStats::continue_from(const ComponentSnapshot& predecessor) {
  processed_.store(predecessor.processed, std::memory_order_relaxed);
  failed_.store(predecessor.failed, std::memory_order_relaxed);
  dropped_.store(predecessor.dropped, std::memory_order_relaxed);
  restarts_.store(predecessor.restarts + 1, std::memory_order_relaxed);
  shared_.refused.fetch_add(predecessor.refused, std::memory_order_relaxed);
  waiting_.restore(predecessor.waiting_ns);
  handling_.restore(predecessor.handling_ns);
  std::lock_guard lock(text_mutex_);
  errors_.insert(errors_.begin(), predecessor.errors.begin(), predecessor.errors.end());
  if (errors_.size() > kErrorsMax)
    errors_.erase(errors_.begin(), errors_.end() - static_cast<std::ptrdiff_t>(kErrorsMax));
}

}  // namespace symphony::runtime
