// A supervisor with a hundred thousand living children: what each of them costs, and whether the
// hundred thousandth costs what the first did.
//
//     build/bin/bench_components [children]
//
// Exits with 1 when an idle child takes more than kChildMaxKib, or one that was added does not
// answer.
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <semaphore>
#include <string>

#include "runtime/supervision/supervisor.hpp"
#include "runtime/testing/live_node.hpp"
#include "runtime/testing/probe.hpp"

namespace {

using namespace symphony;
using namespace symphony::runtime;
using SteadyClock = std::chrono::steady_clock;

constexpr double kChildMaxKib = 4;
constexpr int kUnderWay = 100;  // so many children are asked for at a time

double resident_kib() {
  ::malloc_trim(0);
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1024;
}

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

std::string name_of(int child) { return "/bench/child/" + std::to_string(child); }

Result<ChildPlan> make_child(const std::string& name, kj::ArrayPtr<const kj::byte>) {
  ChildPlan plan;
  plan.spec.id = plan.component.name = name;
  plan.component.make = [](Host& host) { return std::make_unique<Probe>(host); };
  return plan;
}

}  // namespace

int main(int argc, char** argv) {
  const int children = argc > 1 ? std::atoi(argv[1]) : 100'000;
  LiveNode node;
  SupervisorSpec spec;
  spec.id = "/bench/supervisor";
  node.spawn(spec.id,
             supervisor_plan(spec, {}, {}, "under load", {{"child", make_child}}).component.make);
  WaitingRef<protocol::Supervisor> supervisor{node.asker(), spec.id};

  // Asks what `ask(child)` makes for each in [from, to), some at a time.
  std::atomic<int> failed = 0;
  std::counting_semaphore<kUnderWay> free{kUnderWay};
  const auto each = [&](int from, int to, auto&& ask) {
    for (int i = from; i < to; ++i) {
      free.acquire();
      ask(i).then([&](auto answer) {
        if (!answer) ++failed;
        free.release();
      });
    }
    for (int i = 0; i < kUnderWay; ++i) free.acquire();
    free.release(kUnderWay);
  };
  const auto start = [&](int i) {
    return supervisor.start_child([&](auto request) {
      request.setTemplate("child");
      request.setName(name_of(i));
    });
  };
  const auto remove = [&](int i) {
    return supervisor.remove_child([&](auto request) { request.setChild(name_of(i)); });
  };

  const int tenth = children / 10;
  each(0, tenth, start);  // what is made once, and what the allocator keeps, is not counted
  const double before = resident_kib();
  auto begun = SteadyClock::now();
  double first_us = 0;
  double last_us = 0;
  for (int part = 1; part < 10; ++part) {
    begun = SteadyClock::now();
    each(part * tenth, (part + 1) * tenth, start);
    last_us = seconds_since(begun) / tenth * 1e6;
    if (part == 1) first_us = last_us;
  }
  const double each_kib = (resident_kib() - before) / (9 * tenth);
  std::printf("%d children: %.2f KiB each, idle\n", 10 * tenth, each_kib);
  std::printf("started in %.1f us each at first, %.1f us at last\n", first_us, last_us);

  WaitingRef<protocol::Probe> one{node.asker(), name_of(10 * tenth - 1)};
  const bool answers = one.echo().get().ok();
  begun = SteadyClock::now();
  each(0, 10 * tenth, remove);
  std::printf("removed in %.1f us each\n", seconds_since(begun) / (10 * tenth) * 1e6);

  const bool fine = answers && failed == 0 && each_kib <= kChildMaxKib;
  if (failed > 0) std::printf("%d were not started or not removed\n", failed.load());
  std::printf("%s\n", fine ? "as small as they should be" : "FAILED");
  return fine ? 0 : 1;
}
