// A component to try the runtime on: it answers, or fails, as it is told.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "messages/probe.protocol.hpp"
#include "runtime/component/component.hpp"

namespace symphony::runtime {

// What a Probe does in its lifecycle. Shared by its incarnations.
struct ProbeScript {
  std::function<Status()> prepare = [] { return Status{}; };
  std::function<Status()> start = [] { return Status{}; };
  bool hang_in_start = false;
  bool hang_in_stop = false;
  bool throw_in_constructor = false;
  std::function<void(std::string)> note = [](std::string) {};  // hears "prepare", "start", …
};

class Probe : public ComponentOf<protocol::Probe> {
 public:
  explicit Probe(Host& host, ProbeScript script = {});

  void prepare(Step step) override;
  void start(Step step) override;
  void drain(Step step) override;
  void stop(Step step) override;
  void cancelled(const Header& request) override;

  void echo(Call<protocol::Probe::Echo> call) override;
  void crash(Call<protocol::Probe::Crash> call) override;
  void block(Call<protocol::Probe::Block> call) override;
  void keep(Call<protocol::Probe::Keep> call) override;
  void count(Notice<protocol::Probe::Count> notice) override;
  void counted(Call<protocol::Probe::Counted> call) override;
  void forward(Call<protocol::Probe::Forward> call) override;

 private:
  ProbeScript script_;
  std::uint64_t count_ = 0;
  std::vector<Call<protocol::Probe::Keep>> kept_;
  std::vector<Step> hanging_;
};

}  // namespace symphony::runtime
