#include "actors/orchestration/engine/run_queue.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "actors/orchestration/engine/output_tap.hpp"
#include "runtime/process/process.hpp"

namespace symphony::actors {
namespace {

constexpr std::size_t kParentsMax = 1'000;  // digests named as what an artifact was made from

}  // namespace

SlotDemand demand_of(const PlanNode& node, bool child) {
  // Finding out over what to map takes no more than a core.
  if (node.map && !child) return {};
  return {node.policy.cores, node.policy.memory_mb};
}

// What a worker is executing. All but the atomics under the queue's mutex.
struct RunQueue::Attempt {
  std::optional<WorkItem> item;
  std::int64_t started_ns = 0;
  runtime::MonoTime started;
  runtime::MonoTime deadline = runtime::MonoTime::max();
  bool ended = false;  // and is about to be reported
  std::atomic<bool> abandoned = false;
  std::atomic<double> fraction = 0;
};

class RunQueue::Context final : public OperatorContext {
 public:
  Context(const RunQueue& queue, const WorkItem& item, Attempt& attempt, PitClient& pit)
      : queue_(queue),
        node_(queue.facts_->plan.nodes[item.of]),
        name_(node_.name + (item.index ? "[" + std::to_string(*item.index) + "]" : "")),
        attempt_(attempt),
        pit_(pit),
        deadline_(attempt.deadline),
        output_(queue.surroundings_.asker, queue.facts_->id, name_, attempt.started_ns) {}

