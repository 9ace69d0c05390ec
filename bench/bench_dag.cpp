// The DAG core: validation of large graphs, and what one no-op node costs in the run's state.
#include <benchmark/benchmark.h>

#include <random>

#include "actors/run/journal.hpp"

namespace symphony::actors {
namespace {

std::vector<Edge> random_edges(NodeId nodes, std::size_t count) {
  std::mt19937_64 random(42);
  std::uniform_int_distribution<NodeId> pick(0, nodes - 1);
  std::vector<Edge> edges;
  edges.reserve(count);
  while (edges.size() < count) {
    const NodeId a = pick(random);
    const NodeId b = pick(random);
    if (a != b) edges.push_back({std::min(a, b), std::max(a, b)});
  }
  return edges;
}

// From an edge list to a validated graph: rows, order, no cycle.
void validate(benchmark::State& state) {
  const auto nodes = static_cast<NodeId>(state.range(0));
  const auto edges = random_edges(nodes, static_cast<std::size_t>(nodes) * 5);
  for (auto _ : state) {
    auto graph = Graph::build(nodes, edges);
    auto sorted = sort_topologically(*graph);
    if (!sorted.acyclic()) state.SkipWithError("a cycle where there is none");
    benchmark::DoNotOptimize(sorted.order.data());
  }
}
BENCHMARK(validate)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

// A run of no-op nodes from plan to end, each batch journalled (encoded, not stored).
void run_no_ops(benchmark::State& state) {
  const auto nodes = static_cast<NodeId>(state.range(0));
  const auto edges = random_edges(nodes, static_cast<std::size_t>(nodes) * 2);
  std::size_t journal_bytes = 0;
  for (auto _ : state) {
    RunPlan plan{Graph::build(nodes, edges).value(), std::vector<RunNode>(nodes)};
    auto run = RunState::create(std::move(plan));
    auto ready = run->start(0).value();
    journal_bytes = 0;
    while (!ready.empty()) {
      journal_bytes += encode({RecordKind::running, 1, 0, ready}).size();
      (void)run->mark_running(ready, 1);
      JournalRecord record{RecordKind::completed, 1};
      for (const NodeId node : ready) record.outcomes.push_back({node, OutcomeKind::succeeded});
      journal_bytes += encode(record).size();
      ready = run->complete(record.outcomes, 1).value();
    }
    if (!run->ended()) state.SkipWithError("the run did not end");
  }
  state.counters["time_per_node"] = benchmark::Counter(
      nodes, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["journal_bytes_per_node"] = static_cast<double>(journal_bytes) / nodes;
}
BENCHMARK(run_no_ops)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace symphony::actors

BENCHMARK_MAIN();
