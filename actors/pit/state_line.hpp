// Keeps a component's line for `ps` fresh without paying for it at every message.
//
// `touch` says that something changed; the line is made from what is the case kGrain later. An
// idle component has no timer. Belongs to its component's thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "runtime/component/component.hpp"

namespace symphony::actors {

class StateLine {
 public:
  static constexpr std::chrono::milliseconds kGrain{200};

  StateLine(runtime::Host& host, std::function<std::string()> describe)
      : host_(host), describe_(std::move(describe)) {}

  void touch() {
    if (std::exchange(due_, true)) return;
    host_.after(kGrain, [this] { refresh(); });
  }
  void refresh() {
    due_ = false;
    host_.set_state_line(describe_());
  }

 private:
  runtime::Host& host_;
  std::function<std::string()> describe_;
  bool due_ = false;
};

// "1 run", "2 runs".
inline std::string counted(std::uint64_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

}  // namespace symphony::actors
