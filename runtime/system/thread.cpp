#include "runtime/system/thread.hpp"

#include <future>
#include <string>
#include <vector>

namespace symphony::runtime {

Error no_thread(std::string_view purpose, const std::error_code& why) {
  return Error{Errc::RESOURCE_EXHAUSTED,
               "cannot start a thread that " + std::string{purpose} + ": " + why.message() +
                   "; raise the limit of tasks (ulimit -u, or pids.max of a container) or stop "
                   "other programs",
               {},
               true};
}

Status check_threads(std::size_t count) {
  std::promise<void> all;
  const auto release = all.get_future().share();
  std::vector<std::thread> threads;
  Status status;
  while (status && threads.size() < count) {
    auto thread = start_thread("will be needed", [release] { release.wait(); });
    if (thread)
      threads.push_back(std::move(*thread));
    else
      status = thread.error();
  }
  all.set_value();
  for (auto& thread : threads) thread.join();
  return status;
}

}  // namespace symphony::runtime
