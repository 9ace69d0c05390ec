#include "actors/pit/arbitration/arbitration.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "actors/pit/text_view.hpp"

namespace symphony::actors {

using runtime::Step;

Arbitration::Arbitration(runtime::Host& host, const ArbitrationOptions& options)
    : ComponentOf(host),
      arbiter_(options.capacity, options.limits),
      line_(host, [this] { return describe(); }) {}

void Arbitration::start(Step step) {
  line_.refresh();
  step.done();
}

void Arbitration::drain(Step step) {
  // Releases are refused from now on, so nothing more can be granted.
  for (auto& [name, run] : runs_) {
    if (!run.waiting) continue;
    run.waiting->fail({Errc::UNAVAILABLE, host().name() + " is shutting down", "", true});
    run.waiting.reset();
  }
  step.done();
}

void Arbitration::cancelled(const Header& request) {
  for (auto& [name, run] : runs_) {
    if (!run.waiting) continue;
    const Header& header = run.waiting->header();
    if (header.sender != request.sender || header.correlation != request.correlation) continue;
    run.waiting->fail({Errc::CANCELLED, "the exchange was cancelled"});
    run.waiting.reset();
    return;
  }
}

void Arbitration::exchange(ExchangeCall call) {
  const auto name = view(call->getRun());
  if (name.empty() || name.size() > kMaxRunNameBytes) {
    return call.fail({Errc::INVALID_ARGUMENT,
                      fmt::format("a run has an id of 1 to {} bytes", kMaxRunNameBytes), "run"});
  }
  Run* run = find(name);
  if (run == nullptr) {
    if (call->getDemands().size() == 0) return call.reply();
    auto opened = open(name, call->getWeight());
    if (!opened) return call.fail(opened.error());
    run = *opened;
  }
  if (run->waiting) {
    run->waiting->reply();
    run->waiting.reset();
  }
  give_back(*run, call.request());
  demand(*run, call.request());
  run->waiting.emplace(std::move(call));
  grant();
  deliver(*run);
  line_.touch();
}

void Arbitration::close(Call<protocol::Arbitration::Close> call) {
  const auto found = runs_.find(view(call->getRun()));
  if (found == runs_.end()) return call.reply();  // closed before
  Run& run = found->second;
  for (const RequestKey key : run.held) {
    const Status released = arbiter_.release(run.key, key, now_us());
    SYMPHONY_ASSERT(released.ok());
  }
  const auto dropped = arbiter_.close_run(run.key);
  SYMPHONY_ASSERT(dropped.ok());
  if (run.waiting) run.waiting->fail({Errc::CANCELLED, "the run was closed"});
  by_key_.erase(run.key);
  runs_.erase(found);
  call.reply();
  grant();
  line_.touch();
}

void Arbitration::status(Call<protocol::Arbitration::Status> call) {
  const ArbiterSnapshot snapshot = arbiter_.snapshot(now_us());
  std::unordered_map<RunKey, const std::string*> names;
  for (const auto& [name, run] : runs_) names.emplace(run.key, &name);
  call.reply([&](messages::ArbitrationStatusResponse::Builder out) {
    out.setCapacityMillicores(snapshot.capacity.millicores);
    out.setCapacityMemoryBytes(snapshot.capacity.memory_bytes);
    out.setUsedMillicores(snapshot.used.millicores);
    out.setUsedMemoryBytes(snapshot.used.memory_bytes);
    out.setFairness(snapshot.fairness);
    auto runs = out.initRuns(static_cast<unsigned>(snapshot.runs.size()));
    for (unsigned i = 0; i < runs.size(); ++i) {
      const RunShare& share = snapshot.runs[i];
      auto row = runs[i];
      row.setRun(names.at(share.run)->c_str());
      row.setWeight(share.weight);
      row.setUsedMillicores(share.used.millicores);
      row.setUsedMemoryBytes(share.used.memory_bytes);
      row.setQueued(share.queued);
      row.setHeld(share.held);
      row.setLongestWaitMs(static_cast<std::uint64_t>(share.longest_wait_us / 1000));
    }
  });
}

std::int64_t Arbitration::now_us() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(host().now().time_since_epoch())
      .count();
}

