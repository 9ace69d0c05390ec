#include "actors/orchestration/engine/run_desk.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace symphony::actors {
namespace {

constexpr std::size_t kParentsMax = 1'000;  // digests named as what an artifact was made from

}  // namespace

// What a lane is doing. All but the atomics under the desk's mutex.
struct RunDesk::Slot {
  std::optional<WorkItem> item;
  std::int64_t started_ns = 0;
  runtime::MonoTime started;
  runtime::MonoTime deadline = runtime::MonoTime::max();
  bool ended = false;  // and is about to be reported
  std::atomic<bool> given_up = false;
  std::atomic<double> fraction = 0;
};

class RunDesk::Context final : public OperatorContext {
 public:
  Context(const RunDesk& desk, const WorkItem& item, Slot& slot, PitClient& pit)
      : desk_(desk),
        node_(desk.facts_->plan.nodes[item.of]),
        slot_(slot),
        pit_(pit),
        deadline_(slot.deadline) {}

  bool cancelled() const noexcept override {
    return desk_.cancelled_.load(std::memory_order_relaxed) ||
           slot_.given_up.load(std::memory_order_relaxed) || late();
  }
  bool late() const noexcept {
    return deadline_ != runtime::MonoTime::max() &&
           desk_.surroundings_.clocks.coarse() >= deadline_;
  }
  runtime::MonoTime deadline() const noexcept override { return deadline_; }
  int cores() const noexcept override { return static_cast<int>(node_.policy.cores); }
  void progress(double done, double total) override {
    if (total > 0)
      slot_.fraction.store(std::clamp(done / total, 0.0, 1.0), std::memory_order_relaxed);
  }
  Result<std::vector<std::string>> store(std::span<const ArtifactDraft> drafts) override {
    std::vector<std::string> parents;
    {
      const std::lock_guard lock(mutex_);
      parents = loaded_;
    }
    // An operator may use several threads of its own, a PitClient serves one.
    const std::lock_guard lock(pit_mutex_);
    auto digests = pit_.store(drafts, node_.name, parents, deadline_);
    if (!digests) return digests;
    artifacts_ += drafts.size();
    for (const ArtifactDraft& draft : drafts) artifact_bytes_ += draft.content.size();
    return digests;
  }
  Result<std::string> load(std::string_view digest) override {
    {
      const std::lock_guard lock(mutex_);
      if (loaded_.size() < kParentsMax) loaded_.emplace_back(digest);
    }
    const std::lock_guard lock(pit_mutex_);
    return pit_.load(digest, deadline_);
  }

  std::uint64_t artifacts() const noexcept { return artifacts_; }
  std::uint64_t artifact_bytes() const noexcept { return artifact_bytes_; }

 private:
  const RunDesk& desk_;
  const PlanNode& node_;
  Slot& slot_;
  PitClient& pit_;
  const runtime::MonoTime deadline_;
  std::mutex mutex_;
  std::vector<std::string> loaded_;
  std::mutex pit_mutex_;
  std::atomic<std::uint64_t> artifacts_ = 0;
  std::atomic<std::uint64_t> artifact_bytes_ = 0;
};

// ---- the engine's side --------------------------------------------------------------------------

void RunDesk::lay_out(LaneClass lanes, const WorkItem& item) {
  const std::lock_guard lock(mutex_);
  if (queues_.size() <= lanes) queues_.resize(lanes + 1);
  add(queues_[lanes], item);
}

void RunDesk::add(Queue& queue, const WorkItem& item) {
  queue.items[facts_->plan.nodes[item.of].policy.priority].push_back(item);
  ++queue.size;
  laid_out_.fetch_add(1, std::memory_order_release);
}

LaneLoad RunDesk::load(LaneClass lanes) const {
  const std::lock_guard lock(mutex_);
  if (queues_.size() <= lanes) return {};
  const Queue& queue = queues_[lanes];
  LaneLoad load;
  load.ready = queue.size;
  load.lingering = queue.lingering;
  if (queue.size > 0) load.priority = queue.items.begin()->first;
  return load;
}

