// Greets people: the example of docs/write-a-component.md.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "runtime/component/component.hpp"
#include "tests/docs/greeter/greeter.protocol.hpp"

namespace symphony::actors {

struct GreeterOptions {
  std::string greeting = "Hello";
};

class Greeter final : public runtime::ComponentOf<protocol::Greeter> {
 public:
  Greeter(runtime::Host& host, GreeterOptions options)
      : ComponentOf(host), options_(std::move(options)) {}

  void greet(Call<protocol::Greeter::Greet> call) override {
    if (call->getName().size() == 0)
      return call.fail({Errc::INVALID_ARGUMENT, "nobody is to be greeted", "name"});
    ++greeted_;
    host().set_state_line("greeted " + std::to_string(greeted_));
    call.reply([&](messages::GreetResponse::Builder response) {
      response.setText(options_.greeting + ", " + call->getName().cStr() + "!");
      response.setGreeted(greeted_);
    });
  }

 private:
  const GreeterOptions options_;
  std::uint64_t greeted_ = 0;
};

}  // namespace symphony::actors
