#include "actors/bootstrap/node.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include "actors/bootstrap/boot_tree.hpp"
#include "actors/bootstrap/exit_guard.hpp"
#include "actors/bootstrap/systemd.hpp"
#include "actors/orchestration/engine/options.hpp"
#include "extensions/operators/operators.hpp"
#include "runtime/blocking/blocking.hpp"
#include "runtime/component/actor_runtime.hpp"
#include "runtime/component/fences.hpp"
#include "runtime/component/link_bridge.hpp"
#include "runtime/component/registry.hpp"
#include "runtime/component/spawn.hpp"
#include "runtime/component/thread_asker.hpp"
#include "runtime/component/watchdog.hpp"
#include "runtime/ids/random.hpp"
#include "runtime/link/socket_path.hpp"
#include "runtime/link/unix_socket.hpp"
#include "runtime/log/log.hpp"
#include "runtime/storage/storage.hpp"
#include "runtime/storage/storage_writer.hpp"
#include "runtime/system/descriptor.hpp"
#include "runtime/system/fs.hpp"
#include "runtime/system/thread.hpp"
#include "runtime/system/xdg.hpp"
#include "runtime/telemetry/telemetry_registry.hpp"
#include "runtime/time/ticker.hpp"

namespace symphony::bootstrap {
namespace {

using runtime::Settings;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

runtime::LogLevel log_level(const std::string& name) {
  for (const auto level :
       {runtime::LogLevel::kTrace, runtime::LogLevel::kDebug, runtime::LogLevel::kInfo,
        runtime::LogLevel::kWarn, runtime::LogLevel::kError})
    if (to_string(level) == name) return level;
  return runtime::LogLevel::kOff;
}

runtime::LogOptions log_options(const Settings& settings, const std::string& node) {
  return {node, log_level(settings.get<std::string>("log.level")),
          std::max<std::size_t>(settings.get<std::size_t>("log.ring_records"),
                                settings.get<std::size_t>("log.queue_records"))};
}

// From where this process is now, so that it may go elsewhere. Where that is gone it stays as it
// is, and whatever uses it fails.
std::string absolute(const std::string& path) {
  std::error_code gone;
  const auto whole = std::filesystem::absolute(path, gone);
  return gone || path.empty() ? path : whole.native();
}

Result<std::vector<runtime::LogOutput>> log_outputs(const Settings& settings, bool quiet) {
  std::vector<runtime::LogOutput> outputs;
  const auto file = absolute(settings.get<std::string>("log.file"));
  if (!file.empty()) {
    auto output = runtime::file_output(file, settings.get_bytes("log.max_size_mib"),
                                       settings.get<std::size_t>("log.max_files"));
    if (!output) return output.error();
    outputs.push_back(std::move(output).value());
  } else if (!quiet) {
    auto output = runtime::console_output();
    const auto format = settings.get<std::string>("log.format");
    if (format == "json") output.format = runtime::LogFormat::kJson;
    if (format == "text" && output.format == runtime::LogFormat::kJson)
      output.format = runtime::LogFormat::kText;
    outputs.push_back(std::move(output));
  }
  return outputs;
}

std::size_t blocking_threads(const Settings& settings) {
  const auto threads = settings.get<std::size_t>("blocking.threads");
  if (threads != 0) return threads;
  return 2 * std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
}

// One a core that runs may use, and spare ones for those that get stuck in operators.
std::size_t worker_threads(const Settings& settings, const runtime::MachineLimits& machine) {
  const auto cores = settings.get<std::size_t>("arbitration.cores");
  const auto wanted = cores != 0 ? cores : static_cast<std::size_t>(std::ceil(machine.cpus));
  return std::max<std::size_t>(wanted, 1) + actors::EngineOptions{}.slots_lost_max;
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

constexpr milliseconds kFlushPatience{500};
// Those without which there is no node: its workers, log, ticker, writer, watchdog, door, pools.
// Looked for before anything is made that would end the process when it is refused one.
constexpr std::size_t kThreadsAtLeast = 16;
// How much later than its supervisors the process gives up, so that they can say on whom.
constexpr milliseconds kStopGrace{300};

sigset_t stop_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&signals, signal);
  return signals;
}

}  // namespace

NodePaths node_paths(const Settings& settings, const std::string& name) {
  const auto dirs = runtime::xdg_dirs();
  auto runtime_dir = settings.get<std::string>("node.runtime_dir");
  auto data_dir = settings.get<std::string>("node.data_dir");
  if (runtime_dir.empty()) runtime_dir = dirs.runtime.string();
  if (data_dir.empty()) data_dir = (dirs.data / name).string();
  return {runtime::short_socket_path(absolute(runtime_dir) + "/" + name + ".sock", ::geteuid()),
          absolute(data_dir)};
}

