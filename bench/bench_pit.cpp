// The Pit's components with their messages: what a node of a run costs in the DAG tracker, journal
// included, and what a small artifact costs to read. One thread, virtual time, real storage: the
// cost is that of the code and of LMDB, waits for a disk are not in it.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "actors/pit/arbitration/arbitration.hpp"
#include "actors/pit/artifacts/artifacts.hpp"
#include "actors/pit/dag/dag.hpp"
#include "actors/pit/text_view.hpp"
#include "runtime/testing/test_node.hpp"
#include "tests/support/temp_dir.hpp"

namespace symphony::actors {
namespace {

using runtime::Host;
using runtime::TestNode;

struct Fixture {
  test::TempDir dir;
  std::unique_ptr<runtime::Storage> storage = std::move(runtime::Storage::open(dir.path())).value();
  runtime::InlineStorageWriter writer{*storage};
  TestNode node;
};

// 10,000 no-op nodes without needs, told in batches; sync at the end.
void dag_no_ops(benchmark::State& state) {
  constexpr unsigned kNodes = 10'000;
  const auto batch = static_cast<unsigned>(state.range(0));
  Fixture fixture;
  fixture.node.spawn("/pit/dag", [&](Host& host) {
    return std::make_unique<Dag>(host, *fixture.storage, fixture.writer);
  });
  WaitingRef<protocol::Dag> dag{fixture.node.asker()};
  int runs = 0;
  for (auto _ : state) {
    const std::string run = "run-" + std::to_string(++runs);
    state.PauseTiming();
    const auto created = dag.create([&](messages::CreateRunRequest::Builder request) {
                              request.initHead().setRun(run);
                              request.initNodes(kNodes);
                            })
                             .get();
    if (!created) return state.SkipWithError("the run was refused");
    state.ResumeTiming();
    for (unsigned next = 0; next < kNodes; next += batch) {
      const auto told = dag.complete([&](messages::CompleteNodesRequest::Builder request) {
                             request.setRun(run);
                             auto outcomes = request.initOutcomes(batch);
                             for (unsigned i = 0; i < batch; ++i) outcomes[i].setNode(next + i);
                           })
                            .get();
      if (!told) return state.SkipWithError("a batch was refused");
    }
    if (!dag.sync([&](auto request) { request.setRun(run); }).get())
      return state.SkipWithError("the run was not journalled");
  }
  state.counters["time_per_node"] = benchmark::Counter(
      kNodes, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(dag_no_ops)->Arg(1'000)->Arg(100)->Arg(10)->Unit(benchmark::kMillisecond);

void artifact_read(benchmark::State& state) {
  Fixture fixture;
  fixture.node.spawn("/pit/artifacts", [&](Host& host) {
    return std::make_unique<Artifacts>(host, *fixture.storage, fixture.writer);
  });
  WaitingRef<protocol::Artifacts> artifacts{fixture.node.asker()};
  std::string content;
  while (content.size() < static_cast<std::size_t>(state.range(0)))
    content += std::to_string(content.size() * 7) + " lines of some text\n";
  const auto stored = artifacts
                          .put([&](messages::PutArtifactsRequest::Builder request) {
                            auto draft = request.initDrafts(1)[0];
                            draft.setName("text");
                            draft.setContent(as_data(content));
                          })
                          .get();
  if (!stored) return state.SkipWithError("the artifact was refused");
  for (auto _ : state) {
    const auto read = artifacts.read([](auto request) { request.setRef("text"); }).get();
    if (!read) return state.SkipWithError("the artifact was not read");
    benchmark::DoNotOptimize((*read)->getData().begin());
  }
}
BENCHMARK(artifact_read)
    ->Arg(100)
    ->Arg(4'000)
    ->Arg(30'000)
    ->Arg(200'000)
    ->Unit(benchmark::kMicrosecond);

// A batch of demands, granted at once, and given back with the next batch.
void arbitration_exchange(benchmark::State& state) {
  const auto batch = static_cast<unsigned>(state.range(0));
  TestNode node;
  node.spawn("/pit/arbitration", [&](Host& host) {
    return std::make_unique<Arbitration>(
        host, ArbitrationOptions{.capacity = {std::uint64_t{batch} * 1000, 1U << 30U}});
  });
  WaitingRef<protocol::Arbitration> arbitration{node.asker()};
  std::uint64_t key = 0;
  for (auto _ : state) {
    const auto granted = arbitration
                             .exchange([&](messages::ExchangeRequest::Builder request) {
                               request.setRun("run");
                               auto release = request.initRelease(key == 0 ? 0 : batch);
                               for (unsigned i = 0; i < release.size(); ++i)
                                 release.set(i, key - i);
                               auto demands = request.initDemands(batch);
                               for (auto demand : demands) {
                                 demand.setKey(++key);
                                 demand.setMillicores(1000);
                               }
                             })
                             .get();
    if (!granted || (*granted)->getGranted().size() != batch)
      return state.SkipWithError("not everything was granted");
  }
  state.counters["time_per_grant"] = benchmark::Counter(
      batch, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(arbitration_exchange)->Arg(1)->Arg(100)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace symphony::actors

BENCHMARK_MAIN();