  bool cancelled() const noexcept override {
    return queue_.cancelled_.load(std::memory_order_relaxed) ||
           attempt_.abandoned.load(std::memory_order_relaxed) || late();
  }
  bool late() const noexcept {
    return deadline_ != runtime::MonoTime::max() &&
           queue_.surroundings_.clocks.coarse() >= deadline_;
  }
  runtime::MonoTime deadline() const noexcept override { return deadline_; }
  int cores() const noexcept override { return static_cast<int>(node_.policy.cores); }
  const std::string& directory() const noexcept override { return queue_.facts_->directory; }
  std::vector<std::string> environment() const override {
    std::vector<std::string> list;
    for (const auto& [name, value] :
         environment_of(queue_.facts_->plan, node_, queue_.facts_->environment))
      list.push_back(name + "=" + value);
    return list;
  }
  bool hurried() const noexcept override { return queue_.hurried_.load(std::memory_order_relaxed); }
  void progress(double done, double total) override {
    if (total > 0)
      attempt_.fraction.store(std::clamp(done / total, 0.0, 1.0), std::memory_order_relaxed);
  }
  std::string name() const override { return queue_.facts_->id + "/" + name_; }
  runtime::ForkServer& fork_server() override {
    SYMPHONY_ASSERT(queue_.surroundings_.fork_server != nullptr);
    return *queue_.surroundings_.fork_server;
  }
  void output(runtime::OutputStream stream, std::string_view bytes) override {
    output_.print(
        stream == runtime::OutputStream::err ? messages::PrintedOn::ERR : messages::PrintedOn::OUT,
        bytes);
  }
  void finish_output() { output_.finish(); }
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
  const RunQueue& queue_;
  const PlanNode& node_;
  const std::string name_;
  Attempt& attempt_;
  PitClient& pit_;
  const runtime::MonoTime deadline_;
  OutputTap output_;
  std::mutex mutex_;
  std::vector<std::string> loaded_;
  std::mutex pit_mutex_;
  std::atomic<std::uint64_t> artifacts_ = 0;
  std::atomic<std::uint64_t> artifact_bytes_ = 0;
};

// ---- what waits ---------------------------------------------------------------------------------

RunQueue::RunQueue(std::shared_ptr<const RunFacts> facts, std::shared_ptr<ResultStore> results,
                   RunState state, std::vector<Classes> classes, Surroundings surroundings)
    : facts_(std::move(facts)),
      results_(std::move(results)),
      classes_(std::move(classes)),
      surroundings_(std::move(surroundings)),
      is_needed_(facts_->plan.nodes.size(), 0),
      state_(std::move(state)) {
  SYMPHONY_ASSERT(classes_.size() == facts_->plan.nodes.size());
  for (const PlanNode& node : facts_->plan.nodes)
    for (const NodeIndex need : node.needs) is_needed_[need] = 1;
  state_.trace_ends(&ended_);
  const std::lock_guard lock(mutex_);
  enqueue(state_.ready());
}

RunQueue::Queue& RunQueue::queue_of(SlotClass of) {
  if (queues_.size() <= of) queues_.resize(of + 1);
  return queues_[of];
}

WorkItem RunQueue::item_of(NodeId node) const {
  const std::uint32_t attempt = state_.attempt_of(node);
  const auto parent = state_.parent_of(node);
  if (!parent) return {node, node, std::nullopt, attempt};
  return {node, *parent, node - state_.children_of(*parent)->first, attempt};
}

void RunQueue::enqueue(std::span<const NodeId> ready) {
  if (ready.empty() || cancelled_) return;
  for (const NodeId node : ready) {
    const WorkItem item = item_of(node);
    const Classes& classes = classes_[item.of];
    Queue& queue = queue_of(item.index ? classes.children : classes.own);
    queue.items[facts_->plan.nodes[item.of].policy.priority].push_back(item);
    ++queue.size;
  }
  enqueued_.fetch_add(1, std::memory_order_release);
}

bool RunQueue::try_take(Queue& queue, Attempt& attempt) {
  if (queue.size == 0 || held_back_ || cancelled_) return false;
  const auto first = queue.items.begin();
  begin(attempt, first->second.front());
  first->second.pop_front();
  if (first->second.empty()) queue.items.erase(first);
  --queue.size;
  return true;
}

void RunQueue::begin(Attempt& attempt, const WorkItem& item) {
  const Status running = state_.mark_running({&item.node, 1}, now_us());
  SYMPHONY_ASSERT(running.ok());
  attempt.item = item;
  attempt.ended = false;
  attempt.started = surroundings_.clocks.mono();
  attempt.started_ns = surroundings_.clocks.wall_ns();
  attempt.fraction = 0;
  const std::uint32_t timeout_ms = facts_->plan.nodes[item.of].policy.timeout_ms;
  attempt.deadline = timeout_ms == 0 ? runtime::MonoTime::max()
                                     : attempt.started + std::chrono::milliseconds(timeout_ms);
}

// ---- what was reported --------------------------------------------------------------------------

bool RunQueue::leave_report(NodeReport report) {
  const NodeId node = report.item.node;
  if (state_.is_stale(node, report.item.attempt)) return false;
  ended_.clear();
  const auto apply = [&] {
    const NodeOutcome outcome{node, static_cast<OutcomeKind>(report.outcome),
                              report.error && report.error->retryable, report.children,
                              report.duration_us};
    return state_.complete({&outcome, 1}, now_us());
  };
  auto ready = apply();
  if (!ready) {  // more children than a run may have
    report.outcome = messages::Outcome::FAILED;
    report.error = std::move(ready).error();
    ready = apply();
    SYMPHONY_ASSERT(ready.ok());
  }
  report.retrying = state_.status_of(node) == NodeStatus::waiting;
  if (report.outcome == messages::Outcome::EXPANDED) {
    if (const auto children = state_.children_of(node)) {
      report.first_child = children->first;
      results_->note_children(node, children->first, children->count);
    } else {
      report.outcome = messages::Outcome::CANCELLED;
    }
  }
  std::erase_if(ended_, [node](const EndedNode& ended) { return ended.node == node; });
  report.others = ended_;
  enqueue(*ready);
  unreported_bytes_ += report.size_bytes();
  held_back_ |= unreported_bytes_ > surroundings_.unreported_bytes_max;
  const bool first = outbox_.reports.empty() && outbox_.slots.empty();
  outbox_.reports.push_back(std::move(report));
  return first;
}

void RunQueue::taken(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  unreported_bytes_ -= std::min(bytes, unreported_bytes_);
  if (!held_back_ || unreported_bytes_ > surroundings_.unreported_bytes_max / 2) return;
  held_back_ = false;
  enqueued_.fetch_add(1, std::memory_order_release);
}

// ---- the engine's side --------------------------------------------------------------------------

SlotLoad RunQueue::load(SlotClass of) const {
  const std::lock_guard lock(mutex_);
  if (queues_.size() <= of) return {};
  const Queue& queue = queues_[of];
  SlotLoad load;
  load.ready = held_back_ ? 0 : queue.size;
  load.lingering = queue.lingering;
  if (queue.size > 0) load.priority = queue.items.begin()->first;
  return load;
}

void RunQueue::retry(std::span<const NodeId> nodes) {
  const std::lock_guard lock(mutex_);
  for (const NodeId node : nodes)
    if (node < state_.node_count() && state_.retry(node)) enqueue({&node, 1});
}

void RunQueue::refuse(SlotClass of, const Error& error) {
  const std::lock_guard lock(mutex_);
  Queue& queue = queue_of(of);
  const auto items = std::exchange(queue.items, {});
  queue.size = 0;
  for (const auto& [priority, some] : items) {
    for (const WorkItem& item : some) {
      const std::string& name = facts_->plan.nodes[item.of].name;
      NodeReport report;
      report.item = item;
      report.outcome = messages::Outcome::FAILED;
      report.error =
          Error{error.code, "node " + name + " cannot run here: " + error.message, "nodes." + name};
      report.started_ns = surroundings_.clocks.wall_ns();
      leave_report(std::move(report));
    }
  }
}

RunQueue::Drained RunQueue::drain() {
  const std::lock_guard lock(mutex_);
  return std::exchange(outbox_, {});
}

std::vector<RunQueue::Running> RunQueue::running() const {
  const std::lock_guard lock(mutex_);
  return running_now();
}

RunQueue::Look RunQueue::look() {
  const std::lock_guard lock(mutex_);
  return {std::exchange(outbox_, {}), running_now()};
}

std::vector<RunQueue::Running> RunQueue::running_now() const {
  std::vector<Running> all;
  for (const auto& [key, attempt] : attempts_)
    if (attempt->item && !attempt->abandoned)
      all.push_back(
          {key, *attempt->item, attempt->started_ns, attempt->deadline, attempt->fraction});
  return all;
}

RunQueue::Cancelled RunQueue::cancel() {
  const std::lock_guard lock(mutex_);
  Cancelled cancelled;
  cancelled.before = std::exchange(outbox_, {});
  drop_all();
  ended_.clear();
  const Status applied = state_.cancel(now_us());
  SYMPHONY_ASSERT(applied.ok());
  cancelled.ended = std::exchange(ended_, {});
  cancelled.running = running_now();
  return cancelled;
}

void RunQueue::stop() {
  const std::lock_guard lock(mutex_);
  drop_all();
}

void RunQueue::drop_all() {
  cancelled_ = true;
  for (Queue& queue : queues_) {
    queue.items.clear();
    queue.size = 0;
  }
  enqueued_.fetch_add(1, std::memory_order_release);
}

bool RunQueue::abandon(SlotKey slot, NodeReport report) {
  const std::lock_guard lock(mutex_);
  const auto found = attempts_.find(slot);
  if (found == attempts_.end()) return false;
  Attempt& attempt = *found->second;
  if (!attempt.item || attempt.ended || attempt.abandoned) return false;
  attempt.abandoned = true;
  report.item = *attempt.item;
  leave_report(std::move(report));
  return true;
}

RunProgress RunQueue::progress() const {
  const std::lock_guard lock(mutex_);
  return state_.progress();
}

std::vector<NodeStatus> RunQueue::statuses() const {
  std::vector<NodeStatus> statuses(facts_->plan.nodes.size());
  const std::lock_guard lock(mutex_);
  for (NodeIndex node = 0; node < statuses.size(); ++node) statuses[node] = state_.status_of(node);
  return statuses;
}

// ---- a worker's side ----------------------------------------------------------------------------

bool RunQueue::take(SlotClass of, Attempt& attempt) {
  std::unique_lock lock(mutex_);
  if (queues_.size() <= of) return false;
  if (try_take(queues_[of], attempt)) return true;
  if (surroundings_.linger_yields == 0 || cancelled_) return false;
  // What follows from the last node is usually ready a moment later: cheaper than a new slot.
  ++queues_[of].lingering;
  std::uint64_t seen = enqueued_;
  bool taken = false;
  lock.unlock();
  for (std::uint32_t i = 0; i < surroundings_.linger_yields && !taken; ++i) {
    std::this_thread::yield();
    const std::uint64_t now = enqueued_.load(std::memory_order_acquire);
    if (now == seen) continue;
    seen = now;
    lock.lock();
    taken = try_take(queues_[of], attempt);
    lock.unlock();
  }
  lock.lock();
  --queues_[of].lingering;
  return taken || try_take(queues_[of], attempt);
}

void RunQueue::keep_result(NodeReport& report) {
  const NodeId node = report.item.node;
  if (report.outcome == messages::Outcome::SKIPPED) results_->note_skipped(node);
  if (!report.digest.empty()) results_->note_digest(node, report.digest);
  if (!report.value) return;
  // What needs it may start at once, and would not find it in the journal yet.
  const bool held = report.digest.empty() && is_needed_[report.item.of] != 0;
  results_->put(node, std::exchange(report.value, nullptr), held);
}

bool RunQueue::put_back(Attempt& attempt, NodeReport report, SlotClass of, bool may_go_on) {
  {
    const std::lock_guard lock(mutex_);
    if (attempt.abandoned) return false;
    attempt.ended = true;
  }
  keep_result(report);  // may take a while: not under the mutex
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    attempt.item.reset();
    first = leave_report(std::move(report));
    // With what was just enqueued, most likely: before another worker is woken for it.
    if (may_go_on) try_take(queue_of(of), attempt);
  }
  if (first) surroundings_.wake();
  return true;
}

