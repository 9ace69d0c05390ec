// Unix sockets: the control endpoint of a node, and the way to it.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "runtime/link/transport.hpp"
#include "runtime/system/descriptor.hpp"

namespace symphony::runtime {

// Peers that the kernel holds until they are accepted.
inline constexpr int kListenBacklog = 64;
// How long no peer is accepted after the process ran out of descriptors or memory.
inline constexpr std::chrono::milliseconds kExhaustedPause{100};
// How long it is waited for other processes that take their place in the same folder.
inline constexpr std::chrono::milliseconds kFolderPatience{2000};

// Listens on a path. The socket has mode 0600 from its first moment, whatever the umask. One that
// a dead process left behind is replaced; one that somebody listens on is not, nor is anything
// that is no socket. Removed by the destructor, unless somebody else's is there by then.
class UnixListener final : public Listener {
 public:
  // invalidArgument: the path is too long. alreadyExists: somebody listens there, or it is no
  // socket. notFound: the folder does not exist. permissionDenied. overloaded: others have kept
  // the folder locked for `patience`; until then it blocks: not for handlers. The clocks must
  // outlive the listener and its streams.
  static Result<std::unique_ptr<UnixListener>> listen(
      const std::string& path, const Clocks& clocks,
      std::chrono::milliseconds patience = kFolderPatience);
  ~UnixListener() override;

  Result<std::unique_ptr<ByteStream>> accept() override;
  void interrupt() noexcept override;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  UnixListener(std::string path, const Clocks& clocks, Descriptor socket, Descriptor event);

  std::string path_;
  const Clocks& clocks_;
  Descriptor socket_;
  Descriptor event_;
  Descriptor spare_;        // what the next stream needs: who is accepted can be served
  bool exhausted_ = false;  // the last accept() failed for want of something
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// notFound: nothing is at `path`. unavailable: nobody listens there. permissionDenied. overloaded:
// too many wait to be accepted.
Result<std::unique_ptr<ByteStream>> connect_unix(const std::string& path, const Clocks& clocks);

}  // namespace symphony::runtime
