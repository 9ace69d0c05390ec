#include "runtime/process/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "runtime/process/fork_protocol.hpp"
#include "runtime/system/no_broken_pipe.hpp"
#include "runtime/system/system_error.hpp"

namespace symphony::runtime {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How much longer than the grace a launcher may take to say that all is gone; then the fork server
// is left to end it.
constexpr milliseconds kAnswerMargin{500};
// And how long that may take.
constexpr milliseconds kForkServerMargin = kForkGrace + milliseconds(1'000);

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("make a", "pipe", errno);
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

void set_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

// One output of the program, being read.
struct Source {
  Descriptor fd;
  OutputStream stream = OutputStream::out;
  std::string* text = nullptr;
  bool* truncated = nullptr;
  std::string* tail = nullptr;
  std::uint64_t* total_bytes = nullptr;
};

class Run {
 public:
  Run(ForkServer& server, const ProcessCommand& command, const std::function<bool()>& cancelled)
      : server_(server), command_(command), cancelled_(cancelled) {}

  Status start() {
    if (!command_.alone_as.empty()) {
      auto claim =
          server_.claim(command_.alone_as, command_.grace + kAnswerMargin + kForkServerMargin);
      if (!claim) return claim.error();
      claim_.emplace(std::move(*claim));
    }
    auto input = make_pipe();
    if (!input) return input.error();
    auto output = make_pipe();
    if (!output) return output.error();
    auto error = make_pipe();
    if (!error) return error.error();
    started_ = Clock::now();
    auto launcher =
        server_.launch({std::move(input->read), std::move(output->write), std::move(error->write)},
                       [this] { return going_on(); });
    if (!launcher) return launcher.error();
    launcher_ = std::move(*launcher);
    input_ = std::move(input->write);
    sources_[0] = {std::move(output->read), OutputStream::out,  &outcome_.out,
                   &outcome_.out_truncated, &outcome_.out_tail, &outcome_.out_bytes};
    sources_[1] = {std::move(error->read),  OutputStream::err,  &outcome_.err,
                   &outcome_.err_truncated, &outcome_.err_tail, &outcome_.err_bytes};
    set_nonblocking(input_.get());
    for (const Source& source : sources_) set_nonblocking(source.fd.get());
    StartFrame frame;
    frame.candidates = program_candidates(command_.arguments.front(), command_.environment);
    frame.arguments = command_.arguments;
    frame.environment = command_.environment;
    frame.directory = command_.directory;
    frame.limits = command_.limits;
    frame.grace_ms =
        static_cast<std::uint32_t>(std::min<milliseconds>(command_.grace, kOrphanGrace).count());
    say(frame);
    return {};
  }

  Result<ProcessOutcome> finish() {
    const NoBrokenPipeSignal guard;
    feed();
    while (!done()) {
      wait_for_events();
      feed();
      for (Source& source : sources_) drain(source);
      listen();
      press();
    }
    outcome_.duration = std::chrono::duration_cast<milliseconds>(Clock::now() - started_);
    if (failure_) return start_error();
    const bool asked = outcome_.timed_out || outcome_.cancelled;
    if (!asked && !exit_ && reading())
      return Error{Errc::UNAVAILABLE,
                   "what watched over the program was killed, and something of it still runs"};
    if (!asked && (!exit_ || exit_->orphaned))
      return Error{Errc::UNAVAILABLE,
                   "what watched over the program was killed, and so it was ended", "", true};
    if (exit_) keep(*exit_);
    return std::move(outcome_);
  }

 private:
  Status going_on() const {
    const std::string& program = command_.arguments.front();
    if (Clock::now() >= command_.deadline)
      return Error{Errc::DEADLINE_EXCEEDED, "there was no time left to start " + program};
    if (cancelled_())
      return Error{Errc::CANCELLED, "it was cancelled before " + program + " started"};
    return {};
  }

  // ---- the launcher -------------------------------------------------------------------------

  void say(const LaunchFrame& frame) {
    to_say_ += encode(frame);
    flush();
  }

  void flush() {
    while (!to_say_.empty()) {
      const ssize_t sent =
          ::send(launcher_.get(), to_say_.data(), to_say_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno != EAGAIN) to_say_.clear();  // it is gone: reading tells
      if (sent < 0) return;
      to_say_.erase(0, static_cast<std::size_t>(sent));
    }
  }

  void listen() {
    if (over_) return;
    std::array<char, 4096> buffer;
    const ssize_t size = ::recv(launcher_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size > 0) reader_.feed({buffer.data(), static_cast<std::size_t>(size)});
    LaunchFrame frame;
    while (!over_ && reader_.next(frame) == LaunchFrameReader::State::frame) hear(frame);
    if (size > 0 || over_) return;
    over_ = true;  // the fork server hangs up last: nothing is left
    exited_at_ = Clock::now();
  }

  void hear(const LaunchFrame& frame) {
    if (const auto* failed = std::get_if<FailedFrame>(&frame)) {
      failure_ = *failed;
      over_ = true;
    } else if (const auto* exited = std::get_if<ExitedFrame>(&frame)) {
      exit_ = *exited;
      exited_at_ = Clock::now();
      over_ = exited->alone;
    } else if (std::holds_alternative<GoneFrame>(frame)) {
      over_ = true;
      exited_at_ = Clock::now();
    }
  }

  // Ends the program once it is time to, and those it leaves behind once nobody has to hear them.
  void press() {
    if (over_) return;
    const auto now = Clock::now();
    if (ended_at_) return press_harder(now);
    if (exit_) {
      if (reading() && now < exited_at_ + command_.grace) return;
    } else if (now >= command_.deadline) {
      // The deadline first: a context whose time is up counts as cancelled, too.
      outcome_.timed_out = true;
    } else if (cancelled_()) {
      outcome_.cancelled = true;
    } else {
      return;
    }
    ended_at_ = now;
    say(EndFrame{static_cast<std::uint32_t>(command_.grace.count())});
  }

  // A launcher that does not answer is stopped, or stuck: the fork server ends it.
  void press_harder(Clock::time_point now) {
    if (!hurried_ && command_.hurried && command_.hurried()) {
      hurried_ = true;
      say(EndFrame{0});
    }
    const auto late = now - *ended_at_ - command_.grace;
    if (late < kAnswerMargin) return;
    if (!std::exchange(hung_up_, true)) ::shutdown(launcher_.get(), SHUT_WR);
    over_ = late >= kAnswerMargin + kForkServerMargin;
  }

  Error start_error() const {
    switch (failure_->step) {
      case StartStep::directory:
        return system_error("enter", command_.directory, failure_->error_number);
      case StartStep::limit:
        return system_error("set the limits of", command_.arguments.front(),
                            failure_->error_number);
      case StartStep::fork: {
        Error error = system_error("start", command_.arguments.front(), failure_->error_number);
        error.code = Errc::RESOURCE_EXHAUSTED;
        error.retryable = true;
        return error;
      }
      case StartStep::execute:
        break;
    }
    return system_error("run", command_.arguments.front(), failure_->error_number);
  }

  void keep(const ExitedFrame& exited) {
    outcome_.exit_code = exited.exit_code;
    outcome_.signal = exited.signal;
    outcome_.cpu = std::chrono::microseconds(exited.user_us + exited.system_us);
    outcome_.max_resident_bytes = exited.max_resident_bytes;
  }

  // ---- the program --------------------------------------------------------------------------

  bool reading() const {
    return std::ranges::any_of(sources_, [](const auto& source) { return source.fd.valid(); });
  }

  // What is written before the end is read to its end; what is still open then is held by somebody
  // who does not descend from the program, or whom nobody is left to end.
  bool done() const {
    if (!over_) return false;
    const bool hurried = ended_at_ && command_.hurried && command_.hurried();
    return failure_ || !reading() || hurried || Clock::now() >= exited_at_ + command_.grace;
  }

  void feed() {
    while (input_.valid()) {
      const auto rest = std::string_view(command_.input).substr(fed_);
      const ssize_t sent = rest.empty() ? 0 : ::write(input_.get(), rest.data(), rest.size());
      if (sent > 0) {
        fed_ += static_cast<std::size_t>(sent);
      } else if (sent < 0 && errno == EAGAIN) {
        return;
      } else if (sent == 0 || errno != EINTR) {
        input_ = {};  // that was all, or it does not want more
      }
    }
  }

  void drain(Source& source) {
    // One buffer a turn: a stream that never ends must not keep the loop from the deadline.
    if (!source.fd.valid()) return;
    std::array<char, std::size_t{64} << 10> buffer;
    const ssize_t got = ::read(source.fd.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      source.fd = {};
      return;
    }
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    if (command_.on_output) command_.on_output(source.stream, bytes);
    *source.total_bytes += bytes.size();
    const auto room = command_.max_output_bytes - source.text->size();
    source.text->append(bytes.substr(0, room));
    if (bytes.size() <= room) return;
    *source.truncated = true;
    std::string& tail = *source.tail;
    tail.append(bytes.substr(room));
    if (tail.size() > kExcerptBytes) tail.erase(0, tail.size() - kExcerptBytes);
  }

  void wait_for_events() {
    std::array<pollfd, 4> wanted{};
    nfds_t count = 0;
    if (input_.valid()) wanted[count++] = {input_.get(), POLLOUT, 0};
    for (const Source& source : sources_)
      if (source.fd.valid()) wanted[count++] = {source.fd.get(), POLLIN, 0};
    if (!over_) {
      const int events = to_say_.empty() ? POLLIN : POLLIN | POLLOUT;
      wanted[count++] = {launcher_.get(), static_cast<short>(events), 0};
    }
    ::poll(wanted.data(), count, static_cast<int>(kProcessPollInterval.count()));
    flush();
  }

  ForkServer& server_;
  const ProcessCommand& command_;
  const std::function<bool()>& cancelled_;
  std::optional<ForkServer::Claim> claim_;
  ProcessOutcome outcome_;
  Descriptor launcher_;
  std::string to_say_;
  LaunchFrameReader reader_;
  Descriptor input_;
  std::size_t fed_ = 0;
  std::array<Source, 2> sources_{};
  std::optional<FailedFrame> failure_;
  std::optional<ExitedFrame> exit_;
  bool over_ = false;  // nothing of the program is left
  bool hurried_ = false;
  bool hung_up_ = false;
  Clock::time_point started_;
  Clock::time_point exited_at_;                // or when the launcher and the fork server were gone
  std::optional<Clock::time_point> ended_at_;  // when it was told to end
};

}  // namespace

std::vector<std::string> program_candidates(const std::string& program,
                                            const std::vector<std::string>& environment) {
  if (program.find('/') != std::string::npos) return {program};
  std::string_view path = "/usr/local/bin:/usr/bin:/bin";
  for (const auto& variable : environment)
    if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
  std::vector<std::string> candidates;
  while (true) {
    const auto colon = path.find(':');
    const auto directory = path.substr(0, colon);
    candidates.push_back(std::string(directory.empty() ? "." : directory) + "/" + program);
    if (colon == std::string_view::npos) return candidates;
    path.remove_prefix(colon + 1);
  }
}

Result<ProcessOutcome> run_process(ForkServer& server, const ProcessCommand& command,
                                   const std::function<bool()>& cancelled) {
  SYMPHONY_ASSERT(!command.arguments.empty());
  Run run(server, command, cancelled);
  if (auto started = run.start(); !started) return started.error();
  return run.finish();
}

}  // namespace symphony::runtime
