#include "runtime/testing/probe.hpp"

#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace symphony::runtime {

Probe::Probe(Host& host, ProbeScript script) : ComponentOf(host), script_(std::move(script)) {
  if (script_.throw_in_constructor) throw std::runtime_error("the probe was told to fail");
}

void Probe::prepare(Step step) {
  script_.note("prepare " + host().name());
  step.finish(script_.prepare());
}

void Probe::start(Step step) {
  script_.note("start " + host().name());
  if (script_.hang_in_start) return hanging_.push_back(std::move(step));
  step.finish(script_.start());
}

void Probe::drain(Step step) {
  script_.note("drain " + host().name());
  step.done();
}

void Probe::stop(Step step) {
  script_.note("stop " + host().name());
  if (script_.hang_in_stop) return hanging_.push_back(std::move(step));
  step.done();
}

void Probe::cancelled(const Header& request) {
  std::erase_if(kept_, [&](const auto& call) {
    return call.header().sender == request.sender &&
           call.header().correlation == request.correlation;
  });
  script_.note("cancelled");
}

void Probe::echo(Call<protocol::Probe::Echo> call) {
  const auto left = call.header().deadline - host().now();
  call.reply([&](messages::EchoResponse::Builder out) {
    out.setText(call->getText());
    out.setNumber(call->getNumber());
    out.setData(call->getData());
    out.setIncarnation(host().incarnation());
    out.setDeadlineInMs(std::chrono::duration_cast<std::chrono::milliseconds>(left).count());
    out.setTraceLow(call.header().trace.trace_low);
  });
}

void Probe::crash(Call<protocol::Probe::Crash> call) {
  throw std::runtime_error(call->getMessage().cStr());
}

void Probe::block(Call<protocol::Probe::Block> call) {
  // The one thing a handler must never do: this is how a runtime that copes with it is tried.
  const auto milliseconds = call->getMilliseconds();
  if (milliseconds == 0)
    for (;;) ::pause();
  ::usleep(milliseconds * 1000);
  call.reply();
}

void Probe::keep(Call<protocol::Probe::Keep> call) { kept_.push_back(std::move(call)); }

void Probe::count(Notice<protocol::Probe::Count>) { ++count_; }

void Probe::counted(Call<protocol::Probe::Counted> call) {
  call.reply([&](messages::CountedResponse::Builder out) { out.setCount(count_); });
}

void Probe::forward(Call<protocol::Probe::Forward> call) {
  Ref<protocol::Probe> next{host(), std::string{call->getTo().cStr()}};
  auto ask = next.echo([&](auto request) { request.setText(call->getText()); });
  const auto timeout = std::chrono::milliseconds(call->getTimeoutMs());
  if (timeout.count() > 0) ask = std::move(ask).within(timeout);
  std::move(ask).then([call = std::move(call)](Result<Msg<messages::EchoResponse>> answer) mutable {
    if (!answer) return call.fail(answer.error());
    call.reply([&](messages::ForwardResponse::Builder out) { out.setEcho(**answer); });
  });
}

}  // namespace symphony::runtime
