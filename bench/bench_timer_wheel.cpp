// What an ask pays for its deadline: arming a timer and cancelling it when the answer comes.
// The budget is 20-40 ns for the pair.
#include <benchmark/benchmark.h>

#include <map>

#include "runtime/ids/random.hpp"
#include "runtime/time/timer_wheel.hpp"

namespace {

using namespace std::chrono_literals;
using symphony::runtime::MonoTime;
using symphony::runtime::SeededRandom;
using symphony::runtime::TimerHandle;
using symphony::runtime::TimerWheel;

// `pending` asks are in flight; each answer cancels the oldest and the next ask arms another.
void arm_and_cancel(benchmark::State& state) {
  const auto pending = static_cast<std::size_t>(state.range(0));
  MonoTime now{1h};
  TimerWheel<std::uint64_t> wheel(now);
  std::vector<TimerHandle> handles(pending);
  for (auto& handle : handles) handle = wheel.arm(now + 5s, 0);
  std::size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(wheel.cancel(handles[at]));
    now += 1us;
    handles[at] = wheel.arm(now + 5s, at);
    if (++at == pending) at = 0;
  }
}
BENCHMARK(arm_and_cancel)->Arg(1)->Arg(64)->Arg(4096)->Arg(1 << 20);

// The same with the sorted map a wheel replaces.
void arm_and_cancel_multimap(benchmark::State& state) {
  const auto pending = static_cast<std::size_t>(state.range(0));
  MonoTime now{1h};
  std::multimap<MonoTime, std::uint64_t> timers;
  std::vector<std::multimap<MonoTime, std::uint64_t>::iterator> handles(pending);
  for (auto& handle : handles) handle = timers.emplace(now + 5s, 0);
  std::size_t at = 0;
  for (auto _ : state) {
    timers.erase(handles[at]);
    now += 1us;
    handles[at] = timers.emplace(now + 5s, at);
    if (++at == pending) at = 0;
  }
}
BENCHMARK(arm_and_cancel_multimap)->Arg(1)->Arg(64)->Arg(4096);

// Timers that do fire: armed at random within ten seconds, fired tick by tick.
void arm_and_fire(benchmark::State& state) {
  MonoTime now{1h};
  TimerWheel<std::uint64_t> wheel(now);
  SeededRandom random(1);
  std::uint64_t sum = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        wheel.arm(now + std::chrono::nanoseconds(random.next() % 10'000'000'000), 1));
    now += 100us;
    wheel.advance(now, [&](std::uint64_t id) { sum += id; });
  }
  benchmark::DoNotOptimize(sum);
}
BENCHMARK(arm_and_fire);

}  // namespace

BENCHMARK_MAIN();
