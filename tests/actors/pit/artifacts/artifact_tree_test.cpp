#include "actors/pit/artifacts/artifact_tree.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>

#include "actors/pit/artifacts/artifact_messages.hpp"
#include "actors/pit/artifacts/artifact_verify.hpp"
#include "actors/pit/artifacts/tree_walk.hpp"
#include "runtime/storage/bytes.hpp"
#include "tests/actors/pit/artifacts/artifact_fixture.hpp"
#include "tests/support/plain_user.hpp"

namespace symphony::actors {
namespace {

namespace fs = std::filesystem;

// A directory to be listed.
struct TreeWalk : testing::Test {
  test::TempDir dir;
  runtime::Descriptor root{::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  std::vector<SkippedEntry> skipped;

  void write(const std::string& path, std::string_view content, int mode = 0644) const {
    const auto file = dir.path() / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    ASSERT_EQ(::chmod(file.c_str(), static_cast<mode_t>(mode)), 0);
  }
  TreeListing walk(TreeWalkOptions options = {}) {
    options.skipped = [this](const SkippedEntry& entry) {
      skipped.push_back(entry);
      return Status();
    };
    return must(walk_tree(root.get(), options));
  }
  static std::vector<std::string> paths_of(const TreeListing& listing) {
    std::vector<std::string> paths;
    for (const auto& entry : listing.entries) paths.push_back(entry.path);
    return paths;
  }
  FileReading open(const std::string& path) const {
    return must(FileReading::open(root.get(), path));
  }
  static std::string all_of(FileReading& file) {
    std::string content;
    char piece[7];
    while (const auto got = must(file.read(piece, sizeof piece))) content.append(piece, got);
    return content;
  }
};

using Paths = std::vector<std::string>;

TEST_F(TreeWalk, ListsEverythingInOrderWithModesTimesAndTargets) {
  write("a.txt", "plain");
  write("sub/deep/file", "x", 04755);
  write("sub-x", "sorts between sub and sub/");
  write("with \"quotes\"\nand \xff bytes", "odd");
  fs::create_directories(dir.path() / "void");
  fs::create_symlink("../..", dir.path() / "sub/up");
  const timespec times[] = {{0, UTIME_OMIT}, {981'173'106, 123'456'789}};
  for (const auto* path : {"a.txt", "sub/up", "void"})
    ASSERT_EQ(::utimensat(root.get(), path, times, AT_SYMLINK_NOFOLLOW), 0);
  const auto listing = walk();
  EXPECT_EQ(paths_of(listing), (Paths{"a.txt", "sub", "sub-x", "sub/deep", "sub/deep/file",
                                      "sub/up", "void", "with \"quotes\"\nand \xff bytes"}));
  EXPECT_TRUE(skipped.empty());
  const auto& entries = listing.entries;
  EXPECT_EQ(entries[0].size_bytes, 5u);
  EXPECT_EQ(entries[4].mode, 04755u);
  EXPECT_EQ(entries[5].kind, TreeEntryKind::symlink);
  EXPECT_EQ(entries[5].target, "../..");
  EXPECT_EQ(entries[6].kind, TreeEntryKind::directory);
  for (const auto i : {0, 5, 6})
    EXPECT_EQ(entries[i].modified, (FileTime{981'173'106, 123'456'789}));
}

TEST_F(TreeWalk, LeavesOutSpecialFilesAndSaysSo) {
  write("file", "x");
  ASSERT_EQ(::mkfifo((dir.path() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(paths_of(walk()), Paths{"file"});
  ASSERT_EQ(skipped.size(), 1u);
  EXPECT_EQ(skipped[0].path, "pipe");
}

TEST_F(TreeWalk, LeavesOutTheDirectoryItIsToldHoweverItIsReached) {
  write("data/store/data.mdb", "x");
  write("data/other", "x");
  fs::create_directory_symlink("data/store", dir.path() / "link");
  struct stat info {};
  ASSERT_EQ(::stat((dir.path() / "link").c_str(), &info), 0);
  const auto listing = walk({.leave_out = std::pair{info.st_dev, info.st_ino}});
  EXPECT_EQ(paths_of(listing), (Paths{"data", "data/other", "link"}));
  EXPECT_TRUE(listing.left_out);
  EXPECT_TRUE(skipped.empty()) << "it is no loss";
  EXPECT_FALSE(walk().left_out);
}

TEST_F(TreeWalk, KnowsTheNamesOfOneFileAsHardLinks) {
  write("b/second", "shared");
  fs::create_hard_link(dir.path() / "b/second", dir.path() / "a");
  fs::create_hard_link(dir.path() / "b/second", dir.path() / "c");
  write("alone", "shared");
  const auto entries = walk().entries;
  ASSERT_EQ(entries.size(), 5u);
  EXPECT_EQ(entries[0].path, "a");
  EXPECT_EQ(entries[0].kind, TreeEntryKind::file);
  EXPECT_EQ(entries[1].kind, TreeEntryKind::file) << "equal, but another file";
  for (const auto i : {3, 4}) {
    EXPECT_EQ(entries[i].kind, TreeEntryKind::hard_link) << entries[i].path;
    EXPECT_EQ(entries[i].target, "a");
  }
  EXPECT_TRUE(decode_tree(encode_tree(entries)).ok());
}

TEST_F(TreeWalk, APathThatIsTooLongCostsWhatHasItOnly) {
  write("good", "x");
  const std::string name(250, 'd');
  int at = ::dup(root.get());
  std::string path;
  for (int i = 0; i < 17; ++i) {
    ASSERT_EQ(::mkdirat(at, name.c_str(), 0700), 0);
    const int next = ::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY);
    ::close(at);
    at = next;
  }
  ::close(at);
  const auto listing = walk();
  EXPECT_EQ(listing.entries.size(), 1u + 16);
  EXPECT_EQ(listing.entries.back().path, "good");
  ASSERT_EQ(skipped.size(), 1u);
  EXPECT_NE(skipped[0].reason.find("longer than 4095 bytes"), std::string::npos);
}

TEST_F(TreeWalk, CountsWhatATreeDoesNotKeep) {
  write("mine", "x");
  EXPECT_EQ(walk().not_kept.foreign_owners, 0u);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown((dir.path() / "mine").c_str(), test::kPlainUser, test::kPlainUser), 0);
    EXPECT_EQ(walk().not_kept.foreign_owners, 1u);
  }
  if (::setxattr((dir.path() / "mine").c_str(), "user.note", "x", 1, 0) == 0) {
    EXPECT_TRUE(open("mine").has_attributes());
  }
}

TEST_F(TreeWalk, ADirectoryThatCannotBeReadStaysEmptyAndIsTold) {
  write("closed/file", "x");
  write("open", "x");
  ASSERT_EQ(::chmod(dir.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod((dir.path() / "closed").c_str(), 0), 0);
  EXPECT_TRUE(test::as_plain_user([&] {
    return paths_of(walk()) == Paths{"closed", "open"} && skipped.size() == 1 &&
           skipped[0].path == "closed" && !FileReading::open(root.get(), "closed/file").ok();
  }));
  ASSERT_EQ(::chmod((dir.path() / "closed").c_str(), 0755), 0);
}

// ---- reading a file -----------------------------------------------------------------------------

TEST_F(TreeWalk, AFileIsReadNoFurtherThanItWasWhenOpened) {
  write("log", "line 1\n");
  auto file = open("log");
  std::ofstream(dir.path() / "log", std::ios::app) << "line 2\n";
  EXPECT_EQ(all_of(file), "line 1\n");
  EXPECT_FALSE(*file.unchanged());
  ASSERT_TRUE(file.again().ok());
  EXPECT_EQ(all_of(file), "line 1\nline 2\n");
  EXPECT_TRUE(*file.unchanged());
}

TEST_F(TreeWalk, AFileThatChangesWhileItIsReadIsToldFromOneThatDoesNot) {
  write("f", "abcdefgh");
  const timespec past[] = {{0, UTIME_OMIT}, {1'000'000'000, 0}};
  ASSERT_EQ(::utimensat(root.get(), "f", past, 0), 0);
  auto file = open("f");
  char first = 0;
  ASSERT_EQ(must(file.read(&first, 1)), 1u);
  const int other = ::open((dir.path() / "f").c_str(), O_WRONLY);
  ASSERT_EQ(::pwrite(other, "X", 1, 4), 1);
  ::close(other);
  ASSERT_EQ(::utimensat(root.get(), "f", past, 0), 0);  // hides it from a look at this time alone
  EXPECT_EQ(all_of(file), "bcdXfgh");
  EXPECT_FALSE(*file.unchanged());

  ASSERT_TRUE(file.again().ok());
  all_of(file);
  ASSERT_EQ(::truncate((dir.path() / "f").c_str(), 3), 0);
  ASSERT_TRUE(file.rewind().ok());
  EXPECT_EQ(all_of(file), "abc");
  EXPECT_FALSE(*file.unchanged());
}

TEST_F(TreeWalk, WhatTookAFilesPlaceIsNeitherFollowedNorWaitedFor) {
  write("outside/secret", "secret");
  fs::create_directories(dir.path() / "tree");
  const runtime::Descriptor tree(
      ::open((dir.path() / "tree").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  fs::create_symlink("../outside/secret", dir.path() / "tree/link");
  fs::create_symlink("../outside", dir.path() / "tree/dir");
  ASSERT_EQ(::mkfifo((dir.path() / "tree/pipe").c_str(), 0600), 0);
  for (const auto* path : {"link", "dir/secret", "pipe", "../outside/secret", "gone"})
    EXPECT_FALSE(FileReading::open(tree.get(), path).ok()) << path;
}

TEST_F(TreeWalk, KnowsAFileWithHoles) {
  write("whole", std::string(100'000, 'x'));
  write("sparse", "x");
  ASSERT_EQ(::truncate((dir.path() / "sparse").c_str(), 10'000'000), 0);
  EXPECT_FALSE(open("whole").sparse());
  EXPECT_TRUE(open("sparse").sparse());
}

// ---- the listing as content ---------------------------------------------------------------------

TEST(ArtifactTree, KeepsWhatItIsGiven) {
  const std::vector<TreeEntry> entries{
      {.path = "a",
       .mode = 0755,
       .size_bytes = 3,
       .digest = Sha256().of("a"),
       .modified = FileTime{-5, 999'999'999},
       .sparse = true},
      {.path = "b", .kind = TreeEntryKind::hard_link, .mode = 0755, .target = "a"},
      {.path = "d", .kind = TreeEntryKind::directory, .modified = FileTime{1LL << 40, 0}},
      {.path = "d/l", .kind = TreeEntryKind::symlink, .target = "../.."}};
  EXPECT_EQ(must(decode_tree(encode_tree(entries))), entries);
}

TEST(ArtifactTree, WithoutTimesIsStillRead) {
  runtime::RecordWriter old;
  old.bytes(std::string_view("symtree\x01", 8)).u64(2);
  old.text("a").u8(0).u32(0644).u64(3).bytes(Sha256().of("abc").view());
  old.text("l").u8(1).u32(0777).text("a");
  EXPECT_TRUE(looks_like_tree(old.str()));
  const auto entries = must(decode_tree(old.str()));
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].size_bytes, 3u);
  EXPECT_FALSE(entries[0].modified.has_value());
  EXPECT_EQ(entries[1].target, "a");
}

TEST(ArtifactTree, RefusesTreesThatWouldWriteElsewhere) {
  const auto file = [](std::string path) { return TreeEntry{.path = std::move(path)}; };
  const auto directory = [](std::string path) {
    return TreeEntry{.path = std::move(path), .kind = TreeEntryKind::directory};
  };
  const auto same = [](std::string path, std::string target) {
    return TreeEntry{
        .path = std::move(path), .kind = TreeEntryKind::hard_link, .target = std::move(target)};
  };
  const TreeEntry link{.path = "l", .kind = TreeEntryKind::symlink, .target = "/etc"};
  EXPECT_TRUE(decode_tree(encode_tree({directory("d"), file("d/f"), same("h", "d/f"), link})).ok());
  const std::vector<std::vector<TreeEntry>> bad{
      {file("/etc/passwd")},
      {file("../x")},
      {file("a/../x")},
      {file("")},
      {file("d/f")},
      {link, file("l/x")},
      {file("b"), file("a")},
      {file("a"), file("a")},
      {directory("d"), file("d//f")},
      {file(std::string("a\0b", 3))},
      {TreeEntry{.path = "a", .mode = 010000}},
      {TreeEntry{.path = "a", .modified = FileTime{0, 1'000'000'000}}},
      {same("h", "/etc/shadow")},
      {same("h", "../x")},
      {same("h", "h")},
      {same("a", "b"), file("b")},
      {directory("d"), same("h", "d")},
      {link, same("m", "l")}};
  for (const auto& entries : bad) {
    EXPECT_EQ(decode_tree(encode_tree(entries)).error().code, Errc::DATA_CORRUPT)
        << entries.back().path;
  }
}

RC_GTEST_PROP(ArtifactTree, DecodingAnyBytesFailsCleanly, (std::string bytes, bool cut)) {
  auto good = encode_tree({{.path = "a", .mode = 0644, .size_bytes = 3, .modified = FileTime{1, 2}},
                           {.path = "b", .kind = TreeEntryKind::symlink, .target = "a"}});
  RC_ASSERT(decode_tree(good).ok());
  RC_ASSERT(!decode_tree(good + "x").ok());
  if (cut) {
    RC_ASSERT(!decode_tree(good.substr(0, *rc::gen::inRange<std::size_t>(0, good.size()))).ok());
  }
  RC_ASSERT(!decode_tree(good.substr(0, 8) + bytes).ok() || bytes == std::string(8, '\0'));
}

// ---- trees in the store -------------------------------------------------------------------------

// Commits a tree under the name "tree".
void commit(ArtifactFixture& f, std::vector<TreeEntry> entries) {
  auto tree = must(prepare_tree(*f.store, std::move(entries)));
  ArtifactBatch batch;
  batch.versions.push_back({.name = "tree",
                            .kind = ArtifactKind::tree,
                            .digest = tree.sizes.digest,
                            .sizes = tree.sizes});
  batch.contents.push_back(std::move(tree.content));
  must(f.store->write(*f.writer, std::move(batch)));
}

TEST(ArtifactVerify, FindsATreeWhoseFileIsGone) {
  ArtifactFixture f;
  commit(f, {{.path = "a", .size_bytes = 12, .digest = f.put("content of a")}});
  auto txn = must(f.storage->begin_write());
  must(txn.erase(f.store->databases().contents, Sha256().of("content of a").view()));
  must(txn.commit());
  const auto report = must(verify(*f.store));
  ASSERT_EQ(report.problem_count, 1u);
  EXPECT_EQ(report.problems.front().where, "tree@1");
  EXPECT_NE(report.problems.front().what.find(" of a is missing"), std::string::npos);
}

TEST(ArtifactVerify, FindsATreeThatStatesAnotherSizeThanItsContentHas) {
  ArtifactFixture f;
  const auto digest = f.put("content of a");
  const auto listing = f.put(encode_tree({{.path = "a", .size_bytes = 11, .digest = digest}}));
  must(f.commit({.name = "forged", .kind = ArtifactKind::tree, .digest = listing}));
  const auto report = must(verify(*f.store));
  ASSERT_EQ(report.problem_count, 1u);
  EXPECT_EQ(report.problems.front().what, "a has 12 bytes instead of 11");
}

TEST(ArtifactVerify, NamesTheFileThatADamagedContentBelongsTo) {
  ArtifactFixture f;
  const auto digest = f.put("content of a");
  commit(f, {{.path = "dir", .kind = TreeEntryKind::directory},
             {.path = "dir/a", .size_bytes = 12, .digest = digest}});
  auto txn = must(f.storage->begin_write());
  must(txn.put(f.store->databases().contents, digest.view(), "nonsense"));
  must(txn.commit());
  const auto report = must(verify(*f.store));
  ASSERT_EQ(report.problem_count, 1u);
  EXPECT_NE(report.problems.front().where.find("tree@1: dir/a"), std::string::npos);
  EXPECT_TRUE(report.spoilt_contents.empty()) << "a tree leads to it";
}

}  // namespace
}  // namespace symphony::actors
