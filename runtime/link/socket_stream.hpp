// A connected stream socket as a ByteStream, read by a thread of its own.
//
// The thread polls the socket and an eventfd. While threads ask and wait one after another, they
// do the reading themselves (help()), which spares two wake-ups an answer: the thread stands back
// as long as helpers come at least every kStandBack, and returns when somebody expects an answer
// without helping. A helper that finds somebody reading waits for the end of that turn and then
// takes over; any further ones are sent away, to be woken by their answers.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "runtime/link/descriptor.hpp"
#include "runtime/link/transport.hpp"

namespace symphony::runtime {

class SocketStream final : public ByteStream {
 public:
  static constexpr std::chrono::milliseconds kStandBack{5};

  // `socket` is connected. The clocks must outlive the stream and its thread.
  static Result<std::unique_ptr<SocketStream>> make(Descriptor socket, const Clocks& clocks);
  // REQUIRES: halt() was called, if drive() was.
  ~SocketStream() override;

  Io read(std::span<std::byte> into) noexcept override;
  Io write(std::span<const iovec> pieces) noexcept override;
  void shutdown() noexcept override;
  Result<Credentials> credentials() const override;
  void drive(std::shared_ptr<Driven> driven) override;
  void wake() noexcept override;
  std::uint64_t turns() const noexcept override;
  bool help(std::uint64_t seen) override;
  void attend() noexcept override;
  bool halt(Nanos patience) override;

 private:
  struct Shared;  // what the thread owns together with the stream
  explicit SocketStream(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace symphony::runtime
