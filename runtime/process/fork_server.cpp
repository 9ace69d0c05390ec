#include "runtime/process/fork_server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "runtime/process/fork_protocol.hpp"

namespace symphony::runtime {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kProgram = "symphony-launch";
// It answers when it has the lock; more time than that means that it does not work.
constexpr std::chrono::milliseconds kReadyPatience = kLockPatience + std::chrono::seconds(5);
// How often those who wait for it are asked whether they still do.
constexpr std::chrono::milliseconds kGoingOnInterval{20};
// A fork server whose node is gone ends what still runs, and then itself.
constexpr std::chrono::milliseconds kStopPatience = kForkGrace + std::chrono::seconds(1);

Error failed(const char* what, int error_number, Errc code = Errc::RESOURCE_EXHAUSTED) {
  return Error{code,
               std::string("cannot ") + what + ": " + std::system_category().message(error_number),
               "", code == Errc::RESOURCE_EXHAUSTED};
}

// Whether the process ended within the time; it is reaped then.
bool reaped(pid_t pid, std::chrono::milliseconds patience) {
  const Descriptor end{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  if (end.valid()) {
    pollfd watched{end.get(), POLLIN, 0};
    ::poll(&watched, 1, static_cast<int>(patience.count()));
  }
  return ::waitpid(pid, nullptr, WNOHANG) != 0;
}

}  // namespace

std::string find_launch_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const auto here = self.parent_path();
  for (const auto& path : {here / kProgram, here.parent_path() / "libexec/symphony" / kProgram})
    if (::access(path.c_str(), X_OK) == 0) return path.string();
  return {};
}

ForkServer::ForkServer(ForkServerOptions options) : options_(std::move(options)) {}

ForkServer::~ForkServer() { stop(); }

void ForkServer::stop() {
  ready_ = false;
  control_ = {};  // which it takes for our end
  if (pid_ == 0) return;
  if (!reaped(pid_, kStopPatience)) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_ = 0;
}

pid_t ForkServer::pid() const {
  const std::lock_guard lock(mutex_);
  return pid_;
}

Status ForkServer::start() {
  const std::string program = options_.program.empty() ? find_launch_program() : options_.program;
  if (program.empty())
    return Error{Errc::FAILED_PRECONDITION,
                 "symphony-launch, which starts programs, is not beside this one: install it there "
                 "again"};
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return failed("make a socket", errno);
  Descriptor ours{ends[0]};
  const Descriptor theirs{ends[1]};
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  // Nobody's output may stay open because the fork server has it.
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
  ::posix_spawn_file_actions_adddup2(&files, theirs.get(), kForkControlDescriptor);
  ::posix_spawn_file_actions_adddup2(&files, 0, 1);
  ::posix_spawn_file_actions_adddup2(&files, 0, 2);
  std::string name = kProgram;
  std::string lock = options_.lock_path;
  std::array<char*, 3> arguments{name.data(), lock.data(), nullptr};
  std::array<char*, 1> environment{nullptr};
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, program.c_str(), &files, nullptr, arguments.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) return failed(("start " + program).c_str(), error);
  pid_ = pid;
  control_ = std::move(ours);
  started_at_ = Clock::now();
  return {};
}

Status ForkServer::await_ready(const std::function<Status()>& going_on) {
  pollfd watched{control_.get(), POLLIN, 0};
  while (::poll(&watched, 1, static_cast<int>(kGoingOnInterval.count())) <= 0 &&
         Clock::now() < started_at_ + kReadyPatience) {
    if (Status going = going_on(); !going) return going;
  }
  std::array<char, 1024> text;
  const ssize_t size = ::recv(control_.get(), text.data(), text.size(), MSG_DONTWAIT);
  if (size == static_cast<ssize_t>(kForkReady.size()) &&
      std::string_view(text.data(), kForkReady.size()) == kForkReady) {
    ready_ = true;
    return {};
  }
  std::string why = "it does not answer";
  if (size > 0) why.assign(text.data(), static_cast<std::size_t>(size));
  if (size == 0) why = "it ended";
  stop();
  return Error{Errc::FAILED_PRECONDITION, "cannot start programs: " + why, "", true};
}

Result<Descriptor> ForkServer::launch(const Pipes& pipes, const std::function<Status()>& going_on) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return failed("make a socket", errno);
  Descriptor ours{ends[0]};
  const Descriptor theirs{ends[1]};
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kForkDescriptors * sizeof(int))> space{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(kForkDescriptors * sizeof(int));
  const std::array<int, kForkDescriptors> fds{pipes.in.get(), pipes.out.get(), pipes.err.get(),
                                              theirs.get()};
  std::memcpy(CMSG_DATA(header), fds.data(), sizeof fds);
  std::unique_lock lock(mutex_, std::defer_lock);
  while (!lock.try_lock_for(kGoingOnInterval))
    if (Status going = going_on(); !going) return going.error();
  for (int attempt = 0;; ++attempt) {
    if (!control_.valid())
      if (auto started = start(); !started) return started.error();
    if (!ready_)
      if (auto ready = await_ready(going_on); !ready) return ready.error();
    if (::sendmsg(control_.get(), &message, MSG_NOSIGNAL) == 1) return ours;
    const int error = errno;
    const bool died = error == EPIPE || error == ECONNRESET;
    if (!died || attempt > 0) return failed("ask for a process", error);
    stop();
  }
}

Result<ForkServer::Claim> ForkServer::claim(std::string name, std::chrono::milliseconds patience) {
  std::unique_lock lock(claims_mutex_);
  if (!released_.wait_for(lock, patience, [&] { return !claims_.contains(name); }))
    return Error{Errc::DEADLINE_EXCEEDED, "an earlier attempt of " + name + " still runs", "",
                 true};
  claims_.insert(name);
  return Claim(*this, std::move(name));
}

ForkServer::Claim::~Claim() {
  if (server_ == nullptr) return;
  {
    const std::lock_guard lock(server_->claims_mutex_);
    server_->claims_.erase(name_);
  }
  server_->released_.notify_all();
}

}  // namespace symphony::runtime