// Members are destroyed from the last to the first: actors before what they were lent.
struct Node::Impl {
  Impl(NodeConfig given, std::vector<runtime::LogOutput> outputs)
      : config(std::move(given)),
        paths(node_paths(config.settings, config.name)),
        log(clocks, log_options(config.settings, config.name), std::move(outputs)),
        blocking(clocks, {.name = "blocking",
                          .threads = blocking_threads(config.settings),
                          .queue_max = config.settings.get<std::size_t>("blocking.queue")}),
        fork_server({.lock_path = paths.data_dir + "/programs.lock"}),
        workers(clocks, {.name = "worker",
                         .threads = worker_threads(config.settings, machine),
                         .queue_max = config.settings.get<std::size_t>("blocking.queue")}),
        services{clocks,   random,
                 ticker,   blocking,
                 log,      telemetry,
                 registry, dead_letters,
                 fences,   config.settings.get_ms("link.ask_timeout_ms")},
        logger(log.logger("/node")) {
    for (const auto* rule : config.settings.get_map("log.levels"))
      log.set_level(rule->key, log_level(rule->value.as_string()));
    extensions::add_builtin_operators(operators);
  }

  std::optional<NodeFailure> check_socket();
  std::optional<NodeFailure> open_storage();
  std::optional<NodeFailure> start_actors();
  void watch_workers();
  ExitCode wait();
  steady_clock::time_point stop_deadline() const;
  // Comes back after everything has ended; leaves with `code_when_late` when that takes too long.
  ExitCode stop_by(steady_clock::time_point deadline, ExitCode code_when_late);
  // Those that have a thread stuck in a handler, as a sentence has them.
  std::string stuck_components() const;
  [[noreturn]] void leave(ExitCode code, const char* why);

  const steady_clock::time_point begun = steady_clock::now();
  milliseconds boot_time{0};
  NodeConfig config;
  NodePaths paths;
  runtime::SystemClocks clocks;
  runtime::SystemRandom random;
  runtime::ThreadTicker ticker;
  runtime::Log log;
  runtime::TelemetryRegistry telemetry;
  runtime::Registry registry;
  runtime::DeadLetters dead_letters;
  runtime::Fences fences;
  const runtime::MachineLimits machine = runtime::read_machine_limits();
  runtime::PoolBlocking blocking;
  runtime::ForkServer fork_server;
  runtime::PoolBlocking workers;
  runtime::Services services;
  runtime::Logger logger;
  actors::OperatorRegistry operators;
  std::unique_ptr<runtime::Storage> storage;
  std::unique_ptr<runtime::ThreadStorageWriter> writer;
  runtime::Descriptor wake;     // eventfd: shut_down() or the end of the root
  runtime::Descriptor signals;  // signalfd
  std::atomic<bool> root_ended{false};
  std::atomic<bool> asked_to_stop{false};
  std::atomic<bool> ready{false};
  bool threads_left = false;  // the stop left some behind that are stuck
  std::unique_ptr<runtime::ActorRuntime> actors;
  std::unique_ptr<runtime::ThreadAsker> asker;
  std::unique_ptr<runtime::LinkBridge> bridge;
  std::unique_ptr<Parts> parts;
  runtime::Spawned root;
  std::unique_ptr<runtime::Watchdog> watchdog;
};

// What a thread that is stuck may touch stays until the end of the process.
void Node::Dispose::operator()(Impl* impl) const noexcept {
  if (!impl->threads_left) delete impl;
}

Node::Node(Owned impl) : impl_(std::move(impl)) {}

Node::~Node() {
  if (impl_ != nullptr && !impl_->root_ended) stop();
}

const std::string& Node::name() const noexcept { return impl_->config.name; }
const std::string& Node::endpoint() const noexcept { return impl_->paths.socket; }
milliseconds Node::boot_time() const noexcept { return impl_->boot_time; }

// ---- boot ---------------------------------------------------------------------------------------

