// A command's connection to the node that works for it.
#pragma once

#include <memory>
#include <utility>

#include "actors/bootstrap/cli/context.hpp"
#include "actors/bootstrap/cli/desk.hpp"
#include "runtime/link/client.hpp"

namespace symphony::cli {

// Disconnects at its end. Asks that are under way must not hold what is destroyed before the
// session.
class Session {
 public:
  Session(std::unique_ptr<Desk> desk, std::unique_ptr<runtime::LinkClient> client)
      : desk_(std::move(desk)), client_(std::move(client)) {}

  Desk& desk() noexcept { return *desk_; }
  runtime::LinkClient& client() noexcept { return *client_; }

 private:
  std::unique_ptr<Desk> desk_;
  std::unique_ptr<runtime::LinkClient> client_;
};

// Prints what went wrong with an ask; a signal has its own words and exit code.
void fail_ask(Context& context, Session& session, const Error& error);

}  // namespace symphony::cli
