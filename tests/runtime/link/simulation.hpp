// A server and a client on a network in memory, by virtual clocks: what the tests of the link's
// behaviour over time run on.
#pragma once

#include "runtime/link/memory_network.hpp"
#include "tests/runtime/link/link_testing.hpp"

namespace symphony::runtime::testing {

// One client and one server on a simulated network.
struct Simulation {
  explicit Simulation(std::uint64_t seed, MemoryLinkOptions link = {}, LinkOptions limits = {},
                      LinkOptions of_client = {.name = "client"})
      : random(seed), network(clocks, random), server(limits, receiver, clocks) {
    auto [client_end, server_end] = network.connect(link);
    server.adopt(std::move(server_end));
    client = LinkClient::over(std::move(client_end), {.link = of_client, .clocks = &clocks});
  }
  ~Simulation() {
    client = Error{};
    EXPECT_TRUE(server.stop(kPatience).ok());
  }

  ManualClocks clocks;
  SeededRandom random;
  MemoryNetwork network;
  Answering receiver;
  LinkServer server;
  Result<std::unique_ptr<LinkClient>> client = Error{};
};

inline MemoryLinkOptions with_uid(MemoryLinkOptions options = {}) {
  options.first.uid = options.second.uid = ::geteuid();
  return options;
}

}  // namespace symphony::runtime::testing