void RunQueue::leave(SlotKey key) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = outbox_.reports.empty() && outbox_.slots.empty();
    bool lost = false;
    if (const auto found = attempts_.find(key); found != attempts_.end()) {
      const Attempt& attempt = *found->second;
      lost = attempt.abandoned;
      if (attempt.item && !lost) leave_report(report_of_death(attempt));
      attempts_.erase(found);
    }
    outbox_.slots.push_back({key, lost});
  }
  if (first) surroundings_.wake();
}

NodeReport RunQueue::report_of_death(const Attempt& attempt) const {
  const std::string& name = facts_->plan.nodes[attempt.item->of].name;
  NodeReport report;
  report.item = *attempt.item;
  report.outcome = messages::Outcome::FAILED;
  report.error =
      Error{Errc::INTERNAL, "what executed node " + name + " broke down", "nodes." + name, true};
  report.started_ns = attempt.started_ns;
  report.executed = true;
  return report;
}

NodeReport RunQueue::execute(Attempt& attempt, PitClient& pit) {
  const WorkItem item = *attempt.item;
  Context context(*this, item, attempt, pit);
  NodeReport report = execute_node(*facts_, *results_, pit, item, context);
  context.finish_output();
  report.started_ns = attempt.started_ns;
  report.duration_us =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                     surroundings_.clocks.mono() - attempt.started)
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

void RunQueue::work(SlotKey key, SlotClass of, runtime::MonoTime slice_ends) {
  const auto attempt = std::make_shared<Attempt>();
  {
    const std::lock_guard lock(mutex_);
    attempts_.emplace(key, attempt);
  }
  PitClient pit(surroundings_.asker, facts_->id);
  bool abandoned = false;
  bool in_slice = true;
  while (in_slice && !abandoned && (attempt->item || take(of, *attempt))) {
    NodeReport report = execute(*attempt, pit);
    in_slice = surroundings_.clocks.coarse() < slice_ends;
    abandoned = !put_back(*attempt, std::move(report), of, in_slice);
  }
  leave(key);
}

}  // namespace symphony::actors
