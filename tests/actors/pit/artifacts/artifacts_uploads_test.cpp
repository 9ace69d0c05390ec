#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "messages/supervisor.protocol.hpp"
#include "runtime/testing/plain_supervisor.hpp"
#include "tests/actors/pit/artifacts/artifacts_bench.hpp"

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;
using runtime::Host;

using Bench = ArtifactsBench;

RC_GTEST_PROP(ArtifactsComponentUploads, GiveBackWhatWasSentWhateverItsPieces, ()) {
  Bench bench;
  const auto size = *rc::gen::inRange<std::size_t>(0, 6 * kPartBytes);
  std::string content(size, '\0');
  std::uint32_t noise = *rc::gen::inRange<std::uint32_t>(1, 1'000'000);
  for (char& byte : content) byte = static_cast<char>((noise = noise * 1'664'525 + 1) >> 28);
  const auto upload = bench.begin("blob").value();
  std::size_t sent = 0;
  std::size_t acknowledged = 0;
  while (sent < size) {
    const auto piece = std::min(*rc::gen::inRange<std::size_t>(1, kPartBytes + 1), size - sent);
    bench.ask_append(upload, sent, content.substr(sent, piece)).then([&, piece](auto answer) {
      RC_ASSERT(answer.ok());
      acknowledged += piece;
    });
    sent += piece;
    if (*rc::gen::arbitrary<bool>()) bench.node->settle();
  }
  const auto finished = bench.finish(upload);
  RC_ASSERT(finished.ok());
  RC_ASSERT(acknowledged == size);
  RC_ASSERT((*finished)->getVersion().getSizeBytes() == size);
  bench.restart();
  RC_ASSERT(bench.read("blob").value() == content);
  const auto offset = *rc::gen::inRange<std::size_t>(0, size + 1);
  const auto length = *rc::gen::inRange<std::uint32_t>(1, 2 * kPartBytes);
  RC_ASSERT(bench.read("blob", offset, length).value() == content.substr(offset, length));
  RC_ASSERT((*bench.verify())->getProblems().size() == 0u);
}

TEST(ArtifactsComponent, AnUploadTakesItsPartsInOrderOnly) {
  Bench bench;
  const auto upload = bench.begin("blob").value();
  EXPECT_TRUE(bench.append(upload, 0, "abc").ok());
  EXPECT_EQ(bench.append(upload, 2, "x").error().field, "offset");
  EXPECT_EQ(bench.append(upload, 4, "x").error().code, Errc::FAILED_PRECONDITION);
  EXPECT_EQ(bench.append(upload, 3, std::string(kPartBytes + 1, 'x')).error().field, "data");
  EXPECT_TRUE(bench.append(upload, 3, "def").ok());
  ASSERT_TRUE(bench.finish(upload).ok());
  EXPECT_EQ(bench.finish(upload).error().code, Errc::NOT_FOUND);
  EXPECT_EQ(bench.read("blob").value(), "abcdef");
}

TEST(ArtifactsComponent, AnUploadThatLostAPartEnds) {
  Bench bench;
  const auto upload = bench.begin("blob").value();
  ASSERT_TRUE(bench.append(upload, 0, std::string(kPartBytes, 'a')).ok());
  bench.writer.fail = Error{Errc::RESOURCE_EXHAUSTED, "the disk is full"};
  EXPECT_EQ(bench.append(upload, kPartBytes, "b").error().code, Errc::RESOURCE_EXHAUSTED);
  bench.writer.fail.reset();
  EXPECT_EQ(bench.finish(upload).error().code, Errc::NOT_FOUND);
  EXPECT_EQ(bench.read("blob").error().code, Errc::NOT_FOUND);
}

