// How a node and its fork server meet (launch/main.cpp, fork_server.cpp).
//
// The fork server is started with a sequenced-packet socket as descriptor kForkControlDescriptor
// and the path of a lock as its argument (empty: none). It takes the lock and answers kForkReady,
// or a sentence that says why it cannot. From then on each request is one byte and
// kForkDescriptors descriptors: standard input, output and error of the program, and the stream on
// which node and launcher talk (launch_frames.hpp). End of file: the node is gone.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

namespace symphony::runtime {

inline constexpr int kForkControlDescriptor = 3;
inline constexpr std::size_t kForkDescriptors = 4;
inline constexpr std::string_view kForkReady = "ready";
// For those who still hold the lock: what a node left behind ends within kOrphanGrace.
inline constexpr std::chrono::milliseconds kLockPatience{5'000};
// What programs get to end by themselves when their node is gone.
inline constexpr std::chrono::milliseconds kOrphanGrace{1'000};
// When the node has hung up: after this its launcher is ended, too. More than kOrphanGrace.
inline constexpr std::chrono::milliseconds kForkGrace{1'400};

}  // namespace symphony::runtime
