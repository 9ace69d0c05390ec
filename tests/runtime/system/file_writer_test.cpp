#include "runtime/system/file_writer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <set>

#include "runtime/system/fs.hpp"
#include "tests/support/plain_user.hpp"
#include "tests/support/temp_dir.hpp"

namespace symphony::runtime {
namespace {

namespace fs = std::filesystem;

struct Writing : testing::Test {
  test::TempDir dir;
  fs::path file = dir.path() / "file";

  std::set<std::string> names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir.path()))
      names.insert(entry.path().filename().native());
    return names;
  }
  static std::string content(const fs::path& path) { return read_file(path, 1 << 20).value(); }
  static void put(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
};

using Names = std::set<std::string>;

TEST_F(Writing, ReplacesTheWholeFileAndLeavesNothingBeside) {
  ASSERT_TRUE(write_file(file, "a long first version").ok());
  ASSERT_TRUE(write_file(file, "second").ok());
  EXPECT_EQ(content(file), "second");
  EXPECT_EQ(names(), Names{"file"});
}

TEST_F(Writing, LeavesTheOldFileUntilTheNewOneIsWhole) {
  put(file, "old");
  {
    auto writer = FileWriter::open(file);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->write("half of the n").ok());
    EXPECT_EQ(content(file), "old");
    EXPECT_EQ(names().size(), 2u);
  }
  EXPECT_EQ(content(file), "old") << "given up";
  EXPECT_EQ(names(), Names{"file"});
}

TEST_F(Writing, TouchesNoFileOfTheUsersBeside) {
  for (const auto* other : {"file.part", "file.tmp", "file.new", "file~", ".file.swp"})
    put(dir.path() / other, "precious");
  ASSERT_TRUE(write_file(file, "x").ok());
  for (const auto* other : {"file.part", "file.tmp", "file.new", "file~", ".file.swp"})
    EXPECT_EQ(content(dir.path() / other), "precious") << other;
}

TEST_F(Writing, KeepsPermissionsOfWhatIsReplacedAndObeysTheUmaskForWhatIsNew) {
  const auto before = ::umask(027);
  ASSERT_TRUE(write_file(file, "x").ok());
  ASSERT_TRUE(write_file(dir.path() / "secret", "x", {.mode = 0600}).ok());
  ::umask(before);
  EXPECT_EQ(fs::status(file).permissions(), fs::perms(0640));
  EXPECT_EQ(fs::status(dir.path() / "secret").permissions(), fs::perms(0600));
  ASSERT_EQ(::chmod(file.c_str(), 0751), 0);
  ASSERT_TRUE(write_file(file, "y").ok());
  EXPECT_EQ(fs::status(file).permissions(), fs::perms(0751));
}

TEST_F(Writing, KeepsTheOwnerOfWhatIsReplaced) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  put(file, "x");
  ASSERT_EQ(::chown(file.c_str(), test::kPlainUser, test::kPlainUser), 0);
  ASSERT_TRUE(write_file(file, "y").ok());
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, test::kPlainUser);
}

TEST_F(Writing, ReplacesWhatALinkLeadsToAndNotTheLink) {
  fs::create_directory(dir.path() / "real");
  put(dir.path() / "real/target", "old");
  fs::create_symlink("real/target", dir.path() / "one");
  fs::create_symlink("one", dir.path() / "two");
  fs::create_symlink(dir.path() / "real/none", dir.path() / "dangling");
  ASSERT_TRUE(write_file(dir.path() / "two", "new").ok());
  ASSERT_TRUE(write_file(dir.path() / "dangling", "born").ok());
  EXPECT_EQ(content(dir.path() / "real/target"), "new");
  EXPECT_EQ(content(dir.path() / "real/none"), "born");
  for (const auto* link : {"one", "two", "dangling"})
    EXPECT_TRUE(fs::is_symlink(dir.path() / link)) << link;
  fs::create_symlink("loop", dir.path() / "loop");
  EXPECT_FALSE(write_file(dir.path() / "loop", "x").ok());
}

TEST_F(Writing, GoesThroughAPipeWithoutReplacingIt) {
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  const std::string much(300'000, 'x');  // more than a pipe holds
  auto read = std::async(std::launch::async, [&] {
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  });
  // The reader may come after the writer.
  ASSERT_TRUE(write_file(file, much, {.going_on = [] { return Status(); }}).ok());
  EXPECT_EQ(read.get(), much);
  EXPECT_TRUE(fs::is_fifo(file));
  EXPECT_EQ(names(), Names{"file"});
}

TEST_F(Writing, EndsItsWaitForAReaderWhenItIsToldTo) {
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_EQ(write_file(file, "x").error().code, Errc::FAILED_PRECONDITION);
  int asked = 0;
  const auto given_up = write_file(file, "x", {.going_on = [&]() -> Status {
                                     if (++asked < 2) return {};
                                     return Error{Errc::CANCELLED, "interrupted"};
                                   }});
  EXPECT_EQ(given_up.error().code, Errc::CANCELLED);
  // Nor does a full pipe hold it.
  const int reader = ::open(file.c_str(), O_RDONLY | O_NONBLOCK);
  asked = 0;
  const auto full = write_file(file, std::string(300'000, 'x'), {.going_on = [&]() -> Status {
                                 if (++asked < 2) return {};
                                 return Error{Errc::CANCELLED, "interrupted"};
                               }});
  EXPECT_EQ(full.error().code, Errc::CANCELLED);
  ::close(reader);
}

