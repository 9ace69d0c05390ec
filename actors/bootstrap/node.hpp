// A node: one process's worth of services, storage and supervised components.
//
//     auto booted = Node::boot(std::move(config));
//     if (!booted) …                       // booted.failure() says why, with an exit code
//     return booted->run_until_stopped();  // signals, or /control's shutdown
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/bootstrap/exit_codes.hpp"
#include "runtime/settings/settings.hpp"
#include "runtime/supervision/supervisor.hpp"

namespace symphony::bootstrap {

struct NodeConfig {
  runtime::Settings settings;
  std::string name;
  // Join the application phase: components that only test builds have.
  std::vector<runtime::ChildPlan> extra = {};
  // Started by a command: it ends by itself so long after its last client and its last run, and
  // logs to the file only, never to standard error, which is not its own.
  std::optional<std::chrono::milliseconds> linger = {};
  // Called by a stop that leaves threads behind, since they are stuck in handlers that were given
  // up: from then on the process may only end by _exit.
  std::function<void()> on_threads_left = {};
};

struct NodeFailure {
  ExitCode code = kExitFailed;
  std::string message;  // one sentence for a person
};

// Where a node of this name is reached and keeps its data, by settings and XDG.
struct NodePaths {
  std::string socket;  // "<runtime_dir>/<name>.sock", or a short one where that is too long
  std::string data_dir;
};
NodePaths node_paths(const runtime::Settings& settings, const std::string& name);

class Node {
 public:
  // Boots everything or nothing. Blocks SIGTERM, SIGINT and SIGHUP in the calling thread and all
  // it starts: call it from main() before other threads exist.
  static std::variant<std::unique_ptr<Node>, NodeFailure> boot(NodeConfig config);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const std::string& name() const noexcept;
  const std::string& endpoint() const noexcept;
  // From the start of boot() to ready.
  std::chrono::milliseconds boot_time() const noexcept;

  // Waits for SIGTERM, SIGINT or shut_down(), then stops. A second signal while it stops ends the
  // process at once, and so does the end of the time it has (boot.drain_ms + boot.stop_timeout_ms).
  // Threads that are stuck in handlers that were given up before are not waited for.
  ExitCode run_until_stopped();
  // Drains and stops.
  ExitCode stop();
  // Makes run_until_stopped() stop. Any thread.
  void shut_down() noexcept;

 private:
  struct Impl;
  struct Dispose {
    void operator()(Impl* impl) const noexcept;
  };
  using Owned = std::unique_ptr<Impl, Dispose>;
  explicit Node(Owned impl);
  Owned impl_;
};

}  // namespace symphony::bootstrap
