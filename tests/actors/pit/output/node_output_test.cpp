#include "actors/pit/output/node_output.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/testing/test_node.hpp"
#include "tests/support/temp_dir.hpp"

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;
using messages::PrintedOn;

// One storage; the component on it can be made anew, as after a crash of its node.
class NodeOutputTest : public testing::Test {
 protected:
  NodeOutputTest()
      : storage_(std::move(runtime::Storage::open(dir_.path())).value()), writer_(*storage_) {
    restart();
  }
  void restart() {
    output_.reset();
    node_ = std::make_unique<runtime::TestNode>();
    node_->spawn("/pit/output", [this](runtime::Host& host) {
      return std::make_unique<NodeOutput>(host, *storage_, writer_);
    });
    output_.emplace(node_->asker());
  }
  Status print(const std::string& run, const std::string& node, const std::string& data,
               bool last = false, std::uint64_t offset = 0) {
    auto answer = output_
                      ->append([&](messages::AppendOutputRequest::Builder request) {
                        request.setRun(run);
                        request.setNode(node);
                        request.setStartedNs(1);
                        request.setOffset(offset);
                        request.setData(kj::StringPtr(data.c_str(), data.size()).asBytes());
                        request.setLast(last);
                      })
                      .get();
    return answer ? Status{} : Status{answer.error()};
  }
  Result<Msg<messages::ReadOutputResponse>> read(const std::string& run, std::uint64_t cursor = 0,
                                                 const std::string& node = {}, bool wait = false) {
    return output_
        ->read([&](messages::ReadOutputRequest::Builder request) {
          request.setRun(run);
          request.setCursor(cursor);
          request.setNode(node);
          request.setWait(wait);
        })
        .within(5s)
        .get();
  }
  // "node:text" of each piece.
  static std::vector<std::string> texts(const Result<Msg<messages::ReadOutputResponse>>& page) {
    std::vector<std::string> all;
    if (!page) return {to_string(page.error())};
    for (const auto piece : (*page)->getPieces())
      all.push_back(std::string(piece.getNode().cStr()) + ":" +
                    std::string(piece.getData().asChars().begin(), piece.getData().size()));
    return all;
  }

  symphony::test::TempDir dir_;
  std::unique_ptr<runtime::Storage> storage_;
  runtime::InlineStorageWriter writer_;
  std::unique_ptr<runtime::TestNode> node_;
  std::optional<WaitingRef<protocol::NodeOutput>> output_;
};

using Texts = std::vector<std::string>;

TEST_F(NodeOutputTest, IsOnDiskOnceTheLastOfAnAttemptIsAnswered) {
  ASSERT_TRUE(print("r1", "a", "hello\n").ok());
  ASSERT_TRUE(print("r1", "a", "bye\n", true, 6).ok());
  restart();  // nothing that was only in memory survives
  EXPECT_EQ(texts(read("r1")), (Texts{"a:hello\nbye\n"}));
  ASSERT_TRUE(print("r1", "b", "more\n", true).ok());
  EXPECT_EQ(texts(read("r1")), (Texts{"a:hello\nbye\n", "b:more\n"}));
}

TEST_F(NodeOutputTest, ReachesTheDiskByItselfSoonAfterItCame) {
  ASSERT_TRUE(print("r1", "a", "hello\n").ok());
  EXPECT_EQ(texts(read("r1")), Texts{});
  node_->advance(NodeOutput::kFlushDelay);
  restart();
  EXPECT_EQ(texts(read("r1")), (Texts{"a:hello\n"}));
}

TEST_F(NodeOutputTest, GivesAReaderWhatFollowsItsCursorAndOnlyOfItsNode) {
  ASSERT_TRUE(print("r1", "a", "1", true).ok());
  ASSERT_TRUE(print("r1", "map[0]", "2", true).ok());
  ASSERT_TRUE(print("r1", "mapper", "3", true).ok());
  ASSERT_TRUE(print("r2", "a", "4", true).ok());
  const auto first = read("r1", 1);
  EXPECT_EQ(texts(first), (Texts{"map[0]:2", "mapper:3"}));
  EXPECT_EQ((*first)->getNext(), 3u);
  EXPECT_EQ(texts(read("r1", 0, "map")), (Texts{"map[0]:2"}));
  EXPECT_EQ(texts(read("r1", 0, "map[0]")), (Texts{"map[0]:2"}));
  EXPECT_EQ(texts(read("r1", 3)), Texts{});
}

TEST_F(NodeOutputTest, AnswersAReaderThatWaitsWhenSomethingIsThere) {
  std::optional<Texts> got;
  output_
      ->read([&](messages::ReadOutputRequest::Builder request) {
        request.setRun("r1");
        request.setWait(true);
      })
      .within(60s)
      .then([&](auto page) { got = texts(page); });
  node_->settle();
  node_->advance(1s);
  EXPECT_FALSE(got);
  ASSERT_TRUE(print("r2", "a", "not mine", true).ok());
  node_->settle();
  EXPECT_FALSE(got);
  ASSERT_TRUE(print("r1", "a", "mine", true).ok());
  node_->settle();
  EXPECT_EQ(got, (Texts{"a:mine"}));
}

TEST_F(NodeOutputTest, AnswersAReaderThatWaitedInVainBeforeItsDeadline) {
  const auto page = read("r1", 0, {}, true);
  ASSERT_TRUE(page.ok()) << to_string(page.error());
  EXPECT_EQ((*page)->getPieces().size(), 0u);
}

TEST_F(NodeOutputTest, ForgetsARunThatIsErased) {
  ASSERT_TRUE(print("r1", "a", "1", true).ok());
  ASSERT_TRUE(print("r1", "b", "2", true).ok());
  ASSERT_TRUE(print("r11", "a", "3", true).ok());
  const auto erased = output_->erase([](auto request) { request.setRun("r1"); }).get();
  ASSERT_TRUE(erased.ok());
  EXPECT_EQ((*erased)->getPieces(), 2u);
  EXPECT_EQ(texts(read("r1")), Texts{});
  EXPECT_EQ(texts(read("r11")), (Texts{"a:3"}));
}

TEST_F(NodeOutputTest, ErasesNothingOfARunThatStillPrints) {
  ASSERT_TRUE(print("r1", "a", "1").ok());
  const auto refused = output_->erase([](auto request) { request.setRun("r1"); }).get();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::FAILED_PRECONDITION);
}

TEST_F(NodeOutputTest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(print("", "a", "x").error().field, "run");
  EXPECT_EQ(print(std::string(65, 'r'), "a", "x").error().field, "run");
  EXPECT_EQ(print("r1", "", "x").error().field, "node");
  EXPECT_EQ(print("r1", "a", std::string(NodeOutput::kAppendBytesMax + 1, 'x')).error().field,
            "data");
}

}  // namespace
}  // namespace symphony::actors
