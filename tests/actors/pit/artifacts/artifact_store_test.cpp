#include "actors/pit/artifacts/artifact_store.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <thread>

#include "actors/pit/artifacts/artifact_verify.hpp"
#include "actors/pit/artifacts/content_upload.hpp"
#include "tests/actors/pit/artifacts/artifact_fixture.hpp"

namespace symphony::actors {
namespace {

TEST(Digest, IsSha256) {
  EXPECT_EQ(Sha256().of("abc").hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 sha;
  sha.update("a");
  sha.update("bc");
  EXPECT_EQ(sha.finish(), Sha256().of("abc"));
  EXPECT_EQ(sha.finish(), Sha256().of(""));
}

TEST(Digest, ReadsWhatItWrites) {
  const auto digest = Sha256().of("x");
  EXPECT_EQ(Digest::from_hex(digest.hex()), digest);
  EXPECT_EQ(Digest::from_bytes(digest.view()), digest);
  EXPECT_FALSE(Digest::from_hex(digest.hex().substr(1)));
  EXPECT_FALSE(Digest::from_hex(std::string(64, 'g')));
}

TEST(ArtifactStore, GivesBackWhatWasPut) {
  ArtifactFixture f({.part_bytes = 1000});
  for (const auto size : {0, 1, 63, 64, 999, 1000, 1001, 2000, 12'345}) {
    for (const auto& content : {noise(size), std::string(size, 'x')}) {
      const auto digest = f.put(content);
      EXPECT_EQ(digest, Sha256().of(content));
      EXPECT_EQ(must(f.store->get(digest)), content);
      EXPECT_EQ(must(f.store->stat(digest)).size_bytes, content.size());
    }
  }
  f.reopen();
  EXPECT_EQ(must(f.store->get(Sha256().of(noise(12'345)))), noise(12'345));
}

TEST(ArtifactStore, CompressesWhatShrinksAndKeepsTheRestAsItIs) {
  ArtifactFixture f;
  const auto text = f.put(std::string(100'000, 'x'));
  const auto random = f.put(noise(100'000));
  EXPECT_LT(must(f.store->stat(text)).stored_size_bytes, 100u);
  EXPECT_EQ(must(f.store->stat(random)).stored_size_bytes, 100'000u);
}

TEST(ArtifactStore, KeepsEqualContentOnce) {
  ArtifactFixture f({.part_bytes = 1000});
  for (const auto size : {500, 5000}) {
    f.put(noise(size));
    const auto before = must(f.store->counts());
    EXPECT_TRUE(must(f.store->prepare(noise(size))).already_stored());
    f.put(noise(size));
    const auto after = must(f.store->counts());
    EXPECT_EQ(after.contents, before.contents);
    EXPECT_EQ(after.parts, before.parts);
  }
}

TEST(ArtifactStore, ToleratesThatAnotherPutTheSameContentInBetween) {
  ArtifactFixture f;
  auto mine = must(f.store->prepare("same"));
  f.put("same");
  ArtifactBatch batch;
  batch.contents.push_back(std::move(mine));
  const auto outcome = must(f.store->write(*f.writer, std::move(batch)));
  EXPECT_EQ(outcome.new_contents, 0u);
}

TEST(ArtifactStore, PuttingTheSameBytesAgainRepairsAContentThatWasDamaged) {
  ArtifactFixture f;
  const auto digest = f.put(noise(5000));
  damage(f, f.store->databases().contents, digest);
  EXPECT_EQ(f.store->get(digest).error().code, Errc::DATA_CORRUPT);
  EXPECT_FALSE(must(f.store->intact(digest)).has_value());
  EXPECT_EQ(f.put(noise(5000)), digest);
  EXPECT_EQ(must(f.store->get(digest)), noise(5000));
  EXPECT_EQ(must(f.store->counts()).contents, 1u);
  EXPECT_TRUE(must(verify(*f.store)).clean());
}

TEST(ArtifactStore, PuttingTheSameBytesAgainRepairsEachPartAndTheManifest) {
  ArtifactFixture f({.part_bytes = 1000});
  const auto content = noise(3500);
  const auto digest = f.put(content);
  for (const std::size_t part : {0, 2, 3}) {
    damage(f, f.store->databases().parts, Sha256().of(content.substr(part * 1000, 1000)));
    EXPECT_FALSE(must(f.store->intact(digest)).has_value());
    f.put(content);
    EXPECT_EQ(must(f.store->get(digest)), content) << part;
  }
  damage(f, f.store->databases().contents, digest);  // a part that does not exist
  EXPECT_FALSE(f.store->get(digest).ok());
  f.put(content);
  EXPECT_EQ(must(f.store->get(digest)), content);
  EXPECT_TRUE(must(verify(*f.store)).clean());
}

TEST(ArtifactStore, ADiskThatCannotBeReadIsNoDamageThatMayBeOverwritten) {
  ArtifactFixture f({.part_bytes = 1000});
  const auto digest = f.put("whole");
  EXPECT_TRUE(must(f.store->intact(digest)).has_value());
  EXPECT_FALSE(must(f.store->intact(Sha256().of("not there"))).has_value());
  EXPECT_FALSE(must(f.store->prepare("whole")).repairs);
  EXPECT_FALSE(must(f.store->prepare("new")).repairs);
}

// Each part may be what its digest says and the whole something else.
TEST(ArtifactStore, FindsAManifestThatLeadsToOtherPartsThanItsContentHas) {
  ArtifactFixture f({.part_bytes = 1000});
  const auto digest = f.put(noise(2000));
  const std::vector<Digest> swapped{Sha256().of(noise(2000).substr(1000)),
                                    Sha256().of(noise(2000).substr(0, 1000))};
  auto txn = must(f.storage->begin_write());
  must(txn.put(f.store->databases().contents, digest.view(),
               manifest_value(2000, 2000, 1000, swapped)));
  must(txn.commit());
  EXPECT_EQ(f.store->get(digest).error().code, Errc::DATA_CORRUPT);
  EXPECT_FALSE(must(verify(*f.store)).clean());
  f.put(noise(2000));
  EXPECT_EQ(must(f.store->get(digest)), noise(2000));
}

TEST(ArtifactStore, SaysSoWhenThereIsNoSuchContent) {
  ArtifactFixture f;
  EXPECT_EQ(f.store->get(Sha256().of("x")).error().code, Errc::NOT_FOUND);
  EXPECT_EQ(f.store->stat(Sha256().of("x")).error().code, Errc::NOT_FOUND);
  EXPECT_EQ(f.store->read(Sha256().of("x"), 0, 1).error().code, Errc::NOT_FOUND);
}

TEST(ArtifactStore, RefusesToReadMoreAtOnceThanTheCallerAllows) {
  ArtifactFixture f;
  const auto digest = f.put("four");
  EXPECT_TRUE(f.store->get(digest, 4).ok());
  EXPECT_EQ(f.store->get(digest, 3).error().code, Errc::RESOURCE_EXHAUSTED);
}

RC_GTEST_PROP(ArtifactStore, ReadsAnyRangeOfAnyUploadInAnyPieces, ()) {
  ArtifactFixture f({.part_bytes = 100});
  const auto size = *rc::gen::inRange<std::size_t>(0, 1000);
  const auto content = noise(size, size);
  ContentUpload upload(*f.store);
  std::string_view rest = content;
  while (!rest.empty()) {
    const auto piece = rest.substr(0, *rc::gen::inRange<std::size_t>(1, 350));
    ArtifactBatch batch;
    batch.parts = must(upload.append(piece));
    must(f.store->write(*f.writer, std::move(batch)));
    rest.remove_prefix(piece.size());
  }
  ArtifactBatch last;
  last.contents.push_back(must(upload.finish()));
  must(f.store->write(*f.writer, std::move(last)));
  const auto digest = Sha256().of(content);
  RC_ASSERT(must(f.store->get(digest)) == content);
  RC_ASSERT(must(f.store->prepare(content)).already_stored());
  for (int i = 0; i < 5; ++i) {
    const auto offset = *rc::gen::inRange<std::size_t>(0, 1100);
    const auto length = *rc::gen::inRange<std::size_t>(0, 1100);
    const auto expected = offset < size ? content.substr(offset, length) : "";
    RC_ASSERT(must(f.store->read(digest, offset, length)) == expected);
  }
  RC_ASSERT(must(verify(*f.store)).clean());
}

TEST(ArtifactStore, WritesNoManifestWithoutItsPartsAndNoVersionWithoutItsContent) {
  ArtifactFixture f({.part_bytes = 100});
  auto content = must(f.store->prepare(noise(1000)));
  const auto digest = content.info.digest;
  content.parts.pop_back();
  ArtifactBatch batch;
  batch.contents.push_back(std::move(content));
  batch.versions.push_back({.name = "n", .digest = digest});
  EXPECT_EQ(f.store->write(*f.writer, std::move(batch)).error().code, Errc::FAILED_PRECONDITION);
  EXPECT_EQ(f.commit({.name = "n", .digest = digest}).error().code, Errc::FAILED_PRECONDITION);
  EXPECT_EQ(must(f.store->counts()).contents, 0u);
  EXPECT_EQ(must(f.store->counts()).parts, 0u);
  EXPECT_EQ(f.store->version("n").error().code, Errc::NOT_FOUND);
}

TEST(ArtifactStore, KeepsEverythingAboutAVersion) {
  ArtifactFixture f;
  const auto base = f.put("base");
  const auto digest = f.put("content");
  must(f.commit({.name = "docs/readme",
                 .digest = digest,
                 .created_ms = 1'700'000'000'123,
                 .media_type = "text/markdown",
                 .source_run = "run-1",
                 .source_node = "write",
                 .metadata = {{"quality", "0.9"}, {"empty", ""}},
                 .lineage = {base, digest}}));
  f.reopen();
  const auto record = must(f.store->version("docs/readme"));
  EXPECT_EQ(record.name, "docs/readme");
  EXPECT_EQ(record.version, 1u);
  EXPECT_EQ(record.kind, ArtifactKind::content);
  EXPECT_EQ(record.digest, digest);
  EXPECT_EQ(record.size_bytes, 7u);
  EXPECT_EQ(record.created_ms, 1'700'000'000'123u);
  EXPECT_EQ(record.media_type, "text/markdown");
  EXPECT_EQ(record.source_run, "run-1");
  EXPECT_EQ(record.source_node, "write");
  EXPECT_EQ(record.metadata.at("quality"), "0.9");
  EXPECT_EQ(record.metadata.at("empty"), "");
  EXPECT_EQ(record.lineage, (std::vector<Digest>{base, digest}));
}

TEST(ArtifactStore, MakesNoNewVersionOfEqualContentWhenAskedNotTo) {
  ArtifactFixture f;
  const auto one = f.put("one");
  const auto two = f.put("two");
  const auto commit = [&](const Digest& digest, bool reuse) {
    return must(f.commit({.name = "n", .digest = digest, .reuse_equal = reuse})).version;
  };
  EXPECT_EQ(commit(one, true), 1u);
  EXPECT_EQ(commit(one, true), 1u);
  EXPECT_EQ(commit(one, false), 2u);
  EXPECT_EQ(commit(two, true), 3u);
  EXPECT_EQ(commit(one, true), 4u);
}

TEST(ArtifactStore, RefusesNamesThatMeanSomethingElse) {
  for (const auto* name : {"a", "a@b", "a@", "@3x", "dir/file.c", "größe", "deadbeef", "x y"}) {
    EXPECT_TRUE(check_name(name).ok()) << name;
  }
  const std::string hex(64, 'a');
  const std::string longest(kMaxArtifactNameBytes, 'n');
  EXPECT_TRUE(check_name(longest).ok());
  for (const auto& name :
       {std::string(), longest + "n", std::string("a@3"), std::string("sha256:x"), hex,
        std::string("a\nb"), std::string("a\0b", 3), std::string("\xff"), std::string("\xc3")}) {
    EXPECT_EQ(check_name(name).error().code, Errc::INVALID_ARGUMENT) << name;
  }
}

TEST(ArtifactStore, RefusesMoreMetadataThanItsLimit) {
  ArtifactFixture f;
  const auto digest = f.put("x");
  const std::map<std::string, std::string> much{{"k", std::string(kMaxMetadataBytes, 'v')}};
  EXPECT_EQ(f.commit({.name = "n", .digest = digest, .metadata = much}).error().field, "metadata");
  const std::vector<Digest> many(kMaxLineage + 1);
  EXPECT_EQ(f.commit({.name = "n", .digest = digest, .lineage = many}).error().field, "lineage");
}

TEST(ArtifactStore, ResolvesNamesVersionsAndDigests) {
  ArtifactFixture f;
  const auto one = f.put("one");
  const auto two = f.put("two");
  must(f.commit({.name = "n", .digest = one}));
  must(f.commit({.name = "n", .digest = two}));
  const auto resolve = [&](const std::string& text) { return f.store->resolve(text); };
  EXPECT_EQ(must(resolve("n")).content.digest, two);
  EXPECT_EQ(must(resolve("n")).version->version, 2u);
  EXPECT_EQ(must(resolve("n@1")).content.digest, one);
  EXPECT_EQ(must(resolve("sha256:" + one.hex())).content.digest, one);
  EXPECT_EQ(must(resolve(one.hex())).content.digest, one);
  EXPECT_EQ(must(resolve(one.hex().substr(0, 7))).content.digest, one);
  EXPECT_FALSE(must(resolve(one.hex())).version.has_value());
  EXPECT_EQ(resolve("n@3").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(resolve("m").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(resolve("").error().code, Errc::NOT_FOUND);
  EXPECT_EQ(resolve("sha256:" + std::string(64, '0')).error().code, Errc::NOT_FOUND);
  EXPECT_EQ(resolve("sha256:abc").error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(resolve("sha256:xyz").error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(resolve(std::string(1000, 'n')).error().code, Errc::NOT_FOUND);
  // A name is preferred to the digest it looks like.
  const auto prefix = one.hex().substr(0, 8);
  must(f.commit({.name = prefix, .digest = two}));
  EXPECT_EQ(must(resolve(prefix)).content.digest, two);
}

TEST(ArtifactStore, AsksForMoreDigitsWhenAPrefixIsAmbiguous) {
  ArtifactFixture f;
  // Enough contents that two share their first digits; the records are written as they are.
  Digest a{}, b{};
  b.bytes[31] = 1;
  auto txn = must(f.storage->begin_write());
  for (const auto& digest : {a, b}) {
    must(txn.put(f.store->databases().contents, digest.view(), in_place_header(0)));
  }
  must(txn.commit());
  EXPECT_EQ(f.store->resolve("000000").error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(must(f.store->resolve(b.hex())).content.digest, b);
}

// The store against a map of names to the digests of their versions.
RC_GTEST_PROP(ArtifactStore, NamesBehaveLikeAMapOfVersions, ()) {
  ArtifactFixture f;
  const std::vector<std::string> pool{"a", "a-b", "a/b", "ab", "b", "b\xc3\xbf"};
  std::map<std::string, std::vector<Digest>> model;
  const auto steps = *rc::gen::inRange(0, 25);
  for (int i = 0; i < steps; ++i) {
    const auto name = *rc::gen::elementOf(pool);
    const auto digest = f.put(std::to_string(*rc::gen::inRange(0, 5)));
    const auto record = must(f.commit({.name = name, .digest = digest}));
    model[name].push_back(digest);
    RC_ASSERT(record.version == model[name].size());
    if (*rc::gen::inRange(0, 10) == 0) f.reopen();
  }
  for (const auto& name : pool) {
    const auto found = model.find(name);
    RC_ASSERT(f.store->version(name).ok() == (found != model.end()));
    if (found == model.end()) continue;
    std::vector<Digest> seen;
    const auto limit = *rc::gen::inRange<std::size_t>(1, 4);
    std::uint64_t before = 0;
    do {
      const auto page = must(f.store->log(name, before, limit));
      RC_ASSERT(page.versions.size() <= limit);
      for (const auto& record : page.versions) {
        RC_ASSERT(record.version == found->second.size() - seen.size());
        seen.push_back(record.digest);
      }
      before = page.next_before;
    } while (before != 0);
    RC_ASSERT(std::equal(seen.rbegin(), seen.rend(), found->second.begin(), found->second.end()));
  }
  const auto prefix = *rc::gen::element<std::string>("", "a", "a/", "b", "c");
  std::vector<std::string> expected, seen;
  for (const auto& [name, versions] : model) {
    if (name.starts_with(prefix)) expected.push_back(name);
  }
  std::string after;
  do {
    const auto page = must(f.store->names(prefix, after, 2));
    for (const auto& record : page.latest) {
      RC_ASSERT(record.version == model[record.name].size());
      seen.push_back(record.name);
    }
    after = page.next_after;
  } while (!after.empty());
  RC_ASSERT(seen == expected);
  const auto report = must(verify(*f.store));
  RC_ASSERT(report.clean());
  RC_ASSERT(report.names == model.size());
}

TEST(ArtifactStore, ThreadsMayPrepareAndReadAtOnce) {
  ArtifactFixture f;
  runtime::ThreadStorageWriter writer(*f.storage);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        // Half of it is the same for all threads.
        const auto content = noise(3000, i % 2 == 0 ? i : 1000 * t + i);
        ArtifactBatch batch;
        batch.contents.push_back(must(f.store->prepare(content)));
        const auto digest = batch.contents.front().info.digest;
        batch.versions.push_back({.name = "n" + std::to_string(t), .digest = digest});
        const auto outcome = f.store->write(writer, std::move(batch));
        if (!outcome || outcome->versions.at(0).version != static_cast<unsigned>(i) + 1) ++wrong;
        if (must(f.store->get(digest)) != content) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(must(verify(*f.store)).clean());
}

}  // namespace
}  // namespace symphony::actors
