// What the tests of the link share: a folder of their own, and a receiver that answers.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "messages/component.protocol.hpp"
#include "runtime/link/client.hpp"
#include "runtime/link/handshake.hpp"
#include "runtime/link/server.hpp"
#include "runtime/link/unix_socket.hpp"

namespace symphony::runtime::testing {

using namespace std::chrono_literals;

// The longest that a test waits for anything before it fails.
inline constexpr auto kPatience = 20s;

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "symphony-link-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string socket() const { return (path_ / "node.sock").string(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Answers describe with the target's name, health with `detail`; "/silent" it keeps waiting.
class Answering : public Receiver {
 public:
  explicit Answering(std::string detail = "well") : detail_(std::move(detail)) {}

  void receive(PeerId peer, std::string_view target, Envelope request,
               std::unique_ptr<Responder> responder) override {
    const std::lock_guard lock{mutex_};
    headers_.push_back(request.header);
    EXPECT_EQ(request.header.sender, peer);
    if (target == "/silent")
      waiting_.push_back(std::move(responder));
    else if (responder != nullptr)
      answer(target, request.header, *responder);
    changed_.notify_all();
  }
  void cancelled(PeerId, std::uint64_t correlation) override {
    const std::lock_guard lock{mutex_};
    cancelled_.push_back(correlation);
    changed_.notify_all();
  }
  void peer_connected(const PeerInfo& peer) override {
    const std::lock_guard lock{mutex_};
    connected_.push_back(peer);
    changed_.notify_all();
  }
  void peer_lost(PeerId peer, const Error& why) override {
    const std::lock_guard lock{mutex_};
    lost_.emplace_back(peer, why);
    changed_.notify_all();
  }

  void not_let_in(const Error& why) override {
    const std::lock_guard lock{mutex_};
    not_let_in_.push_back(why);
    changed_.notify_all();
  }

  // Whether `condition(*this)` came true in time.
  template <class Condition>
  bool eventually(Condition condition) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, kPatience, [&] { return condition(*this); });
  }
  std::vector<std::unique_ptr<Responder>> take_waiting() {
    const std::lock_guard lock{mutex_};
    return std::exchange(waiting_, {});
  }

  // A copy, while others run: seen(&Answering::lost_).
  template <class List>
  List seen(List Answering::*list) {
    const std::lock_guard lock{mutex_};
    return this->*list;
  }

  // Under the lock of eventually(), or when nothing runs.
  std::vector<Header> headers_;
  std::vector<std::uint64_t> cancelled_;
  std::vector<PeerInfo> connected_;
  std::vector<std::pair<PeerId, Error>> lost_;
  std::vector<Error> not_let_in_;
  std::vector<std::unique_ptr<Responder>> waiting_;

 private:
  void answer(std::string_view target, const Header& header, Responder& responder) {
    Envelope out;
    out.header = header;
    out.header.kind = Kind::response;
    if (header.method == protocol::Component::Describe::kOrdinal)
      out.words = Words::build<messages::DescribeResponse>(
          [&](auto response) { response.setName(std::string{target}); });
    else
      out.words = Words::build<messages::HealthResponse>([&](auto response) {
        response.setHealthy(true);
        response.setDetail(detail_);
      });
    responder.respond(std::move(out));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string detail_;
};

// A peer that is no LinkClient.
class RawPeer {
 public:
  RawPeer() : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}

  void connect(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), address.sun_path);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  void write(std::span<const std::byte> bytes) const {
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // Exchanges greetings with a node that is called so.
  void greet(const std::string& node = "alpha") const {
    write(encode_greeting({kLinkVersion, 0, "raw"}));
    std::string welcome(kGreetingHeadBytes + node.size(), '\0');
    EXPECT_EQ(::recv(fd_.get(), welcome.data(), welcome.size(), MSG_WAITALL),
              static_cast<ssize_t>(welcome.size()));
    EXPECT_EQ(welcome.substr(kGreetingHeadBytes), node);
  }
  // Until the end of the stream.
  [[nodiscard]] std::string read_all() const {
    std::string out;
    char buffer[4096];
    for (ssize_t n; (n = ::read(fd_.get(), buffer, sizeof buffer)) > 0;)
      out.append(buffer, static_cast<std::size_t>(n));
    return out;
  }

 private:
  Descriptor fd_;
};

// A request for describe. `size_bytes`: of unknown fields, which a valid message may have.
inline Envelope describe_request(std::size_t size_bytes = 0) {
  Envelope request;
  request.header.protocol = protocol::Component::kId;
  request.header.method = protocol::Component::Describe::kOrdinal;
  request.words = Words::build<messages::HealthResponse>(
      [&](auto fields) { fields.setDetail(std::string(size_bytes, 'x')); });
  return request;
}

}  // namespace symphony::runtime::testing