std::variant<std::unique_ptr<Node>, NodeFailure> Node::boot(NodeConfig config) {
  const sigset_t blocked = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  auto outputs = log_outputs(config.settings, config.linger.has_value());
  if (!outputs) {
    const auto& mark = config.settings.at("log.file").value.mark();
    return NodeFailure{kExitUsage,
                       runtime::Problem{mark, "log.file", outputs.error().message}.text()};
  }
  if (auto threads = runtime::check_threads(kThreadsAtLeast); !threads)
    return NodeFailure{kExitBootFailed, threads.error().message};
  Owned impl{new Impl(std::move(config), std::move(outputs).value())};
  impl->wake = runtime::Descriptor{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  impl->signals = runtime::Descriptor{::signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (!impl->wake.valid() || !impl->signals.valid())
    return NodeFailure{kExitBootFailed, std::string{"the node cannot listen for signals: "} +
                                            std::strerror(errno) +
                                            "; raise the limit of open files (ulimit -n)"};
  if (auto failure = impl->check_socket()) return *failure;
  if (auto failure = impl->open_storage()) return *failure;
  if (auto failure = impl->start_actors()) return *failure;
  impl->ready = true;
  impl->boot_time = std::chrono::duration_cast<milliseconds>(steady_clock::now() - impl->begun);
  impl->logger.info("ready",
                    {{"endpoint", impl->paths.socket}, {"boot_ms", impl->boot_time.count()}});
  return std::unique_ptr<Node>(new Node(std::move(impl)));
}

// Before anything is created: a node that cannot be reached is none.
std::optional<NodeFailure> Node::Impl::check_socket() {
  if (runtime::connect_unix(paths.socket, clocks))
    return NodeFailure{kExitNameTaken, "a node named " + config.name + " is running already (at " +
                                           paths.socket +
                                           "): stop it, or start this one with --name"};
  return std::nullopt;
}

std::optional<NodeFailure> Node::Impl::open_storage() {
  const auto runtime_dir = std::filesystem::path(paths.socket).parent_path();
  if (auto made = runtime::ensure_private_directory(runtime_dir); !made)
    return NodeFailure{kExitUsage, made.error().message};
  if (auto made = runtime::create_directories(paths.data_dir, 0700); !made)
    return NodeFailure{kExitUsage, "the data directory " + paths.data_dir + ": " +
                                       made.error().message +
                                       "; set node.data_dir to another place"};
  runtime::StorageOptions options;
  options.map_size_bytes = config.settings.get_bytes("storage.map_size_gib");
  auto opened = runtime::Storage::open(paths.data_dir, options);
  if (!opened) {
    const bool taken = opened.error().code == Errc::FAILED_PRECONDITION;
    return NodeFailure{taken ? kExitNameTaken : kExitBootFailed, opened.error().message};
  }
  storage = std::move(opened).value();
  runtime::ThreadStorageWriter::Limits limits;
  limits.max_group_ops = config.settings.get<std::size_t>("storage.max_batch");
  writer = std::make_unique<runtime::ThreadStorageWriter>(*storage, limits);
  return std::nullopt;
}

std::optional<NodeFailure> Node::Impl::start_actors() {
  actors = std::make_unique<runtime::ActorRuntime>(runtime::ActorRuntimeOptions{
      config.settings.get<std::size_t>("scheduler.threads"),
      config.settings.get<std::size_t>("scheduler.throughput"), false});
  asker = std::make_unique<runtime::ThreadAsker>(actors->system(), services);
  bridge = std::make_unique<runtime::LinkBridge>(actors->system(), services);
  const auto rouse = [this] {
    const std::uint64_t one = 1;
    (void)!::write(wake.get(), &one, sizeof one);
  };
  parts = std::make_unique<Parts>(Parts{
      config.name, paths.socket, config.settings, services, *storage, *writer, *bridge, *asker,
      workers, fork_server, machine, host_name(), config.linger, operators, [this, rouse] {
        asked_to_stop = true;
        rouse();
      }});
  watch_workers();
  auto tree = boot_tree(*parts, config.extra);
  auto plan = runtime::supervisor_plan(tree.root, tree.children, {}, "the root of this node");
  plan.component.settings = tree.root_settings;
  auto spawned = runtime::spawn_component(
      actors->system(), services,
      std::make_shared<const runtime::ComponentSpec>(std::move(plan.component)), 1, [this, rouse] {
        root_ended = true;
        rouse();
      });
  if (!spawned) return NodeFailure{kExitBootFailed, spawned.error().message};
  root = std::move(spawned).value();
  root.entry->set(root.address);  // health, its last child, looks for it
  WaitingRef<protocol::Component> lifecycle{
      *asker, std::make_unique<runtime::LocalTarget>(kRootName, root.address)};
  // Each phase has its own deadline; the root's only has to be later than all of them.
  const auto patience =
      (tree.children.size() + 1) * config.settings.get_ms("boot.phase_timeout_ms");
  auto prepared = lifecycle.prepare().within(patience).get();
  Status started;
  if (prepared) {
    auto answer = lifecycle.start().within(patience).get();
    if (!answer) started = answer.error();
  } else {
    started = prepared.error();
  }
  if (!started) {
    logger.error("boot failed", {{"reason", started.error().message}});
    log.flush(kFlushPatience);
    (void)stop_by(stop_deadline(), kExitBootFailed);
    return NodeFailure{kExitBootFailed, started.error().message};
  }
  return std::nullopt;
}

// Health fences and replaces who is stuck; this is for when too few threads are left.
void Node::Impl::watch_workers() {
  const auto interval = config.settings.get_ms("health.interval_ms");
  const auto limit = config.settings.get_ms("health.stuck_after_ms") + 2 * interval;
  watchdog = std::make_unique<runtime::Watchdog>(
      runtime::WatchdogOptions{actors->threads(), limit, interval}, telemetry, clocks,
      [this](const std::vector<std::string>& components) {
        std::string names;
        for (const auto& name : components) names += (names.empty() ? "" : ", ") + name;
        leave(kExitWorkersLost, ("of " + std::to_string(actors->threads()) +
                                 " worker threads these are stuck in handlers: " + names)
                                    .c_str());
      });
}

// ---- the end ------------------------------------------------------------------------------------

void Node::shut_down() noexcept { impl_->parts->shut_down(); }

ExitCode Node::run_until_stopped() {
  const ExitCode code = impl_->wait();
  const ExitCode stopped = stop();
  return code != kExitOk ? code : stopped;
}

ExitCode Node::Impl::wait() {
  pollfd watched[] = {{signals.get(), POLLIN, 0}, {wake.get(), POLLIN, 0}};
  for (;;) {
    if (::poll(watched, 2, -1) < 0) continue;
    if (watched[0].revents != 0) {
      signalfd_siginfo info{};
      if (::read(signals.get(), &info, sizeof info) == sizeof info && info.ssi_signo == SIGHUP)
        continue;  // the terminal is gone; the node goes on
      logger.info("stopping", {{"signal", static_cast<std::int64_t>(info.ssi_signo)}});
      return kExitOk;
    }
    if (asked_to_stop) {
      logger.info("stopping", {{"asked_by", "/control"}});
      return kExitOk;
    }
    if (root_ended) {
      logger.error("the root supervisor gave up", {{"reason", root.life->reason()}});
      std::fprintf(stderr, "symphony: the root supervisor gave up: %s\n",
                   root.life->reason().c_str());
      return kExitEscalated;
    }
  }
}

ExitCode Node::stop() {
  if (!impl_->config.linger) notify_systemd("STOPPING=1");
  return impl_->stop_by(impl_->stop_deadline(), kExitStopTimedOut);
}

steady_clock::time_point Node::Impl::stop_deadline() const {
  return steady_clock::now() + config.settings.get_ms("boot.drain_ms") +
         config.settings.get_ms("boot.stop_timeout_ms");
}

ExitCode Node::Impl::stop_by(steady_clock::time_point deadline, ExitCode code_when_late) {
  const ExitGuard guard{deadline + kStopGrace, signals.get(),
                        [this, code_when_late](auto why) { leave(code_when_late, why); }};
  if (!guard.watches())
    logger.warn("nobody watches the stop, which may take for ever: no thread can be started");
  watchdog.reset();
  if (!root_ended) {
    WaitingRef<protocol::Component> lifecycle{
        *asker, std::make_unique<runtime::LocalTarget>(kRootName, root.address)};
    const auto stopped = lifecycle.stop().by(deadline + kStopGrace).get();
    if (!stopped && stopped.error().code == Errc::DEADLINE_EXCEEDED)
      leave(code_when_late, stopped.error().message.c_str());
    pollfd watched{wake.get(), POLLIN, 0};
    while (!root_ended) {
      std::uint64_t count = 0;
      if (::poll(&watched, 1, -1) > 0) (void)!::read(wake.get(), &count, sizeof count);
    }
  }
  root = {};
  registry.clear();
  const auto left = std::max<runtime::Nanos>(deadline - steady_clock::now(), milliseconds(100));
  if (workers.drain(left) + blocking.drain(left) > 0)
    leave(code_when_late, "blocking work did not end in time");
  if (writer != nullptr) writer->stop();
  // Whoever lived has ended: a handler that still runs was given up long ago, and so is its thread.
  if (const auto stuck = stuck_components(); !stuck.empty()) {
    logger.warn("stopped, but for threads that are stuck in handlers", {{"components", stuck}});
    log.flush(kFlushPatience);
    threads_left = true;
    if (config.on_threads_left) config.on_threads_left();
    return kExitOk;
  }
  parts.reset();
  bridge.reset();
  asker.reset();
  actors->abandon_actors();
  actors.reset();  // joins the threads
  writer.reset();
  storage.reset();
  logger.info("stopped");
  log.flush(kFlushPatience);
  return kExitOk;
}

std::string Node::Impl::stuck_components() const {
  std::string names;
  for (const auto& handler : runtime::busy_handlers(telemetry))
    names += (names.empty() ? "" : ", ") + handler.component;
  return names;
}

void Node::Impl::leave(ExitCode code, const char* why) {
  logger.error("leaving without a clean stop", {{"reason", why}});
  log.flush(kFlushPatience);
  std::fprintf(stderr, "symphony: left without a clean stop: %s\n", why);
  if (ready) ::unlink(paths.socket.c_str());  // before that it may be another node's
  ::_exit(code);
}

}  // namespace symphony::bootstrap
