// What telemetry adds to a message. The budget is 40 ns for what is recorded of one message, and
// 100 ns together with the readings of the clock.
#include <benchmark/benchmark.h>

#include "runtime/ids/random.hpp"
#include "runtime/log/log.hpp"
#include "runtime/telemetry/component_stats.hpp"

namespace {

using namespace symphony::runtime;

// Spans from 64 ns to 1 ms, so that neighbouring messages hit different buckets.
std::array<Nanos, 1024> spans() {
  SeededRandom random(1);
  std::array<Nanos, 1024> all;
  for (auto& span : all)
    span = Nanos{static_cast<std::int64_t>(64 + (random.next() >> (44 + random.below(14))))};
  return all;
}

void record_message(benchmark::State& state) {
  ComponentStats stats("/bench", MonoTime{Nanos{1}});
  const auto all = spans();
  MonoTime now{Nanos{1'000'000}};
  std::size_t i = 0;
  for (auto _ : state) {
    stats.message_enqueued();
    stats.message_dequeued();
    stats.handler_began(7, now);
    const MonoTime end = now + all[i & 1023];
    stats.handler_ended(now, end, all[(i + 511) & 1023], false);
    now = end;
    ++i;
  }
  benchmark::DoNotOptimize(stats.processed());
}
BENCHMARK(record_message);

void record_message_with_clocks(benchmark::State& state) {
  const SystemClocks clocks;
  ComponentStats stats("/bench", clocks.mono());
  MonoTime sent = clocks.mono();
  for (auto _ : state) {
    stats.message_enqueued();
    stats.message_dequeued();
    const MonoTime began = clocks.mono();
    stats.handler_began(7, began);
    const MonoTime end = clocks.mono();
    stats.handler_ended(began, end, began - sent, false);
    sent = end;
  }
}
BENCHMARK(record_message_with_clocks);

void read_clock(benchmark::State& state) {
  const SystemClocks clocks;
  for (auto _ : state) benchmark::DoNotOptimize(clocks.mono());
}
BENCHMARK(read_clock);

void read_coarse_clock(benchmark::State& state) {
  const SystemClocks clocks;
  for (auto _ : state) benchmark::DoNotOptimize(clocks.coarse());
}
BENCHMARK(read_coarse_clock);

void take_snapshot(benchmark::State& state) {
  const ComponentStats stats("/bench", MonoTime{Nanos{1}});
  for (auto _ : state) benchmark::DoNotOptimize(stats.snapshot());
}
BENCHMARK(take_snapshot);

// A log call whose level is off must be as good as free; one that is on pays for its record.
void log_call(benchmark::State& state) {
  const SystemClocks clocks;
  Log log(clocks, {.node = "bench"});
  const Logger logger = log.logger("/bench");
  const LogLevel level = state.range(0) == 0 ? LogLevel::kDebug : LogLevel::kInfo;
  std::int64_t i = 0;
  for (auto _ : state) logger.log(level, "a model was leased", {{"model", "m"}, {"count", ++i}});
}
BENCHMARK(log_call)->ArgName("enabled")->Arg(0)->Arg(1);

}  // namespace

BENCHMARK_MAIN();
