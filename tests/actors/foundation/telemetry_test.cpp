#include "actors/foundation/telemetry.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "runtime/testing/probe.hpp"
#include "runtime/testing/test_node.hpp"

namespace symphony::actors {
namespace {

using namespace runtime;
using TelemetryRef = WaitingRef<protocol::Telemetry>;
using ProbeRef = WaitingRef<protocol::Probe>;
using Names = std::vector<std::string>;

class TelemetryTest : public testing::Test {
 protected:
  TelemetryTest() {
    node_.spawn("/foundation/telemetry", [](Host& host) {
      return std::make_unique<Telemetry>(host, NodeIdentity{"alpha", "1.2.3", 42});
    });
    for (const char* name : {"/a", "/b", "/c"})
      node_.spawn(name, [](Host& host) { return std::make_unique<Probe>(host); });
  }

  Msg<messages::ListComponentsResponse> list(const std::string& after = "", unsigned max = 0) {
    auto answer = TelemetryRef{node_.asker()}
                      .list([&](auto request) {
                        request.setAfter(after);
                        request.setMax(max);
                      })
                      .get();
    EXPECT_TRUE(answer.ok());
    return std::move(answer).value();
  }

  static Names names(const Msg<messages::ListComponentsResponse>& answer) {
    Names names;
    for (const auto row : answer->getComponents()) names.push_back(row.getName().cStr());
    return names;
  }

  TestNode node_;
};

TEST_F(TelemetryTest, ListsAllComponentsByName) {
  const auto answer = list();
  EXPECT_EQ(names(answer), (Names{"/a", "/b", "/c", "/foundation/telemetry"}));
  EXPECT_FALSE(answer->getMore());
}

TEST_F(TelemetryTest, ListsInPartsThatJoinToTheWhole) {
  Names all;
  for (bool more = true; more;) {
    const auto part = list(all.empty() ? "" : all.back(), 3);
    for (auto& name : names(part)) all.push_back(std::move(name));
    more = part->getMore();
    EXPECT_LE(part->getComponents().size(), 3u);
  }
  EXPECT_EQ(all, (Names{"/a", "/b", "/c", "/foundation/telemetry"}));
}

TEST_F(TelemetryTest, ShowsWhatEachCountedAndWhetherItLives) {
  ProbeRef a{node_.asker(), "/a"}, b{node_.asker(), "/b"};
  const auto before = list()->getComponents()[0].getStats().getProcessed();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(a.echo().get().ok());
  (void)b.crash([](auto request) { request.setMessage("boom"); }).get();
  node_.settle();
  const auto answer = list();
  const auto rows = answer->getComponents();
  EXPECT_TRUE(rows[0].getLiving());
  EXPECT_EQ(rows[0].getStats().getProcessed(), before + 3);
  EXPECT_EQ(rows[0].getBusyNs(), 0u);
  EXPECT_FALSE(rows[1].getLiving());
  ASSERT_EQ(rows[1].getStats().getLastErrors().size(), 1u);
  EXPECT_NE(std::string{rows[1].getStats().getLastErrors()[0].cStr()}.find("boom"),
            std::string::npos);
  EXPECT_GT(rows[3].getBusyNs(), 0u);  // it is answering this very request
}

TEST_F(TelemetryTest, KnowsTheProcess) {
  const auto answer = list();
  const auto node = answer->getNode();
  EXPECT_STREQ(node.getName().cStr(), "alpha");
  EXPECT_STREQ(node.getVersion().cStr(), "1.2.3");
  EXPECT_EQ(node.getStartedNs(), 42);
  EXPECT_EQ(node.getPid(), static_cast<std::uint32_t>(::getpid()));
  EXPECT_GT(node.getResidentBytes(), 1u << 20);
  EXPECT_GE(node.getThreads(), 1u);
}

TEST_F(TelemetryTest, ShowsMessagesThatFoundNobodyByTheNameOfTheirMethod) {
  (void)ProbeRef{node_.asker(), "/test/nobody"}.count();
  const auto answer = TelemetryRef{node_.asker()}.dead_letters().get();
  ASSERT_TRUE(answer.ok());
  ASSERT_EQ((*answer)->getCount(), 1u);
  const auto letter = (*answer)->getSamples()[0];
  EXPECT_STREQ(letter.getTarget().cStr(), "/test/nobody");
  EXPECT_STREQ(letter.getMethod().cStr(), "Probe.count");
  EXPECT_NE(std::string{letter.getReason().cStr()}, "");
  EXPECT_EQ(list()->getNode().getDeadLetters(), 1u);
}

}  // namespace
}  // namespace symphony::actors
