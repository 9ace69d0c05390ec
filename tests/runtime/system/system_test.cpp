#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "runtime/system/cgroup_limits.hpp"
#include "runtime/system/fs.hpp"
#include "runtime/system/xdg.hpp"
#include "tests/support/temp_dir.hpp"

namespace symphony::runtime {
namespace {

namespace fs = std::filesystem;

// A tree of files that stands for "/".
struct FakeRoot : testing::Test {
  test::TempDir dir;

  void put(const std::string& path, const std::string& text) {
    fs::create_directories((dir.path() / path).parent_path());
    std::ofstream(dir.path() / path) << text;
  }
  CgroupLimits limits() const { return read_cgroup_limits(dir.path()); }
};

TEST_F(FakeRoot, WithoutControlGroupsNothingIsLimited) {
  EXPECT_FALSE(limits().cpus.has_value());
  EXPECT_FALSE(limits().memory_bytes.has_value());
  EXPECT_EQ(read_memory_total_bytes(dir.path()), 0u);
}

TEST_F(FakeRoot, TheTightestLevelOfVersionTwoCounts) {
  put("proc/self/cgroup", "0::/user.slice/job\n");
  put("sys/fs/cgroup/user.slice/cpu.max", "150000 100000\n");
  put("sys/fs/cgroup/user.slice/job/cpu.max", "max 100000\n");
  put("sys/fs/cgroup/user.slice/memory.max", "max\n");
  put("sys/fs/cgroup/user.slice/job/memory.max", "1073741824\n");
  EXPECT_EQ(limits().cpus, 1.5);
  EXPECT_EQ(limits().memory_bytes, 1073741824u);
}

TEST_F(FakeRoot, InAContainerTheOwnGroupIsTheMount) {
  put("proc/self/cgroup", "0::/docker/abc\n");
  put("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(limits().cpus, 0.5);
}

TEST_F(FakeRoot, VersionOneIsUnderstood) {
  put("proc/self/cgroup", "4:memory:/a\n3:cpu,cpuacct:/a/b\n0::/\n");
  put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "300000\n");
  put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  put("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n");
  put("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  put("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "4096000\n");
  EXPECT_EQ(limits().cpus, 3.0);
  EXPECT_EQ(limits().memory_bytes, 4096000u);
}

TEST_F(FakeRoot, HybridTakesTheTighterOfBoth) {
  put("proc/self/cgroup", "1:cpu:/\n0::/\n");
  put("sys/fs/cgroup/unified/cpu.max", "200000 100000\n");
  put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
  put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limits().cpus, 1.0);
}

TEST_F(FakeRoot, NonsenseLimitsNothing) {
  put("proc/self/cgroup", "nonsense\n0::/\n:\n");
  put("sys/fs/cgroup/cpu.max", "many few\n");
  put("sys/fs/cgroup/memory.max", "12x\n");
  EXPECT_FALSE(limits().cpus.has_value());
  EXPECT_FALSE(limits().memory_bytes.has_value());
}

TEST_F(FakeRoot, ReadsTheTotalMemory) {
  put("proc/meminfo", "MemFree: 5 kB\nMemTotal:       16314532 kB\nMemX: 1 kB\n");
  EXPECT_EQ(read_memory_total_bytes(dir.path()), 16314532ull * 1024);
}

TEST(MachineLimits, AreTheTighterOfMachineAndGroup) {
  EXPECT_EQ(effective_limits(8, {}, 1000).cpus, 8);
  EXPECT_EQ(effective_limits(8, {2.5, 500}, 1000).cpus, 2.5);
  EXPECT_EQ(effective_limits(8, {2.5, 500}, 1000).memory_bytes, 500u);
  EXPECT_EQ(effective_limits(8, {64.0, 5000}, 1000).cpus, 8);
  EXPECT_EQ(effective_limits(8, {64.0, 5000}, 1000).memory_bytes, 1000u);
}

TEST(MachineLimits, OfThisMachineMakeSense) {
  const MachineLimits limits = read_machine_limits();
  EXPECT_GT(limits.cpus, 0.0);
  EXPECT_LE(limits.cpus, read_processors());
  EXPECT_GT(limits.memory_bytes, 1u << 20);
}

VariableLookup environment_of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

TEST(Xdg, FollowsTheVariables) {
  const XdgDirs dirs = xdg_dirs(environment_of({{"XDG_RUNTIME_DIR", "/run/user/7"},
                                                {"XDG_DATA_HOME", "/d"},
                                                {"XDG_CACHE_HOME", "/c"},
                                                {"XDG_CONFIG_HOME", "/f"}}),
                                7);
  EXPECT_EQ(dirs.runtime, "/run/user/7/symphony");
  EXPECT_EQ(dirs.data, "/d/symphony");
  EXPECT_EQ(dirs.cache, "/c/symphony");
  EXPECT_EQ(dirs.config, "/f/symphony");
}

TEST(Xdg, FallsBackToHomeAndTmpAndIgnoresRelativePaths) {
  const XdgDirs dirs =
      xdg_dirs(environment_of({{"HOME", "/home/me"}, {"XDG_DATA_HOME", "relative"}}), 7);
  EXPECT_EQ(dirs.runtime, "/tmp/symphony-7");
  EXPECT_EQ(dirs.data, "/home/me/.local/share/symphony");
  EXPECT_EQ(dirs.cache, "/home/me/.cache/symphony");
  EXPECT_EQ(dirs.config, "/home/me/.config/symphony");
}

struct Files : testing::Test {
  test::TempDir dir;
};

TEST_F(Files, ARuntimeDirectoryIsMadePrivateAndRefusedWhenItIsNot) {
  XdgDirs dirs;
  dirs.runtime = dir.path() / "run";
  ASSERT_TRUE(ensure_runtime_dir(dirs).ok());
  EXPECT_EQ(fs::status(dirs.runtime).permissions(), fs::perms::owner_all);
  EXPECT_TRUE(ensure_runtime_dir(dirs).ok());
  fs::permissions(dirs.runtime, fs::perms::others_read, fs::perm_options::add);
  const Status open = ensure_runtime_dir(dirs);
  ASSERT_FALSE(open.ok());
  EXPECT_EQ(open.error().code, Errc::PERMISSION_DENIED);
  EXPECT_NE(open.error().message.find("chmod 700"), std::string::npos);

  fs::create_directory_symlink(dir.path(), dir.path() / "link");
  EXPECT_FALSE(ensure_private_directory(dir.path() / "link").ok());
  EXPECT_EQ(ensure_private_directory(dir.path() / "none" / "run").error().code, Errc::NOT_FOUND);
}

TEST_F(Files, OnlyWhatIsMissingIsMissing) {
  EXPECT_FALSE(*path_exists(dir.path() / "none"));
  EXPECT_FALSE(*path_exists(dir.path() / "none/below"));
  EXPECT_TRUE(*path_exists(dir.path()));
  EXPECT_TRUE(*directory_exists(dir.path()));
  fs::create_symlink("loop", dir.path() / "loop");  // an error that root meets, too
  EXPECT_FALSE(path_exists(dir.path() / "loop").ok());
  EXPECT_FALSE(directory_exists(dir.path() / "loop").ok());
  EXPECT_EQ(path_exists(dir.path() / std::string(300, 'x')).error().code, Errc::INVALID_ARGUMENT);
}

TEST_F(Files, ANameThatIsTakenIsNotTakenOver) {
  const fs::path from = dir.path() / "from";
  const fs::path to = dir.path() / "to";
  std::ofstream(from) << "new";
  std::ofstream(to) << "precious";
  EXPECT_EQ(rename_new(from, to).error().code, Errc::ALREADY_EXISTS);
  EXPECT_EQ(read_file(to, 100).value(), "precious");
  fs::remove(to);
  ASSERT_TRUE(rename_new(from, to).ok());
  EXPECT_EQ(read_file(to, 100).value(), "new");
  EXPECT_FALSE(fs::exists(from));
}

TEST_F(Files, DirectoriesAreCreatedWithAllAboveThem) {
  const fs::path deep = dir.path() / "a/b/c";
  ASSERT_TRUE(create_directories(deep, 0700).ok());
  EXPECT_EQ(fs::status(deep.parent_path()).permissions(), fs::perms::owner_all);
  EXPECT_TRUE(create_directories(deep, 0700).ok());
  std::ofstream(dir.path() / "file") << "x";
  EXPECT_FALSE(create_directories(dir.path() / "file", 0700).ok());
  EXPECT_FALSE(create_directories(dir.path() / "file/below", 0700).ok());
}

TEST(SystemError, SaysWhatWasDoneToWhatAndWhy) {
  EXPECT_EQ(system_error("open", "a\nb", EACCES).message, "cannot open a\\nb: Permission denied");
  EXPECT_EQ(system_error("open", "", EIO).message, "cannot open: Input/output error");
  EXPECT_EQ(errc_of(EIO), Errc::UNAVAILABLE) << "nobody knows what is there";
  EXPECT_EQ(errc_of(ESTALE), Errc::UNAVAILABLE);
  EXPECT_EQ(errc_of(ENOSPC), Errc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(errc_of(ENOTDIR), Errc::NOT_FOUND);
  EXPECT_EQ(errc_of(EROFS), Errc::PERMISSION_DENIED);
  EXPECT_EQ(errc_of(EEXIST), Errc::ALREADY_EXISTS);
}

TEST_F(Files, ReadingHasALimitAndNamesTheFile) {
  const fs::path file = dir.path() / "big\n";
  std::ofstream(file) << std::string(200'000, 'x');
  EXPECT_EQ(read_file(file, 200'000).value().size(), 200'000u);
  const auto big = read_file(file, 199'999);
  ASSERT_FALSE(big.ok());
  EXPECT_EQ(big.error().code, Errc::RESOURCE_EXHAUSTED);
  EXPECT_NE(big.error().message.find("big\\n"), std::string::npos);
  EXPECT_EQ(read_file(dir.path() / "none", 1).error().code, Errc::NOT_FOUND);
  EXPECT_EQ(read_file(dir.path(), 1).error().code, Errc::INVALID_ARGUMENT);
  const fs::path pipe = dir.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_file(pipe, 1).error().code, Errc::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace symphony::runtime
