#include "actors/pit/artifacts/artifact_verify.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "actors/pit/artifacts/content_upload.hpp"
#include "tests/actors/pit/artifacts/artifact_fixture.hpp"

namespace symphony::actors {
namespace {

TEST(ArtifactVerify, CountsWhatIsThereAndWhatNobodyRefersTo) {
  ArtifactFixture f({.part_bytes = 100});
  must(f.commit({.name = "n", .digest = f.put(noise(1000))}));
  must(f.commit({.name = "n", .digest = f.put("small")}));
  f.put("orphan");
  ContentUpload upload(*f.store);
  ArtifactBatch cut_short;
  cut_short.parts = must(upload.append(noise(250, 2)));
  must(f.store->write(*f.writer, std::move(cut_short)));
  std::uint64_t last_done = 0, last_total = 0;
  const auto report =
      must(verify(*f.store, {.on_progress = [&](std::uint64_t done, std::uint64_t total) {
        last_done = done;
        last_total = total;
      }}));
  EXPECT_TRUE(report.clean());
  EXPECT_EQ(report.names, 1u);
  EXPECT_EQ(report.versions, 2u);
  EXPECT_EQ(report.contents, 3u);
  EXPECT_EQ(report.parts, 12u);
  EXPECT_EQ(report.content_bytes, 1000u + 5 + 6);
  EXPECT_EQ(report.unreferenced_contents, 1u);
  EXPECT_EQ(report.unreferenced_parts, 2u);
  EXPECT_EQ(last_done, last_total);
  EXPECT_EQ(verify(*f.store, {.cancelled = [] { return true; }}).error().code, Errc::CANCELLED);
}

TEST(ArtifactVerify, ReadsInSlicesAndFindsTheSame) {
  ArtifactFixture f({.part_bytes = 100});
  for (unsigned i = 0; i < 20; ++i)
    must(f.commit({.name = "n" + std::to_string(i), .digest = f.put(noise(40 * i, i))}));
  const auto whole = must(verify(*f.store));
  const auto sliced = must(verify(*f.store, {.slice_bytes = 1}));
  EXPECT_TRUE(sliced.clean());
  EXPECT_EQ(sliced.contents, whole.contents);
  EXPECT_EQ(sliced.parts, whole.parts);
  EXPECT_EQ(sliced.versions, 20u);
  EXPECT_EQ(sliced.names, 20u);
  EXPECT_EQ(sliced.unreferenced_parts, 0u);
}

TEST(ArtifactVerify, HoldsNoStateOfTheStoreForItsWholeLength) {
  ArtifactFixture f({.part_bytes = 100});
  for (unsigned i = 0; i < 50; ++i) f.put(noise(350, i));
  unsigned written = 0;
  const auto report = must(verify(*f.store, {.slice_bytes = 1000, .on_progress = [&](auto, auto) {
                                               // One reader at most, and of a recent state.
                                               EXPECT_LE(f.storage->stats().readers, 2u);
                                               if (++written % 10 == 0)
                                                 f.put(noise(350, 1000 + written));
                                             }}));
  EXPECT_TRUE(report.clean()) << "what is written meanwhile is no damage";
}

TEST(ArtifactVerify, WhatIsDamagedAndOfNoUseCanBeRemoved) {
  ArtifactFixture f({.part_bytes = 1000});
  const auto orphan = f.put(noise(500, 1));
  const auto named = f.put(noise(500, 2));
  const auto mended = f.put(noise(500, 3));
  must(f.commit({.name = "n", .digest = named}));
  for (const auto& digest : {orphan, named, mended})
    damage(f, f.store->databases().contents, digest);
  const auto report = must(verify(*f.store));
  EXPECT_EQ(report.problem_count, 3u);
  EXPECT_EQ(report.spoilt_contents.size(), 2u);
  f.put(noise(500, 3));  // somebody was faster
  auto removed = std::make_shared<std::uint64_t>(0);
  must(runtime::write_and_wait(
      *f.writer, f.store->remove_damaged_op(report.spoilt_contents, report.spoilt_parts, removed),
      0));
  EXPECT_EQ(*removed, 1u);
  EXPECT_EQ(f.store->get(orphan).error().code, Errc::NOT_FOUND);
  EXPECT_EQ(f.store->get(named).error().code, Errc::DATA_CORRUPT) << "a name leads to it";
  EXPECT_EQ(must(f.store->get(mended)), noise(500, 3));
}

// Every flipped bit and every cut of a record is found, but for bits without a meaning: a frame of
// zstd has some, and content behind them is what it was.
RC_GTEST_PROP(ArtifactVerify, FindsDamageInAnyRecord, ()) {
  ArtifactFixture f({.part_bytes = 100});
  const auto size = *rc::gen::element<std::size_t>(50, 90, 250);
  const bool plain = *rc::gen::arbitrary<bool>();
  const auto content = plain ? std::string(size, 'x') : noise(size);
  const auto digest = f.put(content);
  must(f.commit({.name = "n", .digest = digest, .media_type = "text/plain"}));
  RC_ASSERT(must(verify(*f.store)).clean());

  const auto& databases = f.store->databases();
  const auto database =
      *rc::gen::elementOf(std::vector{databases.contents, databases.parts, databases.versions});
  bool may_be_spare = false;
  {
    auto txn = must(f.storage->begin_write());
    RC_PRE(must(txn.count(database)) > 0);
    std::string key, value;
    {
      auto cursor = must(txn.cursor(database));
      RC_ASSERT(cursor.first());
      key = cursor.key();
      value = cursor.value();
    }
    const auto at = *rc::gen::inRange<std::size_t>(0, value.size());
    const auto how = *rc::gen::inRange(0, 3);
    // The times and sizes of a version are not checked against anything.
    const bool checked = database.handle != databases.versions.handle || at < 34;
    // Nor is the stored size.
    RC_PRE(how == 1 ||
           (checked && !(database.handle == databases.contents.handle && at >= 10 && at < 18)));
    const bool in_frame = (database.handle == databases.parts.handle && at >= kPartHeader.size()) ||
                          (database.handle == databases.contents.handle && size <= 100 &&
                           at >= in_place_header(size).size());
    may_be_spare = how == 0 && in_frame;
    if (how == 0) value[at] = static_cast<char>(value[at] ^ (1 << *rc::gen::inRange(0, 8)));
    if (how == 1) value.resize(at);
    if (how == 2) {
      RC_ASSERT(must(txn.erase(database, key)));
      RC_PRE(database.handle != databases.versions.handle);
    } else {
      must(txn.put(database, key, value));
    }
    must(txn.commit());
  }
  const auto report = must(verify(*f.store));
  if (may_be_spare && report.clean()) {
    RC_ASSERT(must(f.store->read(digest, 0, size)) == content);
    return;
  }
  RC_ASSERT(!report.clean());
  RC_ASSERT(report.problem_count == report.problems.size());
}

}  // namespace
}  // namespace symphony::actors
