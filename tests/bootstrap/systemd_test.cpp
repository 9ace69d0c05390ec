#include "actors/bootstrap/systemd.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/scarcity.hpp"

namespace symphony::bootstrap {
namespace {

// A service manager that hears nothing ends the node after a while: somebody should know why.
TEST(Systemd, WhatItCannotBeToldIsSaid) {
  ::setenv("NOTIFY_SOCKET", "/nobody/listens/here", 1);
  ::testing::internal::CaptureStderr();
  notify_systemd("READY=1");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "symphony: cannot tell the service manager READY=1 at /nobody/listens/here: No such "
            "file or directory\n");
  ::testing::internal::CaptureStderr();
  {
    const test::FewDescriptors few{0};
    notify_systemd("READY=1");
  }
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("Too many open files"),
            std::string::npos);
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace symphony::bootstrap
