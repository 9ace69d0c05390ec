#include "actors/pit/artifacts/artifacts.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "actors/pit/text_view.hpp"
#include "runtime/system/sha256.hpp"
#include "tests/actors/pit/artifacts/artifacts_bench.hpp"

namespace symphony::actors {
namespace {

using namespace std::chrono_literals;

using Bench = ArtifactsBench;

TEST(ArtifactsComponent, StoresAndReadsByNameVersionAndDigestAlsoAfterARestart) {
  Bench bench;
  const auto stored = bench.put({{"one", "notes"}, {"two", "notes"}, {"three"}});
  ASSERT_TRUE(stored.ok()) << to_string(stored.error());
  const auto versions = (*stored)->getVersions();
  EXPECT_EQ(versions[0].getVersion(), 1u);
  EXPECT_EQ(versions[1].getVersion(), 2u);
  EXPECT_EQ(versions[2].getVersion(), 0u) << "no name, no version";
  EXPECT_STREQ(versions[1].getLineage().getRun().cStr(), "run-1");
  EXPECT_EQ(versions[1].getCreatedNs(), runtime::ManualClocks::kStartWallNs);
  const std::string three = versions[2].getDigest().cStr();
  bench.restart();
  EXPECT_EQ(bench.read("notes").value(), "two");
  EXPECT_EQ(bench.read("notes@1").value(), "one");
  EXPECT_EQ(bench.read(three).value(), "three");
  EXPECT_EQ(bench.read("sha256:" + three.substr(0, 12), 1, 3).value(), "hre");
  EXPECT_EQ(bench.read("notes", 17).value(), "");
  EXPECT_EQ(bench.read("nothing").error().code, Errc::NOT_FOUND);
  EXPECT_EQ((*bench.stat("notes"))->getVersion().getVersion(), 2u);
  EXPECT_EQ((*bench.stat(three))->getVersion().getSizeBytes(), 5u);
}

TEST(ArtifactsComponent, AcknowledgesOnlyWhatIsDurable) {
  Bench bench;
  bench.writer.hold = true;
  bool answered = false;
  bench.ask_put({{"one", "notes"}}).then([&](auto answer) { answered = answer.ok(); });
  bench.node->settle();
  EXPECT_FALSE(answered);
  bench.writer.release();
  bench.node->settle();
  EXPECT_TRUE(answered);

  bench.writer.fail = Error{Errc::RESOURCE_EXHAUSTED, "the disk is full"};
  EXPECT_EQ(bench.put({{"two", "notes"}}).error().code, Errc::RESOURCE_EXHAUSTED);
  bench.writer.fail.reset();
  EXPECT_EQ(bench.read("notes").value(), "one");
  EXPECT_EQ((*bench.put({{"two", "notes"}}))->getVersions()[0].getVersion(), 2u);
}

TEST(ArtifactsComponent, WaitsForAWriterWhoseQueueIsFull) {
  Bench bench;
  bench.writer.refuse = Error{Errc::OVERLOADED, "the queue is full", "", true};
  bool answered = false;
  bench.ask_put({{"one", "notes"}}).then([&](auto answer) { answered = answer.ok(); });
  bench.node->advance(100ms);
  EXPECT_FALSE(answered);
  bench.writer.refuse.reset();
  bench.node->advance(100ms);
  EXPECT_TRUE(answered);
}

TEST(ArtifactsComponent, SaysWhichFieldOfAPutIsWrongAndStoresNothingOfIt) {
  Bench bench;
  const auto large = bench.put({{"fine", "a"}, {std::string(kPartBytes + 1, 'x')}}).error();
  EXPECT_EQ(large.code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(large.field, "drafts[1].content");
  EXPECT_EQ(bench.put({{"fine", "a"}, {"x", "sha256:1"}}).error().field, "drafts[1].name");
  const auto orphan = bench.artifacts
                          ->put([](auto request) {
                            request.initDrafts(1)[0].setName("a");
                            request.initLineage().initParents(1).set(0, "zz");
                          })
                          .get()
                          .error();
  EXPECT_EQ(orphan.field, "lineage.parents[0]");
  EXPECT_EQ(bench.read("a").error().code, Errc::NOT_FOUND);
}

TEST(ArtifactsComponent, TellsHowFarItsVerificationIs) {
  Bench bench;
  const auto progress = [&] { return bench.artifacts->verify_progress().get(); };
  EXPECT_FALSE((*progress())->getRunning());
  EXPECT_EQ((*progress())->getTotal(), 0u);
  ASSERT_TRUE(bench.put({{"one", "notes"}, {"two", "notes"}, {"three"}}).ok());
  ASSERT_TRUE(bench.verify().ok());
  const auto after = progress();
  EXPECT_FALSE((*after)->getRunning());
  EXPECT_EQ((*after)->getTotal(), 3u + 2u) << "contents, which are too small for parts; versions";
  EXPECT_EQ((*after)->getDone(), (*after)->getTotal());
}

TEST(ArtifactsComponent, SaysWhichContentsItHasWhole) {
  Bench bench;
  const auto one = bench.put_digest("one");
  const auto ask = [&](const std::vector<std::string>& digests) {
    return bench.artifacts
        ->have([&](messages::HaveContentsRequest::Builder request) {
          auto list = request.initDigests(static_cast<unsigned>(digests.size()));
          for (unsigned i = 0; i < list.size(); ++i) list.set(i, digests[i]);
        })
        .get();
  };
  auto answer = ask({std::string(64, 'a'), one});
  ASSERT_TRUE(answer.ok()) << to_string(answer.error());
  EXPECT_FALSE((*answer)->getThere()[0]);
  EXPECT_TRUE((*answer)->getThere()[1]);
  EXPECT_EQ(ask({one, "xyz"}).error().field, "digests[1]");

  // What is damaged it has not got, and takes again.
  {
    auto txn = bench.storage->begin_write();
    auto contents = txn->open_database(kContentsDatabase);
    ASSERT_TRUE(txn->put(*contents, runtime::sha256("one").view(), "nonsense").ok());
    ASSERT_TRUE(txn->commit().ok());
  }
  EXPECT_FALSE((*ask({one}))->getThere()[0]);
  EXPECT_EQ(bench.put_digest("one"), one);
  EXPECT_TRUE((*ask({one}))->getThere()[0]);
  EXPECT_EQ(bench.read(one).value(), "one");
}

TEST(ArtifactsComponent, SaysWhereItLiesAndHowMuchItTakes) {
  Bench bench;
  const auto place = bench.artifacts->place().get();
  ASSERT_TRUE(place.ok()) << to_string(place.error());
  EXPECT_EQ((*place)->getPartBytes(), kPartBytes);
  EXPECT_EQ((*place)->getDirectory(), bench.dir.path().c_str());
  struct stat about {};
  ASSERT_EQ(::stat(bench.dir.path().c_str(), &about), 0);
  EXPECT_EQ((*place)->getInode(), about.st_ino);
  EXPECT_EQ((*place)->getDevice(), about.st_dev);
}

TEST(ArtifactsComponent, RemovesWhatIsDamagedAndOfNoUseWhenAsked) {
  Bench bench;
  bench.put_digest("orphan");
  {
    auto txn = bench.storage->begin_write();
    auto contents = txn->open_database(kContentsDatabase);
    ASSERT_TRUE(txn->put(*contents, runtime::sha256("orphan").view(), "nonsense").ok());
    ASSERT_TRUE(txn->commit().ok());
  }
  EXPECT_EQ((*bench.verify())->getProblems().size(), 1u);
  const auto repaired =
      bench.artifacts->verify([](auto request) { request.setRepair(true); }).within(1min).get();
  EXPECT_EQ((*repaired)->getRepaired(), 1u);
  EXPECT_EQ((*bench.verify())->getProblems().size(), 0u);
}

struct Entry {
  std::string path;
  std::string digest = {};  // nothing: a directory
  std::uint64_t size = 0;
  std::string target = {};
};

auto commit(Bench& bench, const std::vector<Entry>& entries, const std::string& name, bool last,
            std::uint64_t upload = 0) {
  return bench.artifacts
      ->commit_tree([&](messages::CommitTreeRequest::Builder request) {
        request.setUpload(upload);
        request.setLast(last);
        request.setName(name);
        auto out = request.initEntries(static_cast<unsigned>(entries.size()));
        for (unsigned i = 0; i < out.size(); ++i) {
          out[i].setPath(as_data(entries[i].path));
          out[i].setMode(0644);
          out[i].setKind(messages::TreeEntryKind::DIRECTORY);
          if (!entries[i].target.empty()) {
            out[i].setKind(messages::TreeEntryKind::SYMLINK);
            out[i].setTarget(as_data(entries[i].target));
          } else if (!entries[i].digest.empty()) {
            out[i].setKind(messages::TreeEntryKind::FILE);
            out[i].setDigest(entries[i].digest);
            out[i].setSizeBytes(entries[i].size);
          }
        }
      })
      .get();
}

TEST(ArtifactsComponent, CommitsATreeInSeveralRequestsAndReadsItPageByPage) {
  Bench bench;
  const auto one = bench.put_digest("one");
  const auto four = bench.put_digest("four");
  const auto begun = commit(bench, {{"src/b", four, 4}, {"link", "", 0, "src/b"}}, "", false);
  ASSERT_TRUE(begun.ok()) << to_string(begun.error());
  const auto tree =
      commit(bench, {{"src"}, {"a\n\xff", one, 3}}, "project", true, (*begun)->getUpload());
  ASSERT_TRUE(tree.ok()) << to_string(tree.error());
  EXPECT_EQ((*tree)->getVersion().getSizeBytes(), 7u);
  bench.restart();
  const auto stat = bench.stat("project");
  EXPECT_TRUE((*stat)->getTree());
  const std::string digest = (*stat)->getVersion().getDigest().cStr();
  EXPECT_TRUE((*bench.stat(digest))->getTree()) << "by its digest too";
  EXPECT_FALSE((*bench.stat(one))->getTree());
  std::vector<std::string> paths;
  for (std::uint64_t offset = 0; offset < 4; offset += 3) {
    const auto page = bench.artifacts
                          ->tree([&](auto request) {
                            request.setRef("project");
                            request.setOffset(offset);
                            request.setMax(3);
                          })
                          .get();
    ASSERT_TRUE(page.ok()) << to_string(page.error());
    EXPECT_EQ((*page)->getTotal(), 4u);
    for (const auto entry : (*page)->getEntries()) paths.emplace_back(view(entry.getPath()));
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"a\n\xff", "link", "src", "src/b"}));
  const auto report = bench.verify();
  EXPECT_EQ((*report)->getTrees(), 1u);
  EXPECT_EQ((*report)->getProblems().size(), 0u);
  EXPECT_EQ((*report)->getUnreferenced(), 0u);
}

TEST(ArtifactsComponent, RefusesATreeThatIsNotWhole) {
  Bench bench;
  const auto one = bench.put_digest("one");
  const std::string missing(64, 'a');
  EXPECT_EQ(commit(bench, {{"a", missing, 3}}, "t", true).error().code, Errc::FAILED_PRECONDITION);
  EXPECT_EQ(commit(bench, {{"a", one, 4}}, "t", true).error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(commit(bench, {{"dir/a", one, 3}}, "t", true).error().field, "entries");
  EXPECT_EQ(commit(bench, {{"../a", one, 3}}, "t", true).error().field, "entries");
  EXPECT_EQ(commit(bench, {{"a", "xyz", 3}}, "t", true).error().field, "entries[0].digest");
  EXPECT_EQ(bench.stat("t").error().code, Errc::NOT_FOUND);
  const auto no_tree =
      bench.artifacts->tree([&](auto request) { request.setRef(one); }).get().error();
  EXPECT_NE(no_tree.code, Errc::INTERNAL);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(commit(bench, {}, "empty", true).ok()) << "no leak";
}

TEST(ArtifactsComponent, ListsVersionsAndNamesInPages) {
  Bench bench;
  for (const auto* content : {"1", "2", "3"}) ASSERT_TRUE(bench.put({{content, "a"}}).ok());
  ASSERT_TRUE(bench.put({{"x", "b"}, {"y", "c"}}).ok());
  const auto log = [&](const std::string& name, std::uint64_t before, const std::string& after,
                       std::uint32_t max) {
    const auto page = bench.artifacts
                          ->log([&](auto request) {
                            request.setName(name);
                            request.setBefore(before);
                            request.setAfter(after);
                            request.setMax(max);
                          })
                          .get();
    std::string text;
    for (const auto version : (*page)->getVersions())
      text += std::string(version.getName().cStr()) + std::to_string(version.getVersion()) + " ";
    return text + ((*page)->getMore() ? "more" : "end");
  };
  EXPECT_EQ(log("a", 0, "", 2), "a3 a2 more");
  EXPECT_EQ(log("a", 2, "", 2), "a1 end");
  EXPECT_EQ(log("", 0, "", 2), "a3 b1 more");
  EXPECT_EQ(log("", 0, "b", 2), "c1 end");
}

TEST(ArtifactsComponent, DrainsWhatItAcceptedAndDropsUploads) {
  Bench bench;
  ASSERT_TRUE(bench.begin("open").ok());
  bench.writer.hold = true;
  bool answered = false;
  bool drained = false;
  bench.ask_put({{"one", "notes"}}).then([&](auto answer) { answered = answer.ok(); });
  WaitingRef<protocol::Component> life{bench.node->asker(), "/pit/artifacts"};
  life.drain().then([&](auto answer) { drained = answer.ok(); });
  bench.node->settle();
  EXPECT_FALSE(drained);
  bench.writer.release();
  bench.node->settle();
  EXPECT_TRUE(answered);
  EXPECT_TRUE(drained);
}

TEST(ArtifactsComponent, SaysInOneLineWhatIsGoingOn) {
  Bench bench;
  ASSERT_TRUE(bench.put({{"one", "notes"}}).ok());
  ASSERT_TRUE(bench.begin("open").ok());
  bench.node->advance(1s);
  EXPECT_EQ(bench.node->telemetry().find("/pit/artifacts")->snapshot().state_line,
            "1 write, 1 upload open");
}

}  // namespace
}  // namespace symphony::actors
