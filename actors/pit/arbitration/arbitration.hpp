// The component that hands out the node's cores and memory: `/pit/arbitration`.
//
// A shell around Arbiter (arbiter.hpp), which decides. What this adds:
//
// - A run is opened by its first demand and stays until `close`, which drops what it has queued
//   and takes back what it holds. One that asks anew after a crash closes the run first.
// - An `exchange` is answered as soon as there is a grant or a refusal for its run, or when
//   nothing is queued. A newer exchange of the run takes its place: the older one is answered
//   empty. So at most one exchange of a run waits.
// - A grant is never lost with an answer that nobody takes: grants made while no exchange of the
//   run is open, or whose exchange was cancelled or is past its deadline, wait for the next one.
// - `withdraw` takes a demand back whatever became of it: queued, granted and not yet told, or
//   granted in an answer that crossed the withdrawal. An asker whose exchange was lost withdraws
//   what it waits for and demands it again in the same exchange. Keys that are not known in
//   `release` and `withdraw` are passed over.
//
// Errors: INVALID_ARGUMENT (field), OVERLOADED beyond ArbiterLimits::max_runs, CANCELLED for an
// exchange whose run is closed, UNAVAILABLE for one that waits when the component drains.
// A demand that cannot be granted is refused by itself, in `refused`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/pit/arbitration/arbiter.hpp"
#include "actors/pit/state_line.hpp"
#include "messages/arbitration.protocol.hpp"
#include "runtime/component/component.hpp"

namespace symphony::actors {

struct ArbitrationOptions {
  Resources capacity;
  ArbiterLimits limits = {};
};

class Arbitration final : public runtime::ComponentOf<protocol::Arbitration> {
 public:
  static constexpr std::size_t kMaxRunNameBytes = 128;

  Arbitration(runtime::Host& host, const ArbitrationOptions& options);

  void start(runtime::Step step) override;
  void drain(runtime::Step step) override;
  void cancelled(const Header& request) override;

  void exchange(Call<protocol::Arbitration::Exchange> call) override;
  void close(Call<protocol::Arbitration::Close> call) override;
  void status(Call<protocol::Arbitration::Status> call) override;

 private:
  using ExchangeCall = Call<protocol::Arbitration::Exchange>;
  struct Run {
    RunKey key = 0;
    std::unordered_set<RequestKey> held;  // granted and not given back
    std::size_t queued = 0;
    std::vector<RequestKey> granted;  // of `held`, what the asker was not told yet
    std::vector<std::pair<RequestKey, Error>> refused;
    std::optional<ExchangeCall> waiting;
  };

  std::int64_t now_us() const;
  Run* find(std::string_view name);
  Result<Run*> open(std::string_view name, std::uint32_t weight);
  void give_back(Run& run, messages::ExchangeRequest::Reader request);
  void demand(Run& run, messages::ExchangeRequest::Reader request);
  // Grants what is free, and answers whoever waits for it.
  void grant();
  void deliver(Run& run);
  static void answer(Run& run);
  std::string describe() const;

  Arbiter arbiter_;
  StateLine line_;
  std::map<std::string, Run, std::less<>> runs_;
  std::unordered_map<RunKey, Run*> by_key_;
  RunKey last_key_ = 0;
};

}  // namespace symphony::actors
