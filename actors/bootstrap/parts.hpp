// What the boot tree's components are made from. Lives as long as the node, and longer than its
// actors.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "actors/orchestration/operator.hpp"
#include "runtime/component/services.hpp"
#include "runtime/link/server.hpp"
#include "runtime/log/log.hpp"
#include "runtime/process/fork_server.hpp"
#include "runtime/settings/settings.hpp"
#include "runtime/storage/storage_writer.hpp"
#include "runtime/system/cgroup_limits.hpp"

namespace symphony::bootstrap {

struct Parts {
  std::string node;
  std::string socket_path;
  const runtime::Settings& settings;
  const runtime::Services& services;
  runtime::Storage& storage;
  runtime::StorageWriter& writer;
  runtime::Receiver& receiver;
  WaitingAsker& asker;         // for threads that are no actors
  runtime::Blocking& workers;  // threads that execute the nodes of runs
  runtime::ForkServer& fork_server;
  runtime::MachineLimits machine;
  std::string host;  // name of this machine
  // How long the node stays after its last client and its last run; nothing: until it is told.
  std::optional<std::chrono::milliseconds> linger;
  const actors::OperatorRegistry& operators;
  std::function<void()> shut_down;  // any thread
};

}  // namespace symphony::bootstrap
