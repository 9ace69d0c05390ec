// A component whose handlers are the test's.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "messages/probe.protocol.hpp"
#include "runtime/component/component.hpp"

namespace symphony::runtime::testing {

// Shared by the incarnations that are made from it.
struct Script {
  using EchoCall = Call<protocol::Probe::Echo>;
  using KeepCall = Call<protocol::Probe::Keep>;
  std::function<void(Host&)> born = [](Host&) {};
  std::shared_ptr<const Mailbox> mailbox = {};  // of the last that was made
  std::function<void(Host&, EchoCall)> echo = [](Host&, EchoCall call) { call.reply(); };
  std::function<void(Host&, KeepCall)> keep = [](Host&, KeepCall call) { call.reply(); };
  std::function<void(Host&)> count = [](Host&) {};
  std::function<void(const Header&)> cancelled = [](const Header&) {};
  std::function<void(Step)> start = [](Step step) { step.done(); };
  std::function<void(Step)> stop = [](Step step) { step.done(); };
};

class Scripted final : public ComponentOf<protocol::Probe> {
 public:
  Scripted(Host& host, Script& script) : ComponentOf(host), script_(script) {
    script_.mailbox = host.mailbox();
    script_.born(host);
  }

  void start(Step step) override { script_.start(std::move(step)); }
  void stop(Step step) override { script_.stop(std::move(step)); }
  void cancelled(const Header& request) override { script_.cancelled(request); }
  void echo(Call<protocol::Probe::Echo> call) override { script_.echo(host(), std::move(call)); }
  void keep(Call<protocol::Probe::Keep> call) override { script_.keep(host(), std::move(call)); }
  void count(Notice<protocol::Probe::Count>) override { script_.count(host()); }
  void crash(Call<protocol::Probe::Crash> call) override { call.reply(); }
  void block(Call<protocol::Probe::Block> call) override { call.reply(); }
  void counted(Call<protocol::Probe::Counted> call) override { call.reply(); }
  void forward(Call<protocol::Probe::Forward> call) override { call.reply(); }

 private:
  Script& script_;
};

// `script` must outlive the components.
inline ComponentFactory scripted(Script& script) {
  return [&script](Host& host) { return std::make_unique<Scripted>(host, script); };
}

}  // namespace symphony::runtime::testing