Arbitration::Run* Arbitration::find(std::string_view name) {
  const auto found = runs_.find(name);
  return found == runs_.end() ? nullptr : &found->second;
}

Result<Arbitration::Run*> Arbitration::open(std::string_view name, std::uint32_t weight) {
  const RunKey key = last_key_ + 1;
  if (Status opened = arbiter_.open_run(key, weight == 0 ? 1 : weight); !opened)
    return std::move(opened).error();
  last_key_ = key;
  Run& run = runs_[std::string(name)];
  run.key = key;
  by_key_.emplace(key, &run);
  return &run;
}

void Arbitration::give_back(Run& run, messages::ExchangeRequest::Reader request) {
  bool untold = false;
  const auto release = [&](RequestKey key) {
    if (run.held.erase(key) == 0) return;
    const Status released = arbiter_.release(run.key, key, now_us());
    SYMPHONY_ASSERT(released.ok());
    untold |= !run.granted.empty();
  };
  for (const RequestKey key : request.getRelease()) release(key);
  for (const RequestKey key : request.getWithdraw()) {
    if (arbiter_.withdraw(run.key, key))
      --run.queued;
    else
      release(key);
  }
  // What was given back before it was told is not to be told any more.
  if (untold) std::erase_if(run.granted, [&](RequestKey key) { return !run.held.contains(key); });
}

void Arbitration::demand(Run& run, messages::ExchangeRequest::Reader request) {
  for (const auto demand : request.getDemands()) {
    const ResourceRequest wanted{demand.getKey(),
                                 {demand.getMillicores(), demand.getMemoryBytes()},
                                 demand.getPriority(),
                                 demand.getRank()};
    if (Status queued = arbiter_.request(run.key, wanted, now_us()); queued)
      ++run.queued;
    else
      run.refused.emplace_back(wanted.key, std::move(queued).error());
  }
}

void Arbitration::grant() {
  std::set<RunKey> served;
  for (const Grant& grant : arbiter_.grant(now_us())) {
    Run& run = *by_key_.at(grant.run);
    --run.queued;
    run.held.insert(grant.key);
    run.granted.push_back(grant.key);
    served.insert(grant.run);
  }
  for (const RunKey key : served) deliver(*by_key_.at(key));
}

void Arbitration::deliver(Run& run) {
  if (!run.waiting) return;
  if (run.waiting->header().deadline <= host().now()) {
    run.waiting->fail({Errc::DEADLINE_EXCEEDED, "nothing was granted in time", "", true});
    run.waiting.reset();
    return;
  }
  if (run.queued > 0 && run.granted.empty() && run.refused.empty()) return;
  answer(run);
}

void Arbitration::answer(Run& run) {
  run.waiting->reply([&](messages::ExchangeResponse::Builder out) {
    auto granted = out.initGranted(static_cast<unsigned>(run.granted.size()));
    for (unsigned i = 0; i < granted.size(); ++i) granted.set(i, run.granted[i]);
    auto refused = out.initRefused(static_cast<unsigned>(run.refused.size()));
    for (unsigned i = 0; i < refused.size(); ++i) {
      refused[i].setKey(run.refused[i].first);
      write_error(refused[i].initError(), run.refused[i].second);
    }
  });
  run.waiting.reset();
  run.granted.clear();
  run.refused.clear();
}

std::string Arbitration::describe() const {
  return fmt::format("{}, {:g} of {:g} cores, {} queued", counted(runs_.size(), "run"),
                     static_cast<double>(arbiter_.used().millicores) / 1000,
                     static_cast<double>(arbiter_.capacity().millicores) / 1000, arbiter_.queued());
}

}  // namespace symphony::actors
