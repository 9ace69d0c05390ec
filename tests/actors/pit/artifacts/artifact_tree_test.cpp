#include "actors/pit/artifacts/artifact_tree.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "actors/pit/artifacts/artifact_verify.hpp"
#include "actors/pit/artifacts/tree_put.hpp"
#include "tests/actors/pit/artifacts/artifact_fixture.hpp"

namespace symphony::actors {
namespace {

namespace fs = std::filesystem;

void write_file(const fs::path& path, std::string_view content, int mode = 0644) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
  ASSERT_EQ(::chmod(path.c_str(), static_cast<mode_t>(mode)), 0);
}

TreePut put(ArtifactFixture& f, const fs::path& dir, std::string name = "tree", int threads = 1) {
  return must(put_tree(*f.store, *f.writer, dir,
                       {.version = {.name = std::move(name)}, .threads = threads}));
}

// Everything below a directory in one comparable value, symlinks as symlinks.
std::vector<TreeEntry> picture(const fs::path& dir) {
  OwnedFd root(::open(dir.c_str(), O_RDONLY | O_DIRECTORY));
  auto entries = must(walk_tree(root.get(), [](const SkippedEntry&) { return Status(); }));
  for (auto& entry : entries) {
    if (entry.kind != TreeEntryKind::file) continue;
    std::ifstream in(dir / entry.path, std::ios::binary);
    entry.digest = Sha256().of(std::string(std::istreambuf_iterator<char>(in), {}));
  }
  return entries;
}

TEST(ArtifactTree, RestoresADirectoryAsItWas) {
  ArtifactFixture f({.part_bytes = 1000});
  const auto source = f.dir.path() / "source";
  write_file(source / "a.txt", "plain");
  write_file(source / "run.sh", "#!/bin/sh", 0755);
  write_file(source / "empty", "");
  write_file(source / "sub/deep/large", noise(12'345), 0600);
  write_file(source / "sub-x/between", "sorts between sub and sub/");
  write_file(source / "with \"quotes\"\nand \xff bytes", "odd");
  fs::create_directories(source / "void");
  fs::create_symlink("a.txt", source / "link");
  fs::create_symlink("../..", source / "sub/up");
  fs::create_symlink("nowhere", source / "dangling");
  fs::create_symlink(".", source / "loop");
  ASSERT_EQ(::chmod((source / "sub/deep").c_str(), 0500), 0);

  const auto result = put(f, source);
  EXPECT_EQ(result.files, 6u);
  EXPECT_EQ(result.symlinks, 4u);
  EXPECT_EQ(result.directories, 4u);
  EXPECT_EQ(result.skipped_count, 0u);
  ASSERT_TRUE(result.version.has_value());
  EXPECT_EQ(result.version->kind, ArtifactKind::tree);
  EXPECT_EQ(result.version->size_bytes, result.size_bytes);

  const auto target = f.dir.path() / "target";
  must(materialise(*f.store, result.digest, target));
  EXPECT_EQ(picture(target), picture(source));
  const auto report = must(verify(*f.store));
  EXPECT_TRUE(report.clean());
  EXPECT_EQ(report.trees, 1u);
  EXPECT_EQ(report.tree_entries, 14u);
  EXPECT_EQ(report.unreferenced_contents, 0u);
  ::chmod((source / "sub/deep").c_str(), 0700);
  ::chmod((target / "sub/deep").c_str(), 0700);
}

TEST(ArtifactTree, EqualDirectoriesAreEqualTreesAndCostOneCopy) {
  ArtifactFixture f;
  for (const auto* dir : {"one", "two"}) {
    write_file(f.dir.path() / dir / "x/file", noise(5000));
    write_file(f.dir.path() / dir / "copy", noise(5000));
  }
  const auto one = put(f, f.dir.path() / "one");
  const auto two = put(f, f.dir.path() / "two", "tree", 2);
  EXPECT_EQ(one.digest, two.digest);
  EXPECT_EQ(one.new_contents, 2u);
  EXPECT_EQ(two.new_contents, 0u);
  EXPECT_EQ(two.version->version, 2u);
}

TEST(ArtifactTree, ManyFilesOnManyThreadsAllArrive) {
  ArtifactFixture f({.part_bytes = 4000});
  runtime::ThreadStorageWriter writer(*f.storage);
  for (int i = 0; i < 2500; ++i) {
    write_file(f.dir.path() / "s" / std::to_string(i % 20) / std::to_string(i),
               noise(static_cast<std::size_t>(i) * 3, static_cast<std::uint64_t>(i)));
  }
  std::uint64_t seen = 0;
  const auto result = must(put_tree(
      *f.store, writer, f.dir.path() / "s",
      {.version = {.name = "many"}, .threads = 3, .on_progress = [&](const TreeProgress& progress) {
         seen = std::max(seen, progress.files_done);
       }}));
  EXPECT_EQ(result.files, 2500u);
  EXPECT_EQ(seen, 2500u);
  EXPECT_EQ(must(load_tree(*f.store, result.digest)), picture(f.dir.path() / "s"));
  EXPECT_TRUE(must(verify(*f.store)).clean());
}

TEST(ArtifactTree, LeavesOutSpecialFilesAndSaysSo) {
  ArtifactFixture f;
  const auto source = f.dir.path() / "source";
  write_file(source / "file", "x");
  ASSERT_EQ(::mkfifo((source / "pipe").c_str(), 0600), 0);
  const auto result = put(f, source);
  EXPECT_EQ(result.files, 1u);
  ASSERT_EQ(result.skipped_count, 1u);
  EXPECT_EQ(result.skipped.front().path, "pipe");
}

TEST(ArtifactTree, TheCallerDecidesWhetherAFileMayBeLeftOut) {
  ArtifactFixture f;
  const auto source = f.dir.path() / "source";
  write_file(source / "a", "x");
  ASSERT_EQ(::mkfifo((source / "pipe").c_str(), 0600), 0);
  const auto result =
      put_tree(*f.store, *f.writer, source,
               {.version = {.name = "t"}, .on_skipped = [](const SkippedEntry&) { return false; }});
  EXPECT_EQ(result.error().code, Errc::FAILED_PRECONDITION);
  EXPECT_EQ(f.store->version("t").error().code, Errc::NOT_FOUND);
}

TEST(ArtifactTree, AFileThatCannotBeReadIsLeftOut) {
  ArtifactFixture f;
  const auto source = f.dir.path() / "source";
  write_file(source / "secret", "x", 0000);
  write_file(source / "closed/file", "x");
  write_file(source / "open", "x");
  fs::permissions(f.dir.path(), fs::perms(0755));
  fs::permissions(source / "closed", fs::perms(0000));
  // Root reads everything: this thread meets files as nobody meanwhile.
  ::setfsuid(65534);
  const auto result = put_tree(*f.store, *f.writer, source, {.version = {.name = "tree"}});
  ::setfsuid(::geteuid());
  fs::permissions(source / "closed", fs::perms(0755));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->files, 1u);
  EXPECT_EQ(result->directories, 1u);
  ASSERT_EQ(result->skipped_count, 2u);
  EXPECT_EQ(result->skipped[0].path, "closed");
  EXPECT_EQ(result->skipped[1].path, "secret");
}

// A file that vanishes, or turns into a symlink, between the listing and the reading.
TEST(ArtifactTree, AFileThatChangesUnderTheReaderIsLeftOutAndNeverFollowed) {
  ArtifactFixture f;
  const auto source = f.dir.path() / "source";
  for (const auto* name : {"a", "b", "c", "d/e"}) write_file(source / name, name);
  write_file(f.dir.path() / "outside/e", "secret");
  bool changed = false;
  const auto result =
      must(put_tree(*f.store, *f.writer, source,
                    {.version = {.name = "t"}, .on_progress = [&](const TreeProgress&) {
                       if (std::exchange(changed, true)) return;
                       fs::remove(source / "b");
                       fs::remove(source / "c");
                       fs::create_symlink(f.dir.path() / "outside/e", source / "c");
                       fs::remove_all(source / "d");
                       fs::create_symlink(f.dir.path() / "outside", source / "d");
                     }}));
  EXPECT_EQ(result.files, 1u);
  EXPECT_EQ(result.skipped_count, 3u);
  EXPECT_EQ(f.store->stat(Sha256().of("secret")).error().code, Errc::NOT_FOUND);
}

TEST(ArtifactTree, CancellingLeavesTheNameAsItWas) {
  ArtifactFixture f;
  write_file(f.dir.path() / "s/a", "x");
  const auto result = put_tree(*f.store, *f.writer, f.dir.path() / "s",
                               {.version = {.name = "t"}, .cancelled = [] { return true; }});
  EXPECT_EQ(result.error().code, Errc::CANCELLED);
  EXPECT_EQ(f.store->version("t").error().code, Errc::NOT_FOUND);
}

TEST(ArtifactTree, RefusesABadNameBeforeReadingAnything) {
  ArtifactFixture f;
  write_file(f.dir.path() / "s/a", "x");
  const auto result =
      put_tree(*f.store, *f.writer, f.dir.path() / "s", {.version = {.name = "t@1"}});
  EXPECT_EQ(result.error().code, Errc::INVALID_ARGUMENT);
  EXPECT_EQ(must(f.store->counts()).contents, 0u);
}

TEST(ArtifactTree, SaysSoWhenTheDirectoryIsNotThere) {
  ArtifactFixture f;
  const auto result = put_tree(*f.store, *f.writer, f.dir.path() / "none", {});
  EXPECT_EQ(result.error().code, Errc::NOT_FOUND);
  EXPECT_NE(result.error().message.find("none"), std::string::npos);
}

TEST(ArtifactTree, DoesNotRestoreOverWhatIsThere) {
  ArtifactFixture f;
  write_file(f.dir.path() / "s/a", "x");
  write_file(f.dir.path() / "full/precious", "y");
  const auto result = put(f, f.dir.path() / "s");
  EXPECT_EQ(materialise(*f.store, result.digest, f.dir.path() / "full").error().code,
            Errc::ALREADY_EXISTS);
  EXPECT_EQ(materialise(*f.store, f.put("no tree"), f.dir.path() / "new").error().code,
            Errc::INVALID_ARGUMENT);
}

TEST(ArtifactTree, RefusesTreesThatWouldWriteElsewhere) {
  const auto file = [](std::string path) { return TreeEntry{.path = std::move(path)}; };
  const auto directory = [](std::string path) {
    return TreeEntry{.path = std::move(path), .kind = TreeEntryKind::directory};
  };
  const TreeEntry link{.path = "l", .kind = TreeEntryKind::symlink, .target = "/etc"};
  EXPECT_TRUE(decode_tree(encode_tree({directory("d"), file("d/f"), link})).ok());
  const std::vector<std::vector<TreeEntry>> bad{{file("/etc/passwd")},
                                                {file("../x")},
                                                {file("a/../x")},
                                                {file("")},
                                                {file("d/f")},
                                                {link, file("l/x")},
                                                {file("b"), file("a")},
                                                {file("a"), file("a")},
                                                {directory("d"), file("d//f")},
                                                {file(std::string("a\0b", 3))},
                                                {TreeEntry{.path = "a", .mode = 010000}}};
  for (const auto& entries : bad) {
    EXPECT_EQ(decode_tree(encode_tree(entries)).error().code, Errc::DATA_CORRUPT)
        << entries.back().path;
  }
}

RC_GTEST_PROP(ArtifactTree, DecodingAnyBytesFailsCleanly, (std::string bytes, bool cut)) {
  auto good = encode_tree({{.path = "a", .mode = 0644, .size_bytes = 3},
                           {.path = "b", .kind = TreeEntryKind::symlink, .target = "a"}});
  RC_ASSERT(decode_tree(good).ok());
  RC_ASSERT(!decode_tree(good + "x").ok());
  if (cut) {
    RC_ASSERT(!decode_tree(good.substr(0, *rc::gen::inRange<std::size_t>(0, good.size()))).ok());
  }
  RC_ASSERT(!decode_tree(good.substr(0, 8) + bytes).ok() || bytes == std::string(8, '\0'));
}

TEST(ArtifactVerify, FindsATreeWhoseFileIsGone) {
  ArtifactFixture f;
  write_file(f.dir.path() / "s/a", "content of a");
  put(f, f.dir.path() / "s");
  auto txn = must(f.storage->begin_write());
  must(txn.erase(f.store->databases().contents, Sha256().of("content of a").view()));
  must(txn.commit());
  const auto report = must(verify(*f.store));
  ASSERT_EQ(report.problem_count, 1u);
  EXPECT_EQ(report.problems.front().where, "tree@1");
  EXPECT_NE(report.problems.front().what.find(" of a is missing"), std::string::npos);
}

}  // namespace
}  // namespace symphony::actors
