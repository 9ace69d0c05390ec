// Which runs end with which client. Pure but for the calls it keeps.
//
// A client holds one `attach` open; what it starts or resumes as attached is its. When the call is
// over, because the client left or was killed, its runs are to be cancelled, unless another client
// has resumed them meanwhile. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "messages/orchestration.protocol.hpp"

namespace symphony::actors {

class Attachments {
 public:
  using AttachCall = Call<protocol::Engine::Attach>;
  using ClientId = std::uint64_t;  // the sender of its requests

  explicit Attachments(std::size_t clients_max) : clients_max_(clients_max) {}

  void add(AttachCall call) {
    const ClientId client = call.header().sender;
    if (clients_.contains(client))
      return call.fail({Errc::ALREADY_EXISTS, "this client is attached already"});
    if (clients_.size() >= clients_max_)
      return call.fail({Errc::OVERLOADED, "too many clients are attached already", "", true});
    clients_.emplace(client, Client{std::move(call), {}});
  }

  bool holds(ClientId client) const { return clients_.contains(client); }

  // False: the client is gone, the run is to be cancelled.
  bool give(ClientId client, std::string run) {
    const auto found = clients_.find(client);
    if (found == clients_.end()) return false;
    found->second.runs.push_back(std::move(run));
    return true;
  }

  // Whether the run ends with any client.
  bool somebodys(const std::string& run) const {
    return std::ranges::any_of(clients_, [&](const auto& each) {
      const auto& runs = each.second.runs;
      return std::ranges::find(runs, run) != runs.end();
    });
  }

  // The run has ended.
  void forget(const std::string& run) {
    for (auto& [client, attached] : clients_) std::erase(attached.runs, run);
  }

  // The runs of the client whose `attach` this was; they are nobody's any more.
  std::vector<std::string> take(const Header& request) {
    const auto found = clients_.find(request.sender);
    if (found == clients_.end() || found->second.call.header().correlation != request.correlation)
      return {};
    std::vector<std::string> runs = std::move(found->second.runs);
    clients_.erase(found);
    return runs;
  }

 private:
  struct Client {
    AttachCall call;
    std::vector<std::string> runs;
  };

  const std::size_t clients_max_;
  std::map<ClientId, Client> clients_;
};

}  // namespace symphony::actors
