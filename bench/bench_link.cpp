// An ask between two processes over a Unix socket, against a bare ping-pong over a Unix socket and,
// where `erl` is installed, against Erlang distribution: all in turns, in one run, so that what
// else the machine does hits them alike. Read the ratios.
//
//     build/bin/bench_link [asks] [pipelined asks] [rounds]
//
// Goals: p50 of an ask at most that of Erlang, pipelined asks at least 1.5 times its rate.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "messages/component.protocol.hpp"
#include "runtime/link/client.hpp"
#include "runtime/link/server.hpp"
#include "runtime/link/unix_socket.hpp"

namespace {

using namespace symphony;
using namespace symphony::runtime;
using SteadyClock = std::chrono::steady_clock;

constexpr int kWindow = 256;
constexpr std::size_t kRawBytes = 128;  // about a frame

struct Figures {
  double p50_us = 0;
  double p99_us = 0;
  double pipelined_per_s = 0;
};

Figures with_latencies(std::vector<double> us) {
  std::sort(us.begin(), us.end());
  return {us[us.size() / 2], us[us.size() * 99 / 100], 0};
}

double us_since(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::micro>(SteadyClock::now() - start).count();
}

// Answers on the thread that reads, as the raw ping-pong does.
class Echo final : public Receiver {
 public:
  void receive(PeerId, std::string_view, Envelope request,
               std::unique_ptr<Responder> responder) override {
    Envelope answer;
    answer.header = request.header;
    answer.header.kind = Kind::response;
    answer.words = Words::build<messages::HealthResponse>([](auto response) {
      response.setDetail("sixty-four bytes or so, as much as the Erlang peer is sent as well..");
    });
    responder->respond(std::move(answer));
  }
  void cancelled(PeerId, std::uint64_t) override {}
  void peer_connected(const PeerInfo&) override {}
  void peer_lost(PeerId, const Error&) override {}
};

// A child process that serves `serve(fd)` until the pipe it is given is closed.
class Child {
 public:
  template <class Serve>
  explicit Child(Serve serve) {
    int until[2];
    int ready[2];
    if (::pipe(until) != 0 || ::pipe(ready) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(until[1]);
      serve(until[0], ready[1]);
      ::_exit(0);
    }
    ::close(until[0]);
    ::close(ready[1]);
    until_ = until[1];
    char byte;
    if (::read(ready[0], &byte, 1) != 1) std::abort();
    ::close(ready[0]);
  }
  ~Child() {
    ::close(until_);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
  int until_ = -1;
};

void say(int fd) {
  if (::write(fd, "!", 1) != 1) std::abort();
}
void wait_for_end(int fd) {
  char byte;
  while (::read(fd, &byte, 1) > 0) {
  }
}

Figures measure_raw(int fd, int asks) {
  std::array<char, kRawBytes> buffer{};
  std::vector<double> us;
  for (int i = 0; i < asks; ++i) {
    const auto start = SteadyClock::now();
    if (::send(fd, buffer.data(), buffer.size(), 0) < 0) std::abort();
    if (::recv(fd, buffer.data(), buffer.size(), MSG_WAITALL) <= 0) std::abort();
    us.push_back(us_since(start));
  }
  return with_latencies(std::move(us));
}

double pipelined_per_s(const WaitingRef<protocol::Component>& component, int asks) {
  std::mutex mutex;
  std::condition_variable changed;
  int open = 0;
  const auto start = SteadyClock::now();
  for (int i = 0; i < asks; ++i) {
    {
      std::unique_lock lock{mutex};
      changed.wait(lock, [&] { return open < kWindow; });
      ++open;
    }
    component.health().then([&](auto answer) {
      if (!answer) std::abort();
      const std::lock_guard lock{mutex};
      // Half a window at a time: the asking thread is not woken for every answer.
      if (--open == kWindow / 2 || open == 0) changed.notify_one();
    });
  }
  std::unique_lock lock{mutex};
  changed.wait(lock, [&] { return open == 0; });
  return asks / us_since(start) * 1e6;
}

Figures measure_link(LinkClient& client, int asks, int pipelined) {
  const WaitingRef<protocol::Component> component{client, "/pit/pool"};
  std::vector<double> us;
  for (int i = 0; i < asks; ++i) {
    const auto start = SteadyClock::now();
    if (!component.health().get()) std::abort();
    us.push_back(us_since(start));
  }
  auto figures = with_latencies(std::move(us));
  figures.pipelined_per_s = pipelined_per_s(component, pipelined);
  return figures;
}

std::optional<Figures> measure_erlang(const std::string& script, int asks, int pipelined) {
  const auto command = "ERL_EPMD_PORT=14369 escript " + script + " " + std::to_string(asks) + " " +
                       std::to_string(pipelined) + " " + std::to_string(kWindow) + " 2>/dev/null";
  FILE* output = ::popen(command.c_str(), "r");
  if (output == nullptr) return std::nullopt;
  double p50_ns = 0;
  double p99_ns = 0;
  double rate = 0;
  const int read = std::fscanf(output, "%lf %lf %lf", &p50_ns, &p99_ns, &rate);
  ::pclose(output);
  if (read != 3) return std::nullopt;
  return Figures{p50_ns / 1e3, p99_ns / 1e3, rate};
}

Figures medians(const std::vector<Figures>& rounds) {
  const auto median = [&](double Figures::*member) {
    std::vector<double> values;
    for (const auto& round : rounds) values.push_back(round.*member);
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  return {median(&Figures::p50_us), median(&Figures::p99_us), median(&Figures::pipelined_per_s)};
}

void print(const char* name, const Figures& figures) {
  std::printf("%-22s p50 %8.1f us   p99 %9.1f us   pipelined %9.0f/s\n", name, figures.p50_us,
              figures.p99_us, figures.pipelined_per_s);
}

}  // namespace

int main(int argc, char** argv) {
  const int asks = argc > 1 ? std::atoi(argv[1]) : 5'000;
  const int pipelined = argc > 2 ? std::atoi(argv[2]) : 100'000;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 3;
  std::string folder = (std::filesystem::temp_directory_path() / "symphony-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  const auto path = folder + "/node.sock";

  int raw[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, raw) != 0) return 1;
  std::vector<Figures> of_raw, of_link, of_erlang;
  {
    // Both fork before this process has threads.
    const Child raw_child{[&](int, int ready) {
      ::close(raw[0]);
      say(ready);
      std::array<char, kRawBytes> buffer;
      while (::recv(raw[1], buffer.data(), buffer.size(), MSG_WAITALL) > 0)
        if (::send(raw[1], buffer.data(), buffer.size(), MSG_NOSIGNAL) < 0) break;
    }};
    ::close(raw[1]);
    const Child link_child{[&](int until, int ready) {
      ::close(raw[0]);
      SystemClocks clocks;
      Echo echo;
      LinkServer server{{}, echo, clocks};
      auto listener = UnixListener::listen(path, clocks);
      if (!listener) std::abort();
      if (!server.listen(std::move(*listener))) std::abort();
      say(ready);
      wait_for_end(until);
    }};
    auto client = LinkClient::connect(path);
    if (!client) {
      std::fprintf(stderr, "%s\n", to_string(client.error()).c_str());
      return 1;
    }
    const auto script = std::string{SYMPHONY_SOURCE_DIR} + "/bench/peers/erlang_ping.escript";
    const bool erlang = std::system("command -v escript >/dev/null 2>&1") == 0;
    for (int round = 0; round < rounds; ++round) {
      of_raw.push_back(measure_raw(raw[0], asks));
      of_link.push_back(measure_link(**client, asks, pipelined));
      if (!erlang) continue;
      if (auto figures = measure_erlang(script, asks, pipelined)) of_erlang.push_back(*figures);
    }
    if (erlang && of_erlang.empty()) std::printf("Erlang is installed, but its peer failed\n");
    if (!erlang) std::printf("Erlang is not installed (Debian: erlang-base): not compared\n");
    client = Error{};
    ::close(raw[0]);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);

  const auto link = medians(of_link);
  const auto bare = medians(of_raw);
  print("raw Unix socket", bare);
  print("link", link);
  std::printf("link / raw Unix socket: p50 %.2f\n", link.p50_us / bare.p50_us);
  if (of_erlang.empty()) return 0;
  const auto erlang = medians(of_erlang);
  print("Erlang distribution", erlang);
  std::printf("link / Erlang: p50 %.2f (goal: at most 1.0), pipelined %.2f (goal: at least 1.5)\n",
              link.p50_us / erlang.p50_us, link.pipelined_per_s / erlang.pipelined_per_s);
  return 0;
}
