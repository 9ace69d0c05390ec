// The end of the link that connects: for the command line and other threads that are no actors.
//
//     auto client = LinkClient::connect(socket_path, {.node = "default"});
//     if (!client) …                                  // says what to do
//     WaitingRef<protocol::Dag> dag{**client, "/pit/dag"};
//     auto answer = dag.describe().within(2s).get();
//
// There is no reconnecting: when the connection is lost, whatever is pending and every later ask
// fails with `unavailable`, and a new client has to be made.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "messages/ref.hpp"
#include "messages/result.hpp"
#include "runtime/link/connection.hpp"
#include "runtime/link/gate.hpp"
#include "runtime/link/options.hpp"
#include "runtime/link/transport.hpp"

namespace symphony::runtime {

struct LinkClientOptions {
  LinkOptions link = {.name = "client"};
  std::string node = "default";                 // for errors: which node is meant,
  std::string start_command = "symphony node";  // and what starts it
  const Clocks* clocks = nullptr;  // the operating system's when null; must outlive the client
};

// Thread-safe; callbacks run on the thread that reads, one at a time, and must neither block nor
// destroy the client.
class LinkClient final : public WaitingAsker {
 public:
  // Connects to the Unix socket at `path` and exchanges greetings. unavailable: no node is there.
  // failedPrecondition: the node refused, and says why. deadlineExceeded: it said nothing.
  static Result<std::unique_ptr<LinkClient>> connect(const std::string& path,
                                                     const LinkClientOptions& options = {});
  // The same over a stream that is connected; in a simulation this drives the network.
  static Result<std::unique_ptr<LinkClient>> over(std::unique_ptr<ByteStream> stream,
                                                  const LinkClientOptions& options = {});
  // Everything pending fails first. Not from inside a callback.
  ~LinkClient() override;

  std::unique_ptr<Target> resolve(std::string_view name) override;
  std::uint64_t ask(Target& target, Envelope request, Deadline deadline, AskDone done) override;
  // Not from inside a callback: that aborts.
  Result<Words> ask_and_wait(Target& target, Envelope request, Deadline deadline) override;
  // Fails here only when it cannot be sent; what the node makes of it is not told.
  Status tell(Target& target, Envelope notice) override;
  void cancel(Target& target, std::uint64_t correlation) override;
  Deadline now() const override { return clocks_.mono(); }

  // As the node at the other end calls itself.
  [[nodiscard]] const std::string& node() const noexcept { return connection_->peer().name; }
  // Why the connection was lost, if it was.
  [[nodiscard]] std::optional<Error> loss() const { return events_.loss(); }

 private:
  // Waits for the greetings, and refuses what a client does not serve.
  class Events final : public ConnectionEvents {
   public:
    void opened(Connection&) override;
    void requested(Connection&, std::string_view, Envelope, std::unique_ptr<Responder>) override;
    void cancelled(Connection&, std::uint64_t) override {}
    void lost(Connection&, const Error& why) override;

    // The greetings are over, well or not.
    [[nodiscard]] bool settled() const;
    void wait_until_settled();
    [[nodiscard]] std::optional<Error> loss() const;

   private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool opened_ = false;
    std::optional<Error> loss_;
  };

  explicit LinkClient(const LinkClientOptions& options);
  Status open(std::unique_ptr<ByteStream> stream);

  SystemClocks system_clocks_;
  const Clocks& clocks_;
  const LinkOptions options_;
  const Gate gate_;
  Events events_;
  std::shared_ptr<Connection> connection_;
};

}  // namespace symphony::runtime
