// A connected stream socket as a ByteStream, read by a thread of its own.
//
// The thread polls the socket and an eventfd. While threads ask and wait one after another, they
// do the reading themselves (help()), which spares two wake-ups an answer: who reads when is
// decided by ReadingDuty, and this is the shell around it. The thread stands back as long as
// helpers come at least every kStandBack.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "runtime/link/transport.hpp"
#include "runtime/system/descriptor.hpp"

namespace symphony::runtime {

class SocketStream final : public ByteStream {
 public:
  static constexpr std::chrono::milliseconds kStandBack{5};

  // `socket` is connected. The clocks must outlive the stream and its thread.
  static Result<std::unique_ptr<SocketStream>> make(Descriptor socket, const Clocks& clocks);
  // The same in two steps, of which the second cannot fail. `socket` does not block; `event` is
  // from new_event(), which is not valid (and errno says why) when there is none to be had.
  static Descriptor new_event() noexcept;
  static std::unique_ptr<SocketStream> over(Descriptor socket, Descriptor event,
                                            const Clocks& clocks);
  // REQUIRES: halt() was called, if drive() was.
  ~SocketStream() override;

  Io read(std::span<std::byte> into) noexcept override;
  Io write(std::span<const iovec> pieces) noexcept override;
  bool hung_up() const noexcept override;
  void shutdown() noexcept override;
  Result<Credentials> credentials() const override;
  Status drive(std::shared_ptr<Driven> driven) override;
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
