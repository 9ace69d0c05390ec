// Ten million one-way messages at a component that is slower than their sender: memory stays
// bounded by the mailbox's limit, and the sender is told.
//
//     build/bin/bench_flood [messages]
//
// Exits with 1 when a message that was accepted was not handled, when nobody was told, or when
// memory grew by more than kGrowthMaxMib.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "runtime/testing/live_node.hpp"
#include "runtime/testing/probe.hpp"

namespace {

using namespace symphony;
using namespace symphony::runtime;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMailboxMax = 10'000;  // the default of mailbox.limit
constexpr double kGrowthMaxMib = 128;
constexpr std::chrono::microseconds kHandling{2};

double resident_mib() {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// Counts, and takes its time over it.
class Slow final : public ComponentOf<protocol::Probe> {
 public:
  using ComponentOf::ComponentOf;
  void count(Notice<protocol::Probe::Count>) override {
    const auto until = SteadyClock::now() + kHandling;
    while (SteadyClock::now() < until) {
    }
    ++count_;
  }
  void counted(Call<protocol::Probe::Counted> call) override {
    call.reply([&](messages::CountedResponse::Builder out) { out.setCount(count_); });
  }
  void echo(Call<protocol::Probe::Echo> call) override { refuse(call); }
  void crash(Call<protocol::Probe::Crash> call) override { refuse(call); }
  void block(Call<protocol::Probe::Block> call) override { refuse(call); }
  void keep(Call<protocol::Probe::Keep> call) override { refuse(call); }
  void forward(Call<protocol::Probe::Forward> call) override { refuse(call); }

 private:
  template <class M>
  void refuse(Call<M>& call) {
    call.fail({Errc::UNIMPLEMENTED, "it only counts"});
  }
  std::uint64_t count_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const long messages = argc > 1 ? std::atol(argv[1]) : 10'000'000;
  runtime::LiveNode node;
  node.spawn(
      "/bench/slow", [](Host& host) { return std::make_unique<Slow>(host); }, kMailboxMax);
  WaitingRef<protocol::Probe> slow{node.asker(), "/bench/slow"};
  const double before_mib = resident_mib();
  double peak_mib = before_mib;
  std::uint64_t accepted = 0;
  std::uint64_t overloaded = 0;
  const auto start = SteadyClock::now();
  for (long i = 0; i < messages; ++i) {
    const auto status = slow.count();
    if (status.ok()) {
      ++accepted;
    } else if (status.error().code == Errc::OVERLOADED) {
      ++overloaded;
    } else {
      std::fprintf(stderr, "%s\n", to_string(status.error()).c_str());
      return 1;
    }
    if (i % 100'000 == 0) peak_mib = std::max(peak_mib, resident_mib());
  }
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  peak_mib = std::max(peak_mib, resident_mib());
  // The mailbox may be full for a while yet, and questions are refused like everything else.
  std::uint64_t handled = 0;
  for (bool asked = false; !asked;) {
    const auto answer = slow.counted().get();
    if (answer.ok()) handled = (*answer)->getCount();
    asked = answer.ok();
    if (!asked && answer.error().code != Errc::OVERLOADED) std::abort();
  }
  std::printf("%ld sent in %.1f s (%.0f ns each): %lu accepted, %lu told overloaded\n", messages,
              seconds, seconds / static_cast<double>(messages) * 1e9, accepted, overloaded);
  std::printf("%lu handled; dead letters counted: %lu\n", handled, node.dead_letters().count());
  std::printf("resident: %.1f MiB before, %.1f MiB at most, growth: %.1f MiB\n", before_mib,
              peak_mib, peak_mib - before_mib);
  const bool fine = handled == accepted && overloaded > 0 && peak_mib - before_mib < kGrowthMaxMib;
  std::printf("%s\n", fine ? "bounded, and the sender was told" : "FAILED");
  return fine ? 0 : 1;
}
