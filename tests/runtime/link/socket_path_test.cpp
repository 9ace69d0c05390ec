// Paths that are too long for a socket.
#include "runtime/link/socket_path.hpp"

#include <gtest/gtest.h>

namespace symphony::runtime {
namespace {

TEST(SocketPath, StaysAsItIsWhereItFits) {
  EXPECT_EQ(short_socket_path("/run/user/7/symphony/main.sock", 7),
            "/run/user/7/symphony/main.sock");
  const std::string longest(107, 'x');  // and the zero at its end
  EXPECT_EQ(short_socket_path(longest, 7), longest);
}

TEST(SocketPath, IsReplacedByOneThatFitsAndIsTheSameEachTime) {
  const std::string wanted = "/" + std::string(200, 'x') + "/main.sock";
  const auto path = short_socket_path(wanted, 4294967295U);
  EXPECT_TRUE(path.starts_with("/tmp/symphony-4294967295/")) << path;
  EXPECT_TRUE(path.ends_with(".sock")) << path;
  EXPECT_LE(path.size(), 107U);
  EXPECT_EQ(short_socket_path(wanted, 4294967295U), path);
  EXPECT_EQ(short_socket_path(std::string(108, 'x'), 7).substr(0, 16), "/tmp/symphony-7/");
}

TEST(SocketPath, IsAnotherForAnotherPath) {
  const std::string folder = "/" + std::string(200, 'x') + "/";
  EXPECT_NE(short_socket_path(folder + "a.sock", 7), short_socket_path(folder + "b.sock", 7));
}

}  // namespace
}  // namespace symphony::runtime
