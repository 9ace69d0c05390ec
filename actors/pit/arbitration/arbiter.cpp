#include "actors/pit/arbitration/arbiter.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace symphony::actors {
namespace {

double part(std::uint64_t used, std::uint64_t capacity) {
  return capacity == 0 ? 0 : static_cast<double>(used) / static_cast<double>(capacity);
}

std::string cores_text(std::uint64_t millicores) {
  std::string text = std::to_string(millicores / 1000);
  if (millicores % 1000 == 0) return text;
  std::string fraction = std::to_string(1000 + millicores % 1000).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return text + "." + fraction;
}

std::string text_of(const Resources& resources) {
  return cores_text(resources.millicores) +
         (resources.millicores == 1'000 ? " core and " : " cores and ") +
         std::to_string((resources.memory_bytes + (1U << 20U) - 1) >> 20U) + " MiB";
}

Error no_such(std::string_view what, std::uint64_t key) {
  return Error{Errc::NOT_FOUND, "no " + std::string(what) + " " + std::to_string(key)};
}

}  // namespace

Arbiter::Arbiter(Resources capacity, ArbiterLimits limits) : capacity_(capacity), limits_(limits) {}

Status Arbiter::open_run(RunKey run, std::uint32_t weight) {
  if (weight < 1 || weight > kMaxRunWeight) {
    return Error{Errc::INVALID_ARGUMENT,
                 "the weight of a run is 1 to " + std::to_string(kMaxRunWeight), "weight"};
  }
  if (runs_.contains(run)) {
    return Error{Errc::ALREADY_EXISTS, "run " + std::to_string(run) + " is open"};
  }
  if (runs_.size() >= limits_.max_runs) {
    return Error{Errc::OVERLOADED, std::to_string(runs_.size()) + " runs are open, no more allowed",
                 "", true};
  }
  runs_[run].weight = weight;
  return {};
}

Status Arbiter::request(RunKey run_key, const ResourceRequest& request, std::int64_t now_us) {
  const auto found = runs_.find(run_key);
  if (found == runs_.end() || found->second.closed) return no_such("open run", run_key);
  Run& run = found->second;
  if (!request.demand.fits_into(capacity_)) {
    return Error{Errc::RESOURCE_EXHAUSTED,
                 "it asks for " + text_of(request.demand) + "; this node has " +
                     text_of(capacity_) + " in all, so it could never start",
                 request.demand.millicores > capacity_.millicores ? "cores" : "memory_mb"};
  }
  if (std::isnan(request.rank)) {
    return Error{Errc::INVALID_ARGUMENT, "the rank of a request is a number", "rank"};
  }
  if (run.queued.contains(request.key) || run.held.contains(request.key)) {
    return Error{Errc::ALREADY_EXISTS,
                 "request " + std::to_string(request.key) + " is queued or granted already"};
  }
  if (queued_ >= limits_.max_queued) {
    return Error{Errc::OVERLOADED, std::to_string(queued_) + " requests are queued, no more fit",
                 "", true};
  }
  const Entry entry{request.priority, request.rank, ++arrivals_,
                    request.key,      now_us,       request.demand};
  auto& same_size = run.by_size[entry.demand];
  if (same_size.empty() || entry < *same_size.begin()) {
    if (!same_size.empty()) run.heads.erase(*same_size.begin());
    run.heads.insert(entry);
  }
  same_size.insert(entry);
  run.queued.emplace(entry.key, entry);
  ++queued_;
  return {};
}

std::vector<Grant> Arbiter::grant(std::int64_t now_us) {
  std::vector<Grant> grants;
  while (true) {
    if (reservation_ && reservation_->demand.fits_into(free())) {
      const RunKey key = reservation_->run;
      Run& run = runs_.at(key);
      const Entry entry = run.queued.at(reservation_->key);
      reservation_.reset();
      take(key, run, entry, now_us, grants);
    } else if (const auto next = choose()) {
      take(next->first, runs_.at(next->first), next->second, now_us, grants);
    } else {
      return grants;
    }
    note_passed_over();
    if (!reservation_) reserve_if_due();
  }
}

// The request to grant next, if any may be granted now.
std::optional<std::pair<RunKey, Arbiter::Entry>> Arbiter::choose() const {
  std::optional<std::pair<RunKey, Entry>> chosen;
  std::pair<double, std::uint64_t> lowest;
  for (const auto& [key, run] : runs_) {
    if (run.heads.empty()) continue;
    const std::pair<double, std::uint64_t> standing{share(run), run.last_grant};
    if (chosen && !(standing < lowest)) continue;
    if (const Entry* entry = best_fit(run)) {
      chosen = {key, *entry};
      lowest = standing;
    }
  }
  return chosen;
}

const Arbiter::Entry* Arbiter::best_fit(const Run& run) const {
  std::size_t scanned = 0;
  for (const Entry& head : run.heads) {
    if (++scanned > kMaxSizesScanned) break;
    if (may_be_granted(head.demand)) return &head;
  }
  return nullptr;
}

void Arbiter::take(RunKey key, Run& run, const Entry& chosen, std::int64_t now_us,
                   std::vector<Grant>& grants) {
  const Entry entry = chosen;  // `chosen` may live in what is erased next
  count_time(run, now_us);
  remove_queued(run, entry);
  run.used += entry.demand;
  used_ += entry.demand;
  SYMPHONY_ASSERT(used_.fits_into(capacity_));
  run.last_grant = ++grants_;
  ++run.granted;
  run.held.emplace(entry.key, Held{entry.demand, grants_});
  if (reservation_) reservation_->used_since += entry.demand;
  const std::int64_t waited_us = std::max<std::int64_t>(now_us - entry.since_us, 0);
  run.longest_wait_us = std::max(run.longest_wait_us, waited_us);
  grants.push_back({key, entry.key, entry.demand, waited_us});
}

// After a grant: whoever stands first in its run and does not fit was passed over once more.
void Arbiter::note_passed_over() {
  const Resources left = free();
  for (auto& [key, run] : runs_) {
    if (run.heads.empty() || run.heads.begin()->demand.fits_into(left)) continue;
    const RequestKey head = run.heads.begin()->key;
    if (run.passed_over != head) {
      run.passed_over = head;
      run.times_passed_over = 0;
    }
    ++run.times_passed_over;
  }
}

void Arbiter::reserve_if_due() {
  const Entry* due = nullptr;
  RunKey due_run = 0;
  for (const auto& [key, run] : runs_) {
    if (run.heads.empty() || run.heads.begin()->key != run.passed_over) continue;
    if (run.times_passed_over < limits_.reserve_after_grants) continue;
    if (due != nullptr && due->arrival < run.heads.begin()->arrival) continue;
    due = &*run.heads.begin();
    due_run = key;
  }
  if (due != nullptr) reservation_ = Reservation{due_run, due->key, due->demand, grants_, {}};
}

Status Arbiter::release(RunKey run_key, RequestKey key, std::int64_t now_us) {
  const auto found = runs_.find(run_key);
  if (found == runs_.end()) return no_such("run", run_key);
  Run& run = found->second;
  const auto held = run.held.find(key);
  if (held == run.held.end()) return no_such("grant", key);
  count_time(run, now_us);
  run.used -= held->second.demand;
  used_ -= held->second.demand;
  if (reservation_ && held->second.grant_number > reservation_->since_grant) {
    reservation_->used_since -= held->second.demand;
  }
  run.held.erase(held);
  if (run.closed && run.held.empty()) runs_.erase(found);
  return {};
}

Status Arbiter::withdraw(RunKey run_key, RequestKey key) {
  const auto found = runs_.find(run_key);
  if (found == runs_.end()) return no_such("run", run_key);
  const auto queued = found->second.queued.find(key);
  if (queued == found->second.queued.end()) return no_such("queued request", key);
  forget_reservation_of(run_key, key);
  remove_queued(found->second, Entry{queued->second});
  return {};
}

Result<std::vector<RequestKey>> Arbiter::close_run(RunKey run_key) {
  const auto found = runs_.find(run_key);
  if (found == runs_.end() || found->second.closed) return no_such("open run", run_key);
  Run& run = found->second;
  forget_reservation_of(run_key, std::nullopt);
  std::vector<RequestKey> dropped;
  dropped.reserve(run.queued.size());
  for (const auto& [key, entry] : run.queued) dropped.push_back(key);
  std::sort(dropped.begin(), dropped.end());
  queued_ -= dropped.size();
  run.queued.clear();
  run.by_size.clear();
  run.heads.clear();
  run.closed = true;
  if (run.held.empty()) runs_.erase(found);
  return dropped;
}

void Arbiter::remove_queued(Run& run, const Entry& entry) {
  const auto same_size = run.by_size.find(entry.demand);
  SYMPHONY_ASSERT(same_size != run.by_size.end());
  const bool was_head = same_size->second.begin()->key == entry.key;
  same_size->second.erase(entry);
  if (was_head) {
    run.heads.erase(entry);
    if (!same_size->second.empty()) run.heads.insert(*same_size->second.begin());
  }
  if (same_size->second.empty()) run.by_size.erase(same_size);
  run.queued.erase(entry.key);
  --queued_;
}

void Arbiter::forget_reservation_of(RunKey run, std::optional<RequestKey> key) {
  if (reservation_ && reservation_->run == run && (!key || reservation_->key == *key)) {
    reservation_.reset();
  }
}

Resources Arbiter::free() const noexcept {
  Resources left = capacity_;
  left -= used_;
  return left;
}

bool Arbiter::may_be_granted(const Resources& demand) const noexcept {
  if (!demand.fits_into(free())) return false;
  if (!reservation_) return true;
  Resources beside = reservation_->used_since;
  beside += demand;
  beside += reservation_->demand;
  return beside.fits_into(capacity_);
}

double Arbiter::share(const Run& run) const noexcept {
  return std::max(part(run.used.millicores, capacity_.millicores),
                  part(run.used.memory_bytes, capacity_.memory_bytes)) /
         run.weight;
}

void Arbiter::count_time(Run& run, std::int64_t now_us) const {
  if (now_us > run.counted_until_us) {
    run.share_us += share(run) * run.weight * static_cast<double>(now_us - run.counted_until_us);
    run.counted_until_us = now_us;
  }
}

ArbiterSnapshot Arbiter::snapshot(std::int64_t now_us) const {
  ArbiterSnapshot snapshot;
  snapshot.capacity = capacity_;
  snapshot.used = used_;
  if (reservation_) snapshot.reserved_for = {reservation_->run, reservation_->key};
  double sum = 0;
  double sum_of_squares = 0;
  std::size_t counted = 0;
  for (const auto& [key, run] : runs_) {
    RunShare line;
    line.run = key;
    line.weight = run.weight;
    line.used = run.used;
    line.dominant_share = share(run) * run.weight;
    line.queued = run.queued.size();
    line.held = run.held.size();
    line.granted = run.granted;
    line.longest_wait_us = run.longest_wait_us;
    for (const auto& [request, entry] : run.queued) {
      line.longest_wait_us = std::max(line.longest_wait_us, now_us - entry.since_us);
    }
    const auto since_us = std::max<std::int64_t>(now_us - run.counted_until_us, 0);
    line.share_us = run.share_us + line.dominant_share * static_cast<double>(since_us);
    if (line.queued + line.held > 0) {
      const double weighted = line.share_us / run.weight;
      sum += weighted;
      sum_of_squares += weighted * weighted;
      ++counted;
    }
    snapshot.runs.push_back(line);
  }
  if (counted > 1 && sum_of_squares > 0) {
    snapshot.fairness = sum * sum / (static_cast<double>(counted) * sum_of_squares);
  }
  return snapshot;
}

}  // namespace symphony::actors