std::vector<WorkItem> RunDesk::clear(LaneClass lanes) {
  const std::lock_guard lock(mutex_);
  std::vector<WorkItem> items;
  if (queues_.size() <= lanes) return items;
  for (auto& [priority, some] : queues_[lanes].items)
    items.insert(items.end(), some.begin(), some.end());
  queues_[lanes].items.clear();
  queues_[lanes].size = 0;
  return items;
}

void RunDesk::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  for (Queue& queue : queues_) {
    queue.items.clear();
    queue.size = 0;
  }
  laid_out_.fetch_add(1, std::memory_order_release);
}

RunDesk::Drained RunDesk::drain() {
  const std::lock_guard lock(mutex_);
  return std::exchange(outbox_, {});
}

std::vector<RunDesk::Running> RunDesk::running() const {
  const std::lock_guard lock(mutex_);
  std::vector<Running> all;
  for (const auto& [key, slot] : slots_)
    if (slot->item && !slot->given_up)
      all.push_back({key, *slot->item, slot->started_ns, slot->deadline, slot->fraction});
  return all;
}

std::optional<WorkItem> RunDesk::give_up(LaneKey lane) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(lane);
  if (found == slots_.end()) return std::nullopt;
  Slot& slot = *found->second;
  if (!slot.item || slot.ended || slot.given_up) return std::nullopt;
  slot.given_up = true;
  return slot.item;
}

// ---- a lane's side ------------------------------------------------------------------------------

bool RunDesk::try_take(Queue& queue, Slot& slot) {
  if (queue.size == 0 || cancelled_) return false;
  const auto first = queue.items.begin();
  begin(slot, first->second.front());
  first->second.pop_front();
  if (first->second.empty()) queue.items.erase(first);
  --queue.size;
  return true;
}

void RunDesk::begin(Slot& slot, const WorkItem& item) {
  slot.item = item;
  slot.ended = false;
  slot.started = surroundings_.clocks.mono();
  slot.started_ns = surroundings_.clocks.wall_ns();
  slot.fraction = 0;
  const std::uint32_t timeout_ms = facts_->plan.nodes[item.of].policy.timeout_ms;
  slot.deadline = timeout_ms == 0 ? runtime::MonoTime::max()
                                  : slot.started + std::chrono::milliseconds(timeout_ms);
}

bool RunDesk::take(LaneClass lanes, Slot& slot) {
  std::unique_lock lock(mutex_);
  if (queues_.size() <= lanes) return false;
  if (try_take(queues_[lanes], slot)) return true;
  if (surroundings_.linger_yields == 0 || cancelled_) return false;
  // What follows from the last node is usually ready a moment later: cheaper than a new lane.
  ++queues_[lanes].lingering;
  std::uint64_t seen = laid_out_;
  bool taken = false;
  lock.unlock();
  for (std::uint32_t i = 0; i < surroundings_.linger_yields && !taken; ++i) {
    std::this_thread::yield();
    const std::uint64_t now = laid_out_.load(std::memory_order_acquire);
    if (now == seen) continue;
    seen = now;
    lock.lock();
    taken = try_take(queues_[lanes], slot);
    lock.unlock();
  }
  lock.lock();
  --queues_[lanes].lingering;
  return taken || try_take(queues_[lanes], slot);
}

void RunDesk::follow(NodeReport& report, Slot& slot, Queue& queue, bool may_go_on) {
  using messages::Outcome;
  const bool satisfies = report.outcome == Outcome::SUCCEEDED || report.outcome == Outcome::SKIPPED;
  if (!satisfies || report.item.index || cancelled_) return;
  const auto ready = frontier_.ended(report.item.node);
  if (held_back_) return;
  // What waits comes first: its rank is at least as high, for all a lane can know.
  bool goes_on = may_go_on && queue.size == 0;
  for (const NodeIndex node : ready) {
    const WorkItem item{node, node, std::nullopt};
    if (std::exchange(goes_on, false)) {
      begin(slot, item);
      report.next = node;
    } else {
      add(queue, item);
      report.laid_out.push_back(node);
    }
  }
}

