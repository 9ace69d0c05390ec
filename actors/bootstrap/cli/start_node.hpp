// Starting a node for a command: a process of its own, which outlives it and ends by itself.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "actors/bootstrap/cli/desk.hpp"
#include "runtime/system/descriptor.hpp"

namespace symphony::cli {

// Held by whoever starts the node of one socket, so that many commands at once start one. Gone with
// its process, however that ends.
class StartLock {
 public:
  // Nothing yet: somebody else is starting it. The folder of the socket must exist.
  static Result<std::optional<StartLock>> try_lock(const std::string& socket_path);
  StartLock(StartLock&&) = default;
  ~StartLock();

 private:
  StartLock(std::string path, runtime::Descriptor file);

  std::string path_;
  runtime::Descriptor file_;
};

struct NodeStart {
  int exit_code = 0;         // of a node that did not become ready
  std::string message = {};  // and what it said
  bool ready = false;
};

// Starts `symphony ARGUMENTS…`, which has to be a node that prints JSON (`node --for-command`), and
// waits until it is ready or has ended. It has no part in the command's terminal, streams, and
// directory. cancelled: a signal came first; the node goes on.
Result<NodeStart> start_node(Desk& desk, const std::vector<std::string>& arguments);

}  // namespace symphony::cli