TEST_F(Writing, SurvivesAReaderWhoLeaves) {
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  const int reader = ::open(file.c_str(), O_RDONLY | O_NONBLOCK);
  auto writer = FileWriter::open(file);
  ASSERT_TRUE(writer.ok());
  ::close(reader);
  EXPECT_EQ(writer->write("x").error().code, Errc::UNAVAILABLE) << "and no SIGPIPE";
}

TEST_F(Writing, GoesIntoADeviceWithoutReplacingIt) {
  fs::create_symlink("/dev/null", dir.path() / "null");
  ASSERT_TRUE(write_file(dir.path() / "null", std::string(1 << 20, 'x')).ok());
  EXPECT_TRUE(fs::is_symlink(dir.path() / "null"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  const auto full = write_file("/dev/full", "x");
  EXPECT_EQ(full.error().code, Errc::RESOURCE_EXHAUSTED);
}

TEST_F(Writing, RefusesDirectoriesAndSocketsAndChangesNothing) {
  fs::create_directories(dir.path() / "occupied/x");
  const auto directory = write_file(dir.path() / "occupied", "x");
  EXPECT_EQ(directory.error().code, Errc::INVALID_ARGUMENT);
  EXPECT_NE(directory.error().message.find("occupied"), std::string::npos);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  file.native().copy(address.sun_path, sizeof address.sun_path - 1);
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(write_file(file, "x").error().code, Errc::INVALID_ARGUMENT);
  EXPECT_TRUE(fs::is_socket(file));
  EXPECT_EQ(write_file(dir.path() / "none/file", "x").error().code, Errc::NOT_FOUND);
  EXPECT_FALSE(write_file(dir.path() / "new/", "x").ok());
  EXPECT_EQ(names(), (Names{"file", "occupied"}));
}

TEST_F(Writing, MakesTheDirectoriesAboveWhenAskedTo) {
  ASSERT_TRUE(write_file(dir.path() / "a/b/file", "x", {.create_directories = true}).ok());
  EXPECT_EQ(content(dir.path() / "a/b/file"), "x");
}

TEST_F(Writing, LeavesHolesInFilesAndZerosInPipes) {
  auto writer = FileWriter::open(file);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->write("a").ok());
  ASSERT_TRUE(writer->skip(64 << 20).ok());
  ASSERT_TRUE(writer->commit().ok());
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 1 + (64 << 20));
  EXPECT_LT(status.st_blocks * 512, 1 << 20);

  ASSERT_EQ(::mkfifo((dir.path() / "pipe").c_str(), 0600), 0);
  const Descriptor reader(::open((dir.path() / "pipe").c_str(), O_RDONLY | O_NONBLOCK));
  auto piped = FileWriter::open(dir.path() / "pipe");
  ASSERT_TRUE(piped.ok());
  ASSERT_TRUE(piped->skip(3).ok());
  ASSERT_TRUE(piped->commit().ok());
  char bytes[8] = {};
  ASSERT_EQ(::read(reader.get(), bytes, sizeof bytes), 3);
  EXPECT_EQ(std::string(bytes, 3), std::string(3, '\0'));
}

TEST_F(Writing, SweepsWhatDeadWritersLeftAndNothingElse) {
  const auto dead = dir.path() / ".symphony-0123456789abcdef.tmp";
  put(dead, "half");
  const Names kept{".symphony-x.tmp", ".symphony-0123456789abcdeF.tmp", "0123456789abcdef.tmp"};
  for (const auto& name : kept) put(dir.path() / name, "a user's");
  auto alive = FileWriter::open(dir.path() / "other");
  ASSERT_TRUE(alive.ok());
  ASSERT_TRUE(alive->write("still here").ok());
  EXPECT_FALSE(fs::exists(dead));
  ASSERT_TRUE(write_file(file, "x").ok());
  ASSERT_TRUE(alive->commit().ok()) << "a living writer's file is not swept";
  EXPECT_EQ(content(dir.path() / "other"), "still here");
  auto left = kept;
  left.insert({"file", "other"});
  EXPECT_EQ(names(), left);
}

TEST_F(Writing, NeedsNoRightToWriteTheFileButToTheDirectory) {
  ASSERT_EQ(::chmod(dir.path().c_str(), 0755), 0);
  put(file, "old");
  ASSERT_EQ(::chmod(file.c_str(), 0666), 0);
  if (::geteuid() != 0) {
    ASSERT_EQ(::chmod(dir.path().c_str(), 0555), 0);
  }
  EXPECT_TRUE(test::as_plain_user([&] {
    const auto refused = write_file(file, "new");
    return !refused.ok() && refused.error().code == Errc::PERMISSION_DENIED;
  }));
  ASSERT_EQ(::chmod(dir.path().c_str(), 0755), 0);
  EXPECT_EQ(content(file), "old");
}

}  // namespace
}  // namespace symphony::runtime
