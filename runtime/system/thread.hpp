// Starting threads where there may be none: a user has a limit of tasks (RLIMIT_NPROC), a container
// one of its own (pids.max), and each thread wants memory.
#pragma once

#include <cstddef>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "messages/result.hpp"

namespace symphony::runtime {

// What is told of a thread that could not be started: resourceExhausted, and what to raise.
Error no_thread(std::string_view purpose, const std::error_code& why);

// A thread that runs `body`. `purpose` completes "cannot start a thread that …".
// resourceExhausted (retryable): the system gives no more.
template <class Body>
Result<std::thread> start_thread(std::string_view purpose, Body&& body) {
  try {
    return std::thread{std::forward<Body>(body)};
  } catch (const std::system_error& refused) {
    return no_thread(purpose, refused.code());
  }
}

// Whether `count` more threads can be had now: starts them, and ends them again. For the start of
// a program whose libraries end it when they are refused one.
Status check_threads(std::size_t count);

}  // namespace symphony::runtime
