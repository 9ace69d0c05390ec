// Runs the real generator, through capnp, on the schemas in tests/messages/schemas/.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace symphony {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = SYMPHONY_SOURCE_DIR;
const fs::path kGenerated = SYMPHONY_GENERATED_DIR;
const fs::path kGenerator = fs::path(SYMPHONY_BIN_DIR) / "capnpc-symphony";
const fs::path kSchemas = kSource / "tests/messages/schemas";

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    auto pattern = (fs::temp_directory_path() / "symphony-codegen-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { fs::remove_all(path); }
  fs::path path;
};

struct Outcome {
  int exit_code = -1;
  std::string output;
};

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

Outcome run(const std::string& command) {
  Outcome outcome;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return outcome;
  char buffer[4096];
  while (const auto count = std::fread(buffer, 1, sizeof buffer, pipe))
    outcome.output.append(buffer, count);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

Outcome generate(const fs::path& schema, const fs::path& directory, bool with_component = true,
                 const std::string& more = "") {
  return run(std::string{SYMPHONY_CAPNP} + " compile -I" + quoted(kSource) +
             " -I/usr/include --src-prefix=" + quoted(kSource) + " -o" + quoted(kGenerator) + ":" +
             quoted(directory) + " " + more + " " +
             (with_component ? quoted(kSource / "messages/component.capnp") : "") + " " +
             quoted(schema));
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Generator, WritesTagsHandlersAndRefsOfEveryKindOfMethod) {
  const TemporaryDirectory out;
  ASSERT_EQ(generate(kSchemas / "garden.capnp", out.path).exit_code, 0);
  for (const std::string name : {"garden.protocol.hpp", "garden.protocol.cpp"})
    EXPECT_EQ(read(out.path / "tests/messages/schemas" / name),
              read(kSchemas / "golden" / (name + ".golden")))
        << "when the change is meant, copy the generator's output to " << name << ".golden";
}

TEST(Generator, LeavesFilesAloneWhoseContentStaysTheSame) {
  const TemporaryDirectory out;
  ASSERT_EQ(generate(kSchemas / "garden.capnp", out.path).exit_code, 0);
  const auto header = out.path / "tests/messages/schemas/garden.protocol.hpp";
  const auto long_ago = fs::last_write_time(header) - std::chrono::hours{1};
  fs::last_write_time(header, long_ago);
  ASSERT_EQ(generate(kSchemas / "garden.capnp", out.path).exit_code, 0);
  EXPECT_EQ(fs::last_write_time(header), long_ago);
}

TEST(Generator, DocumentsFieldsUnionsAndFlags) {
  const TemporaryDirectory out;
  ASSERT_EQ(generate(kSchemas / "garden.capnp", out.path).exit_code, 0);
  const auto page = read(out.path / "messages/protocols.md");
  for (const std::string line :
       {"| `rain` | [RainNotice](#rainnotice) | – | one-way |  |", "| `kind` | Text | of flower |",
        "| `depth.surface` | Void | one of;  |", "| `seeds` | List([Seed](#seed)) |  |",
        "Found as `/test/garden`."})
    EXPECT_NE(page.find(line), std::string::npos) << line;
}

TEST(Generator, WantsComponentBesideEveryProtocol) {
  const TemporaryDirectory out;
  const auto outcome = generate(kSchemas / "garden.capnp", out.path, false);
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_NE(outcome.output.find("the interface Component is needed too"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(out.path));
}

class Refused : public testing::TestWithParam<fs::path> {};

TEST_P(Refused, NamesFileAndPlaceAndWritesNothing) {
  const TemporaryDirectory out;
  const auto first_line = read(GetParam()).substr(0, read(GetParam()).find('\n'));
  const std::string marker = "# refused: ";
  ASSERT_EQ(first_line.compare(0, marker.size(), marker), 0) << GetParam();
  const auto outcome = generate(GetParam(), out.path);
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_NE(outcome.output.find(first_line.substr(marker.size())), std::string::npos)
      << outcome.output;
  EXPECT_NE(outcome.output.find(GetParam().filename().string()), std::string::npos);
  EXPECT_TRUE(fs::is_empty(out.path));
}

std::vector<fs::path> refused_schemas() {
  std::vector<fs::path> schemas;
  for (const auto& entry : fs::directory_iterator(kSchemas / "refused"))
    schemas.push_back(entry.path());
  return schemas;
}

INSTANTIATE_TEST_SUITE_P(Schemas, Refused, testing::ValuesIn(refused_schemas()),
                         [](const auto& info) { return info.param.stem().string(); });

// One run of the compiler that built this, over a component of the garden's protocol.
class Handlers : public testing::Test {
 protected:
  Outcome compile(const std::string& defines) {
    EXPECT_EQ(generate(kSchemas / "garden.capnp", out_.path, true, "-oc++:" + quoted(out_.path))
                  .exit_code,
              0);
    return run(std::string{SYMPHONY_CXX} + " -std=c++20 -fsyntax-only -Wall -Wextra -Werror -I" +
               quoted(out_.path) + " -I" + quoted(kSource) + " -I" + quoted(kGenerated) + " " +
               defines + " " + quoted(kSource / "tests/messages/codegen/handlers_driver.cpp"));
  }
  TemporaryDirectory out_;
};

TEST_F(Handlers, CompileWhenEachMethodHasOne) {
  const auto outcome = compile("");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
}

TEST_F(Handlers, DoNotCompileWhenOneIsMissing) {
  const auto outcome = compile("-DMISSING");
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_NE(outcome.output.find("count"), std::string::npos) << outcome.output;
}

TEST_F(Handlers, DoNotCompileWhenOneIsTooMany) {
  const auto outcome = compile("-DEXTRA");
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_NE(outcome.output.find("override"), std::string::npos) << outcome.output;
}

TEST_F(Handlers, DoNotCompileWhenAComponentWaitsForAnAnswer) {
  const auto outcome = compile("-DCOMPONENT_WAITS");
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_NE(outcome.output.find("a component must not wait for an answer"), std::string::npos)
      << outcome.output;
}

class SchemaLock : public testing::Test {
 protected:
  SchemaLock() {
    EXPECT_EQ(generate(kSchemas / "garden.capnp", out_.path).exit_code, 0);
    lock_ = read(out_.path / "messages/schema.lock");
  }
  // Whether a lock in which `from` became `to` may replace the present one.
  Outcome change(const std::string& from, const std::string& to) {
    write(out_.path / "old.lock", lock_);
    write(out_.path / "new.lock", replaced(lock_, from, to));
    return run(quoted(kGenerator) + " check-lock " + quoted(out_.path / "old.lock") + " " +
               quoted(out_.path / "new.lock"));
  }
  void expect_refused(const std::string& from, const std::string& to, const std::string& message) {
    const auto outcome = change(from, to);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.output.substr(0, outcome.output.find('\n')), message);
  }
  TemporaryDirectory out_;
  std::string lock_;
};

TEST_F(SchemaLock, AllowsAdditions) {
  const auto field = change("  kind @0 :Text at 0\n", "  kind @0 :Text at 0\n  x @9 :Text at 7\n");
  EXPECT_EQ(field.exit_code, 0) << field.output;
  const auto type = change("struct Seed.Label", "struct Seed.Other @0x1\n\nstruct Seed.Label");
  EXPECT_EQ(type.exit_code, 0) << type.output;
}

TEST_F(SchemaLock, NamesWhatBroke) {
  expect_refused("  kind @0 :Text", "  kind @0 :Data",
                 "struct Seed: `kind @0 :Text at 0` is now `kind @0 :Data at 0`");
  expect_refused("  kind @0 :Text at 0\n", "", "struct Seed: `kind @0 :Text at 0` is gone");
  expect_refused(":Colour at 0 = 1", ":Colour at 0",
                 "struct Seed: `colour @1 :Colour at 0 = 1` is now `colour @1 :Colour at 0`");
  expect_refused("  blue @1", "  blue @2", "enum Colour: `blue @1` is now `blue @2`");
  expect_refused("  count @1 CountRequest -> CountResponse $idempotent",
                 "  count @1 CountRequest -> CountResponse",
                 "interface Garden: `count @1 CountRequest -> CountResponse $idempotent` is now "
                 "`count @1 CountRequest -> CountResponse`");
  expect_refused("struct Seed.Label @0xe9", "struct Seed.Label @0xe8",
                 "struct Seed.Label has another id: `struct Seed.Label @0xe98acd24eb14108d` is now "
                 "`struct Seed.Label @0xe88acd24eb14108d`");
  for (const std::string field :
       {"single @0 :Float32 at 0 = 0.1", "text @3 :Text at 0 = \"a \\x22b",
        "double @1 :Float64 at 1 = 0.1000000000000001", "nothing @2 :Float64 at 2 = -0",
        "data @4 :Data at 1 = 0x00ff", "list @5 :List(UInt16) at 2 = 0x",
        "label @6 :Seed.Label at 3 = 0x", "texts @7 :List(Text) at 4 = 0x"})
    EXPECT_EQ(change("  " + field, "  " + field + "1").exit_code, 1) << field;
  expect_refused("struct Seed.Label @0xe9", "struct Seed.Sign @0xe9", "struct Seed.Label is gone");
}

TEST(CommittedSchemaLock, StillHolds) {
  const auto outcome =
      run(quoted(kGenerator) + " check-lock " + quoted(kSource / "messages/schema.lock") + " " +
          quoted(kGenerated / "messages/schema.lock"));
  EXPECT_EQ(outcome.exit_code, 0)
      << outcome.output
      << "a protocol may only grow: put back what is named above and add instead "
         "(what was never released may be removed from messages/schema.lock by hand)";
}

TEST(CommittedSchemaLock, IsUpToDate) {
  EXPECT_EQ(read(kSource / "messages/schema.lock"), read(kGenerated / "messages/schema.lock"))
      << "the schemas changed: run `make protocols` and commit messages/schema.lock";
}

TEST(ProtocolsPage, IsUpToDate) {
  EXPECT_EQ(read(kSource / "docs/protocols.md"), read(kGenerated / "messages/protocols.md"))
      << "the schemas changed: run `make protocols` and commit docs/protocols.md";
}

}  // namespace
}  // namespace symphony
