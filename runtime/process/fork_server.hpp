// Starting programs: the node's end of its fork server.
//
// One process, `symphony-launch`, is started with the first program and forks for all of them
// (launch/main.cpp). It is started anew should it die. While it or any of its launchers lives it
// holds the lock, so that what a node starts never runs beside what an earlier node on the same
// data left behind: the first program of the new node waits for that, kLockPatience at most.
//
// Thread-safe. Whoever uses it must be done before it is destroyed; what still runs then is ended.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "messages/result.hpp"
#include "runtime/system/descriptor.hpp"

namespace symphony::runtime {

struct ForkServerOptions {
  // The file that tells one data directory's programs from another's; empty: none is held.
  std::string lock_path = {};
  // Empty: find_launch_program().
  std::string program = {};
};

// symphony-launch: beside the program that runs, else where it is installed relative to that. Empty
// when it is in neither place.
std::string find_launch_program();

class ForkServer {
 public:
  explicit ForkServer(ForkServerOptions options = {});
  ~ForkServer();
  ForkServer(const ForkServer&) = delete;
  ForkServer& operator=(const ForkServer&) = delete;

  struct Pipes {
    Descriptor in, out, err;
  };
  // Has a launcher forked, which waits for its first frame on the stream that is returned.
  // Errors: FAILED_PRECONDITION (no symphony-launch, or programs of an earlier node still run),
  // RESOURCE_EXHAUSTED (no process or descriptor), and what `going_on` fails with, which is asked
  // while the fork server is not ready; that goes on starting for the next one.
  Result<Descriptor> launch(const Pipes& pipes, const std::function<Status()>& going_on);

  // The process that forks; 0 before the first launch.
  pid_t pid() const;

  // Keeps others from running what has the same name, for as long as it lives.
  class Claim {
   public:
    Claim() = default;
    Claim(ForkServer& server, std::string name) : server_(&server), name_(std::move(name)) {}
    Claim(Claim&& other) noexcept
        : server_(std::exchange(other.server_, nullptr)), name_(std::move(other.name_)) {}
    Claim& operator=(Claim&&) = delete;
    ~Claim();

   private:
    ForkServer* server_ = nullptr;
    std::string name_;
  };
  // Waits until nobody holds the name. DEADLINE_EXCEEDED (retryable) after `patience`.
  Result<Claim> claim(std::string name, std::chrono::milliseconds patience);

 private:
  Status start();
  Status await_ready(const std::function<Status()>& going_on);
  void stop();

  const ForkServerOptions options_;
  mutable std::timed_mutex mutex_;
  Descriptor control_;
  bool ready_ = false;  // it said so
  std::chrono::steady_clock::time_point started_at_;
  pid_t pid_ = 0;
  std::mutex claims_mutex_;
  std::condition_variable released_;
  std::set<std::string> claims_;
};

}  // namespace symphony::runtime
