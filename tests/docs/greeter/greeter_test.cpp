#include "tests/docs/greeter/greeter.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "runtime/testing/test_node.hpp"

namespace symphony::actors {
namespace {

runtime::ComponentFactory greeter(GreeterOptions options) {
  return [options](runtime::Host& host) { return std::make_unique<Greeter>(host, options); };
}

TEST(Greeter, GreetsByName) {
  runtime::TestNode node;
  node.spawn("/example/greeter", greeter({.greeting = "Good morning"}));
  const WaitingRef<protocol::Greeter> ref{node.asker()};
  const auto answer = ref.greet([](auto request) { request.setName("Ada"); }).get();
  ASSERT_TRUE(answer.ok()) << to_string(answer.error());
  EXPECT_STREQ((*answer)->getText().cStr(), "Good morning, Ada!");
}

TEST(Greeter, TellsWhichFieldIsMissing) {
  runtime::TestNode node;
  node.spawn("/example/greeter", greeter({}));
  const auto answer = WaitingRef<protocol::Greeter>{node.asker()}.greet().get();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(answer.error().field, "name");
}

TEST(Greeter, CountsFromTheBeginningWhenItIsMadeAnew) {
  runtime::TestNode node;
  const WaitingRef<protocol::Greeter> ref{node.asker()};
  for (int life = 0; life < 2; ++life) {
    node.spawn("/example/greeter", greeter({}));
    const auto answer = ref.greet([](auto request) { request.setName("Ada"); }).get();
    ASSERT_TRUE(answer.ok()) << to_string(answer.error());
    EXPECT_EQ((*answer)->getGreeted(), 1u);
  }
}

}  // namespace
}  // namespace symphony::actors