void RunDesk::keep_result(NodeReport& report) {
  const NodeId node = report.item.node;
  if (report.outcome == messages::Outcome::SKIPPED) results_->note_skipped(node);
  if (report.outcome == messages::Outcome::EXPANDED && report.children == 0)
    results_->note_children(node, 0, 0);
  if (!report.digest.empty()) results_->note_digest(node, report.digest);
  if (!report.value) return;
  // What follows at once may not find it in the journal yet.
  const bool held = report.digest.empty() && !report.item.index && frontier_.leads_on(node);
  results_->put(node, std::exchange(report.value, nullptr), held);
}

bool RunDesk::put_back(Slot& slot, NodeReport report, LaneClass lanes, bool may_go_on) {
  {
    const std::lock_guard lock(mutex_);
    if (slot.given_up) return false;
    slot.ended = true;
  }
  keep_result(report);  // may take a while: not under the mutex
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    slot.item.reset();
    follow(report, slot, queues_[lanes], may_go_on);
    first = outbox_.reports.empty() && outbox_.lanes.empty();
    outbox_.reports.push_back(std::move(report));
  }
  if (first) surroundings_.wake();
  return true;
}

void RunDesk::leave(LaneKey key) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = outbox_.reports.empty() && outbox_.lanes.empty();
    bool lost = false;
    if (const auto found = slots_.find(key); found != slots_.end()) {
      const Slot& slot = *found->second;
      lost = slot.given_up;
      if (slot.item && !lost) outbox_.reports.push_back(report_of_death(slot));
      slots_.erase(found);
    }
    outbox_.lanes.push_back({key, lost});
  }
  if (first) surroundings_.wake();
}

NodeReport RunDesk::report_of_death(const Slot& slot) const {
  const std::string& name = facts_->plan.nodes[slot.item->of].name;
  NodeReport report;
  report.item = *slot.item;
  report.outcome = messages::Outcome::FAILED;
  report.error =
      Error{Errc::INTERNAL, "what executed node " + name + " broke down", "nodes." + name, true};
  report.started_ns = slot.started_ns;
  report.executed = true;
  return report;
}

NodeReport RunDesk::execute(Slot& slot, PitClient& pit) {
  const WorkItem item = *slot.item;
  Context context(*this, item, slot, pit);
  NodeReport report = execute_node(*facts_, *results_, pit, item, context);
  report.started_ns = slot.started_ns;
  report.duration_us =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                     surroundings_.clocks.mono() - slot.started)
                                     .count());
  report.artifacts = context.artifacts();
  report.artifact_bytes = context.artifact_bytes();
  if (report.outcome != messages::Outcome::FAILED) return report;
  const PlanNode& node = facts_->plan.nodes[item.of];
  if (cancelled_) {
    report.outcome = messages::Outcome::CANCELLED;
    report.error.reset();
  } else if (context.late()) {
    report.error = Error{Errc::DEADLINE_EXCEEDED,
                         "node " + node.name + " did not end within its timeout of " +
                             std::to_string(node.policy.timeout_ms) + " ms",
                         "nodes." + node.name + ".timeout_ms", true};
  }
  return report;
}

void RunDesk::work(LaneKey key, LaneClass lanes, runtime::MonoTime slice_ends) {
  const auto slot = std::make_shared<Slot>();
  {
    const std::lock_guard lock(mutex_);
    slots_.emplace(key, slot);
  }
  PitClient pit(surroundings_.asker, facts_->id);
  bool given_up = false;
  bool in_slice = true;
  while (in_slice && !given_up && (slot->item || take(lanes, *slot))) {
    NodeReport report = execute(*slot, pit);
    in_slice = surroundings_.clocks.coarse() < slice_ends;
    given_up = !put_back(*slot, std::move(report), lanes, in_slice);
  }
  leave(key);
}

}  // namespace symphony::actors