TEST(ArtifactsComponent, AnUploadEndsByAbortAndWhenItIsIdle) {
  Bench bench(2);
  const auto aborted = bench.begin("a").value();
  const auto idle = bench.begin("b").value();
  const auto third = bench.begin("c");
  EXPECT_EQ(third.error().code, Errc::OVERLOADED);
  EXPECT_TRUE(third.error().retryable);
  ASSERT_TRUE(bench.artifacts->abort([&](auto request) { request.setUpload(aborted); }).get().ok());
  EXPECT_EQ(bench.append(aborted, 0, "x").error().code, Errc::NOT_FOUND);
  bench.node->advance(Artifacts::kUploadIdle - 1s);
  EXPECT_TRUE(bench.append(idle, 0, "x").ok()) << "a sign of life";
  bench.node->advance(Artifacts::kUploadIdle - 1s);
  EXPECT_TRUE(bench.append(idle, 1, "y").ok());
  bench.node->advance(2 * Artifacts::kUploadIdle);
  EXPECT_EQ(bench.append(idle, 2, "z").error().code, Errc::NOT_FOUND);
}

TEST(ArtifactsComponent, AnUploadThatWaitsForTheDiskIsNotIdle) {
  Bench bench;
  const auto upload = bench.begin("slow").value();
  bench.writer.hold = true;
  bool answered = false;
  bench.ask_append(upload, 0, std::string(kPartBytes, 'x')).within(10min).then([&](auto) {});
  bench.ask_append(upload, kPartBytes, "y").within(10min).then([&](auto answer) {
    answered = answer.ok();
  });
  bench.node->advance(3 * Artifacts::kUploadIdle);
  bench.writer.release();
  bench.node->settle();
  EXPECT_TRUE(answered);
  EXPECT_TRUE(bench.finish(upload).ok());
}

TEST(ArtifactsComponent, UploadsEndWithTheirAsker) {
  Bench bench(2);
  const auto first = bench.begin("a").value();
  const auto second = bench.begin("b").value();
  EXPECT_EQ(bench.begin("c").error().code, Errc::OVERLOADED);
  bench.asker_gone();
  EXPECT_EQ(bench.append(first, 0, "x").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(bench.append(second, 0, "x").error().code, Errc::NOT_FOUND);
  EXPECT_TRUE(bench.begin("c").ok());
}

TEST(ArtifactsComponent, AbortEndsWhatIsOnItsWay) {
  Bench bench;
  const auto upload = bench.begin("a").value();
  bench.writer.hold = true;
  std::vector<Errc> answers;
  for (std::uint64_t i = 0; i < 3; ++i) {
    bench.ask_append(upload, i * kPartBytes, std::string(kPartBytes, 'x')).then([&](auto answer) {
      answers.push_back(answer ? Errc::INTERNAL : answer.error().code);
    });
  }
  bench.node->settle();
  ASSERT_TRUE(bench.artifacts->abort([&](auto request) { request.setUpload(upload); }).get().ok());
  bench.writer.release();
  bench.node->settle();
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0], Errc::INTERNAL) << "the first was taken before";
  EXPECT_EQ(answers[1], Errc::CANCELLED);
  EXPECT_EQ(answers[2], Errc::CANCELLED);
}

TEST(ArtifactsComponent, AnUploadBelongsToWhoeverBeganIt) {
  // Tries to finish upload 1 when asked for its tree, and answers with what it was told.
  class Stranger final : public runtime::PlainSupervisor {
   public:
    using PlainSupervisor::PlainSupervisor;
    void tree(Call<protocol::Supervisor::Tree> call) override {
      Ref<protocol::Artifacts> artifacts{host()};
      artifacts.finish([](auto request) { request.setUpload(1); })
          .then([call = std::move(call)](auto answer) mutable { call.fail(answer.error()); });
    }
  };
  Bench bench;
  ASSERT_EQ(bench.begin("a").value(), 1u);
  bench.node->spawn("/test/stranger", [](Host& host) { return std::make_unique<Stranger>(host); });
  WaitingRef<protocol::Supervisor> stranger{bench.node->asker(), "/test/stranger"};
  EXPECT_EQ(stranger.tree().get().error().code, Errc::PERMISSION_DENIED);
  EXPECT_TRUE(bench.finish(1).ok());
}

}  // namespace
}  // namespace symphony::actors
