// An ask and a one-way message between components of one process, through Ref with telemetry,
// deadlines and bounded mailboxes, against two bare CAF actors that send each other one integer:
// in turns, in one run, on the same threads. Read the ratios. Goal: an ask at most 1.3 times CAF's.
// Where `escript` is installed, two processes of one Erlang node do the same in the same run.
//
//     build/bin/bench_ask [messages a round] [rounds] [threads]
#include <caf/all.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "runtime/testing/live_node.hpp"
#include "runtime/testing/probe.hpp"

namespace {

using namespace symphony;
using namespace symphony::runtime;
using SteadyClock = std::chrono::steady_clock;

constexpr int kWindow = 100;       // asks under way at once, where several are
constexpr int kNoticeBatch = 500;  // one-way messages between two questions how far it is

double ns_each(int messages, const std::function<void()>& run) {
  const auto start = SteadyClock::now();
  run();
  return std::chrono::duration<double, std::nano>(SteadyClock::now() - start).count() / messages;
}

// ---- through Ref --------------------------------------------------------------------------------

// Asks, from inside a component, until `left` answers have come.
struct RefLoop {
  Ref<protocol::Probe> probe;
  int left;
  int unsent;
  std::promise<void> done;

  void ask() {
    --unsent;
    probe.counted().then([this](auto answer) {
      if (!answer.ok()) std::abort();
      if (--left == 0) return done.set_value();
      if (unsent > 0) ask();
    });
  }
  void notify_all() {
    if (left <= 0) return done.set_value();
    for (int i = 0; i < kNoticeBatch; ++i)
      if (!probe.count().ok()) std::abort();
    left -= kNoticeBatch;
    probe.counted().then([this](auto) { notify_all(); });
  }
};

class RefBench {
 public:
  explicit RefBench(runtime::LiveNode& node) : node_(node) {
    node.spawn("/bench/target", [](Host& host) { return std::make_unique<Probe>(host); });
    node.spawn("/bench/asker", [this](Host& host) {
      asker_ = &host;
      return std::make_unique<Probe>(host);
    });
  }

  double ask(int messages, int window) {
    return inside(messages, [window](RefLoop& loop) {
      for (int i = 0; i < window; ++i) loop.ask();
    });
  }
  double notify(int messages) {
    return inside(messages, [](RefLoop& loop) { loop.notify_all(); });
  }
  double ask_from_a_thread(int messages) {
    WaitingRef<protocol::Probe> probe{node_.asker(), "/bench/target"};
    return ns_each(messages, [&] {
      for (int i = 0; i < messages; ++i)
        if (!probe.counted().get().ok()) std::abort();
    });
  }

 private:
  double inside(int messages, std::function<void(RefLoop&)> begin) {
    RefLoop loop{Ref<protocol::Probe>{*asker_, "/bench/target"}, messages, messages, {}};
    return ns_each(messages, [&] {
      asker_->mailbox()->post([&] { begin(loop); });
      loop.done.get_future().wait();
    });
  }

  runtime::LiveNode& node_;
  Host* asker_ = nullptr;
};

// ---- bare CAF -----------------------------------------------------------------------------------

using Question = caf::atom_constant<caf::atom("question")>;
using Begin = caf::atom_constant<caf::atom("begin")>;

caf::behavior raw_target(caf::event_based_actor*) {
  return {[count = std::uint64_t{0}](std::uint64_t) mutable { ++count; },
          [](Question) { return std::uint64_t{7}; }};
}

struct RawLoop {
  caf::event_based_actor* self;
  caf::actor target;
  int left;
  int unsent;
  std::promise<void>* done;

  void ask() {
    --unsent;
    self->request(target, caf::infinite, Question::value).then([this](std::uint64_t) {
      if (--left == 0) return done->set_value();
      if (unsent > 0) ask();
    });
  }
  void notify_all() {
    if (left <= 0) return done->set_value();
    for (int i = 0; i < kNoticeBatch; ++i) self->send(target, std::uint64_t{1});
    left -= kNoticeBatch;
    self->request(target, caf::infinite, Question::value).then([this](std::uint64_t) {
      notify_all();
    });
  }
};

class RawBench {
 public:
  explicit RawBench(caf::actor_system& system)
      : system_(system), target_(system.spawn(raw_target)) {}
  ~RawBench() { caf::anon_send_exit(target_, caf::exit_reason::user_shutdown); }

