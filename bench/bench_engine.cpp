// What the engine costs a node: a run of nodes that do nothing, wide and as a chain, on the real
// runtime (threads, real clocks) with the journal on the disk, from the ask to "ended and durable".
// Against Dask on the same machine in the same run, where python3-dask is installed: read the
// ratios.
//
//     build/bin/bench_engine [nodes] [rounds] [shape]
//
// Goal: at most 20 microseconds a node for 10,000 nodes.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "actors/orchestration/engine/engine.hpp"
#include "actors/pit/arbitration/arbitration.hpp"
#include "actors/pit/artifacts/artifacts.hpp"
#include "actors/pit/dag/dag.hpp"
#include "runtime/component/actor_runtime.hpp"
#include "runtime/component/fences.hpp"
#include "runtime/component/spawn.hpp"
#include "runtime/component/thread_asker.hpp"
#include "runtime/ids/random.hpp"
#include "runtime/log/log.hpp"
#include "runtime/telemetry/telemetry_registry.hpp"
#include "runtime/time/ticker.hpp"
#include "tests/support/temp_dir.hpp"

namespace {

using namespace symphony;
using namespace symphony::actors;
using namespace symphony::runtime;

class NoOp final : public Operator {
 public:
  const OperatorSpec& spec() const noexcept override { return spec_; }
  Result<Json> run(const Json&, OperatorContext&) const override { return Json::object(); }

 private:
  OperatorSpec spec_{"bench.noop", "Does nothing.", {}, {}};
};

// The components of a node, without supervisors, on threads.
class Node {
 public:
  Node()
      : dir_(test::TempDir::On::disk),
        storage_(std::move(Storage::open(dir_.path()).value())),
        writer_(*storage_),
        log_(clocks_, {.node = "bench"}),
        pool_(clocks_, {.name = "blocking"}),
        workers_(clocks_, {.name = "operators", .threads = cores() + 2}),
        services_{clocks_,    random_,   ticker_,       pool_,   log_,
                  telemetry_, registry_, dead_letters_, fences_, std::chrono::seconds(30)},
        actors_({}),
        asker_(std::make_unique<ThreadAsker>(actors_.system(), services_)) {
    operators_.add(std::make_unique<NoOp>());
    spawn("/pit/dag",
          [this](Host& host) { return std::make_unique<Dag>(host, *storage_, writer_); });
    spawn("/pit/arbitration", [](Host& host) {
      return std::make_unique<Arbitration>(
          host, ArbitrationOptions{{cores() * 1000, std::uint64_t{8} << 30}});
    });
    spawn("/orchestration/engine", [this](Host& host) {
      EngineOptions options;
      options.operators = &operators_;
      options.asker = asker_.get();
      options.workers = &workers_;
      options.resume_runs = false;
      return std::make_unique<Engine>(host, options);
    });
  }
  ~Node() {
    workers_.drain(std::chrono::seconds(5));
    pool_.drain(std::chrono::seconds(5));
    writer_.stop();
    std::fflush(nullptr);
    // A benchmark has nothing to lose: no orderly end of its actors.
  }
  static std::size_t cores() { return std::max(2u, std::thread::hardware_concurrency()); }

  // Microseconds from the ask to the end.
  double run_us(const std::string& melody) {
    WaitingRef<protocol::Engine> engine{*asker_};
    const auto began = std::chrono::steady_clock::now();
    const auto started = engine.run([&](auto request) { request.setText(melody); }).get();
    if (!started || (*started)->getRun().size() == 0) fail("the melody was refused");
    const std::string id = (*started)->getRun().cStr();
    std::uint64_t cursor = 0;
    for (;;) {
      const auto page = engine
                            .events([&](auto request) {
                              request.setRun(id);
                              request.setCursor(cursor);
                            })
                            .get();
      if (!page) fail(to_string(page.error()));
      cursor = (*page)->getNext();
      if ((*page)->getEnded()) break;
    }
    const auto spent = std::chrono::steady_clock::now() - began;
    const auto progress = engine.progress([&](auto request) { request.setRun(id); }).get();
    if (!progress || (*progress)->getStatus() != messages::RunStatus::SUCCEEDED)
      fail("the run did not succeed");
    return std::chrono::duration<double, std::micro>(spent).count();
  }

  [[noreturn]] static void fail(const std::string& why) {
    std::fprintf(stderr, "bench_engine: %s\n", why.c_str());
    std::_Exit(1);
  }

