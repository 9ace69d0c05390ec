#include "runtime/link/client.hpp"

#include <utility>

#include "runtime/link/unix_socket.hpp"

namespace symphony::runtime {
namespace {

constexpr Nanos kClosePatience = std::chrono::seconds{10};

class LinkTarget final : public Target {
 public:
  explicit LinkTarget(std::string_view name) : name_(name) {}
  const std::string& name() const noexcept override { return name_; }

 private:
  std::string name_;
};

// One thread that waits for one answer.
class Waiter {
 public:
  void set(Result<Words> answer) {
    // Notified under the lock: the waiter is gone as soon as it sees the answer.
    const std::lock_guard lock{mutex_};
    answer_.emplace(std::move(answer));
    answered_.notify_one();
  }
  void wait() {
    std::unique_lock lock{mutex_};
    answered_.wait(lock, [this] { return answer_.has_value(); });
  }
  bool answered() {
    const std::lock_guard lock{mutex_};
    return answer_.has_value();
  }
  Result<Words> take() { return std::move(*answer_); }

 private:
  std::mutex mutex_;
  std::condition_variable answered_;
  std::optional<Result<Words>> answer_;
};

Error no_node(const LinkClientOptions& options, const std::string& path, const Error& why) {
  const auto start = "; start one with: " + options.start_command;
  const auto none = "no node named " + options.node + " is running ";
  if (why.code == Errc::NOT_FOUND)
    return Error{Errc::UNAVAILABLE, none + "(no socket at " + path + ")" + start, {}, true};
  if (why.code == Errc::UNAVAILABLE)
    return Error{Errc::UNAVAILABLE, none + "(nobody listens on " + path + ")" + start, {}, true};
  return why;
}

}  // namespace

void LinkClient::Events::opened(Connection&) {
  const std::lock_guard lock{mutex_};
  opened_ = true;
  changed_.notify_all();
}

void LinkClient::Events::requested(Connection&, std::string_view, Envelope request,
                                   std::unique_ptr<Responder> responder) {
  if (responder == nullptr) return;
  responder->respond(
      make_failure(request.header, Error{Errc::UNIMPLEMENTED, "a client serves no requests"}));
}

void LinkClient::Events::lost(Connection&, const Error& why) {
  const std::lock_guard lock{mutex_};
  loss_ = why;
  changed_.notify_all();
}

bool LinkClient::Events::settled() const {
  const std::lock_guard lock{mutex_};
  return opened_ || loss_.has_value();
}

void LinkClient::Events::wait_until_settled() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return opened_ || loss_.has_value(); });
}

std::optional<Error> LinkClient::Events::loss() const {
  const std::lock_guard lock{mutex_};
  return loss_;
}

LinkClient::LinkClient(const LinkClientOptions& options)
    : clocks_(options.clocks != nullptr ? *options.clocks : system_clocks_),
      options_(options.link) {}

LinkClient::~LinkClient() {
  if (connection_ != nullptr) SYMPHONY_ASSERT(connection_->retire(kClosePatience));
}

Result<std::unique_ptr<LinkClient>> LinkClient::connect(const std::string& path,
                                                        const LinkClientOptions& options) {
  std::unique_ptr<LinkClient> client{new LinkClient{options}};
  auto stream = connect_unix(path, client->clocks_);
  if (!stream) return no_node(options, path, stream.error());
  if (auto opened = client->open(std::move(*stream)); !opened) return opened.error();
  return client;
}

Result<std::unique_ptr<LinkClient>> LinkClient::over(std::unique_ptr<ByteStream> stream,
                                                     const LinkClientOptions& options) {
  std::unique_ptr<LinkClient> client{new LinkClient{options}};
  if (auto opened = client->open(std::move(stream)); !opened) return opened.error();
  return client;
}

Status LinkClient::open(std::unique_ptr<ByteStream> stream) {
  connection_ = std::make_shared<Connection>(Connection::Role::connecting_client, std::move(stream),
                                             options_, gate_, clocks_, events_);
  if (auto begun = connection_->start(); !begun) return begun;
  // A turn brings the end of the greetings, at their deadline at the latest.
  for (;;) {
    const auto seen = connection_->turns();
    if (events_.settled()) break;
    if (!connection_->help(seen)) events_.wait_until_settled();
  }
  if (auto loss = events_.loss()) return *loss;
  return {};
}

std::unique_ptr<Target> LinkClient::resolve(std::string_view name) {
  return std::make_unique<LinkTarget>(name);
}

std::uint64_t LinkClient::ask(Target& target, Envelope request, Deadline deadline, AskDone done) {
  const auto correlation =
      connection_->ask(target.name(), std::move(request), deadline, std::move(done));
  connection_->attend();
  return correlation;
}

Result<Words> LinkClient::ask_and_wait(Target& target, Envelope request, Deadline deadline) {
  SYMPHONY_ASSERT(!connection_->in_own_turn());
  Waiter waiter;
  connection_->ask(target.name(), std::move(request), deadline,
                   [&waiter](Result<Words> answer) { waiter.set(std::move(answer)); });
  // A turn brings the answer, or the failure at the deadline.
  for (;;) {
    const auto seen = connection_->turns();
    if (waiter.answered()) break;
    if (!connection_->help(seen)) waiter.wait();
  }
  return waiter.take();
}

Status LinkClient::tell(Target& target, Envelope notice) {
  return connection_->tell(target.name(), notice);
}

void LinkClient::cancel(Target&, std::uint64_t correlation) { connection_->cancel(correlation); }

}  // namespace symphony::runtime