  double ask(int messages, int window) {
    return inside(messages, [window](RawLoop& loop) {
      for (int i = 0; i < window; ++i) loop.ask();
    });
  }
  double notify(int messages) {
    return inside(messages, [](RawLoop& loop) { loop.notify_all(); });
  }
  double ask_from_a_thread(int messages) {
    caf::scoped_actor self{system_};
    return ns_each(messages, [&] {
      for (int i = 0; i < messages; ++i)
        self->request(target_, caf::infinite, Question::value)
            .receive([](std::uint64_t) {}, [](const caf::error&) { std::abort(); });
    });
  }

 private:
  double inside(int messages, std::function<void(RawLoop&)> begin) {
    std::promise<void> done;
    RawLoop loop{nullptr, target_, messages, messages, &done};
    auto asker = system_.spawn([&](caf::event_based_actor* self) -> caf::behavior {
      loop.self = self;
      return {[&](Begin) { begin(loop); }};
    });
    const double ns = ns_each(messages, [&] {
      caf::anon_send(asker, Begin::value);
      done.get_future().wait();
    });
    caf::anon_send_exit(asker, caf::exit_reason::user_shutdown);
    return ns;
  }

  caf::actor_system& system_;
  caf::actor target_;
};

// ---- Erlang -------------------------------------------------------------------------------------

struct ErlangNs {
  double ask = 0;
  double ask_of_many = 0;
  double notice = 0;
};

std::optional<ErlangNs> measure_erlang(int messages, int rounds) {
  const auto command =
      std::string{"escript " SYMPHONY_SOURCE_DIR "/bench/peers/erlang_ask.escript "} +
      std::to_string(messages) + " " + std::to_string(rounds) + " " + std::to_string(kWindow) +
      " " + std::to_string(kNoticeBatch) + " 2>/dev/null";
  FILE* output = ::popen(command.c_str(), "r");
  if (output == nullptr) return std::nullopt;
  ErlangNs ns;
  const int read = std::fscanf(output, "%lf %lf %lf", &ns.ask, &ns.ask_of_many, &ns.notice);
  ::pclose(output);
  return read == 3 ? std::optional{ns} : std::nullopt;
}

// ---- the table ----------------------------------------------------------------------------------

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Ratios within one round: what else the machine does hits both alike. Gives our median.
double compare(const char* what, int rounds, const std::function<double()>& ours,
               const std::function<double()>& theirs) {
  std::vector<double> our_ns, their_ns, ratios;
  for (int i = 0; i < rounds; ++i) {
    their_ns.push_back(theirs());
    our_ns.push_back(ours());
    ratios.push_back(our_ns.back() / their_ns.back());
  }
  const double ratio = median(ratios);
  std::printf("%-28s Ref %8.0f ns   CAF %8.0f ns   Ref / CAF: %.2f\n", what, median(our_ns),
              median(their_ns), ratio);
  std::fflush(stdout);
  return median(our_ns);
}

}  // namespace

int main(int argc, char** argv) {
  const int messages = argc > 1 ? std::atoi(argv[1]) : 200'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 7;
  const auto threads = static_cast<std::size_t>(argc > 3 ? std::atoi(argv[3]) : 1);
  runtime::LiveNode node{threads};
  RefBench ours{node};
  RawBench theirs{node.system()};
  std::printf("%d messages a round, %d rounds, %zu scheduler thread(s)\n", messages, rounds,
              threads);
  const double ask = compare(
      "ask, one at a time", rounds, [&] { return ours.ask(messages, 1); },
      [&] { return theirs.ask(messages, 1); });
  const double ask_of_many = compare(
      "ask, 100 at a time", rounds, [&] { return ours.ask(messages, kWindow); },
      [&] { return theirs.ask(messages, kWindow); });
  const double notice = compare(
      "one-way", rounds, [&] { return ours.notify(messages); },
      [&] { return theirs.notify(messages); });
  if (const auto erlang = measure_erlang(messages, rounds)) {
    const auto print = [](const char* what, double ours_ns, double erlang_ns) {
      std::printf("%-28s Ref %8.0f ns   Erlang %5.0f ns   Ref / Erlang: %.2f\n", what, ours_ns,
                  erlang_ns, ours_ns / erlang_ns);
    };
    print("ask, one at a time", ask, erlang->ask);
    print("ask, 100 at a time", ask_of_many, erlang->ask_of_many);
    print("one-way", notice, erlang->notice);
  } else {
    std::printf("Erlang is not installed (apt: erlang-base)\n");
  }
  const int few = std::max(messages / 20, 1);
  compare(
      "ask from a foreign thread", rounds, [&] { return ours.ask_from_a_thread(few); },
      [&] { return theirs.ask_from_a_thread(few); });
  return 0;
}