 private:
  void spawn(const std::string& name, ComponentFactory make) {
    auto spawned = spawn_component(actors_.system(), services_,
                                   std::make_shared<const ComponentSpec>(
                                       ComponentSpec{name, "measured", std::move(make), 100'000}),
                                   1, [] {})
                       .value();
    WaitingRef<protocol::Component> ref{*asker_,
                                        std::make_unique<LocalTarget>(name, spawned.address)};
    if (!ref.prepare().get() || !ref.start().get()) fail(name + " does not start");
    spawned.entry->set(spawned.address);
  }

  test::TempDir dir_;
  std::unique_ptr<Storage> storage_;
  ThreadStorageWriter writer_;
  SystemClocks clocks_;
  SystemRandom random_;
  Log log_;
  ThreadTicker ticker_;
  TelemetryRegistry telemetry_;
  Registry registry_;
  DeadLetters dead_letters_;
  Fences fences_;
  PoolBlocking pool_;
  PoolBlocking workers_;
  Services services_;
  ActorRuntime actors_;
  OperatorRegistry operators_;
  std::unique_ptr<ThreadAsker> asker_;
};

// Each node needs those that lie so many before it.
std::string melody_of(int nodes, const std::function<std::vector<int>(int)>& back) {
  std::string text = "name = \"noop\"\nversion = \"1\"\n";
  for (int i = 0; i < nodes; ++i) {
    text += "[nodes.n" + std::to_string(i) + "]\nuse = \"bench.noop\"\nneeds = [";
    for (const int n : back(i))
      if (i >= n) text += "\"n" + std::to_string(i - n) + "\",";
    text += "]\n";
  }
  return text;
}

std::string wide_melody(int nodes) {
  return melody_of(nodes, [](int) { return std::vector<int>{}; });
}

std::string chain_melody(int nodes) {
  return melody_of(nodes, [](int) { return std::vector{1}; });
}

// Two nodes, then one that joins them, and so on: no lane knows what follows.
std::string ladder_melody(int nodes) {
  return melody_of(nodes, [](int i) {
    if (i % 3 == 0) return std::vector{1, 2};
    return std::vector{i % 3};
  });
}

std::string mapped_melody(int nodes) {
  std::string text = "name = \"noop\"\nversion = \"1\"\n[nodes.n]\nuse = \"bench.noop\"\nmap = [";
  for (int i = 0; i < nodes; ++i) text += "0,";
  return text + "]\n";
}

Json dask(int nodes, int rounds) {
  const std::string command = "/usr/bin/python3 " SYMPHONY_SOURCE_DIR "/bench/peers/dask_noop.py " +
                              std::to_string(nodes) + " " + std::to_string(rounds) + " " +
                              std::to_string(Node::cores()) + " 2>/dev/null";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return nullptr;
  std::string text;
  char buffer[4096];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe))
    text.append(buffer, got);
  ::pclose(pipe);
  const Json found = Json::parse(text, nullptr, false);
  return found.is_discarded() ? Json(nullptr) : found;
}

}  // namespace

int main(int argc, char** argv) {
  const int nodes = argc > 1 ? std::atoi(argv[1]) : 10'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 3;
  const std::string only = argc > 3 ? argv[3] : "";
  if (nodes < 1 || rounds < 1) Node::fail("how many nodes, how many rounds?");
  auto* node = new Node;  // ends with the process
  const std::vector<std::pair<std::string, std::string>> shapes = {
      {"wide", wide_melody(nodes)},
      {"mapped", mapped_melody(nodes)},
      {"chain", chain_melody(nodes)},
      {"ladder", ladder_melody(nodes)}};
  std::map<std::string, double> best;
  for (int i = 0; i < rounds; ++i) {
    for (const auto& [shape, melody] : shapes) {
      if (!only.empty() && only != shape) continue;
      const double us = node->run_us(melody) / nodes;
      best[shape] = best.contains(shape) ? std::min(best[shape], us) : us;
    }
  }
  std::printf("%d nodes that do nothing, best of %d, microseconds a node\n", nodes, rounds);
  for (const auto& [shape, us] : best) std::printf("  symphony %-13s %10.2f\n", shape.c_str(), us);
  std::fflush(stdout);
  if (!only.empty()) std::_Exit(0);
  const Json peers = dask(nodes, rounds);
  if (!peers.is_object()) {
    std::printf("  dask                   skipped: python3-dask is not installed\n");
  } else {
    for (const auto& peer : peers.items()) {
      const double peer_us = peer.value().get<double>();
      const double ours = best.at(peer.key().ends_with("chain") ? "chain" : "wide");
      std::printf("  dask %-17s %10.2f   %.1f times ours\n", peer.key().c_str(), peer_us,
                  peer_us / ours);
    }
  }
  std::fflush(nullptr);
  std::_Exit(0);
}
