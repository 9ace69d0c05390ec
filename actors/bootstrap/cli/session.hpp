// A command's connection to a node that works: the one that is running, or one of its own.
#pragma once

#include <memory>
#include <string>

#include "actors/bootstrap/cli/desk.hpp"
#include "actors/bootstrap/node.hpp"
#include "runtime/link/client.hpp"

namespace symphony::cli {

// Disconnects, then stops the node if it is its own. Asks that are under way must not hold what
// is destroyed before the session.
class Session {
 public:
  // `node` is null when the node runs elsewhere.
  Session(std::unique_ptr<Desk> desk, std::unique_ptr<bootstrap::Node> node,
          std::unique_ptr<runtime::LinkClient> client)
      : desk_(std::move(desk)), node_(std::move(node)), client_(std::move(client)) {}

  Desk& desk() noexcept { return *desk_; }
  runtime::LinkClient& client() noexcept { return *client_; }
  // Whether the node lives in this process and ends with the command.
  bool embedded() const noexcept { return node_ != nullptr; }

 private:
  std::unique_ptr<Desk> desk_;
  std::unique_ptr<bootstrap::Node> node_;
  std::unique_ptr<runtime::LinkClient> client_;
};

}  // namespace symphony::cli
