// capnpc-symphony, the protocol generator.
//
//   capnp compile -o<this program>:<directory> FILE.capnp…     generates into the directory
//   capnpc-symphony check-lock OLD NEW                         may NEW replace OLD?
//
// Exit: 0 done, 1 refused (each reason one line on standard error), 2 wrong use.
#include <capnp/serialize.h>
#include <kj/exception.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "messages/codegen/emit.hpp"
#include "messages/codegen/lock.hpp"

namespace {

namespace fs = std::filesystem;
using namespace symphony::codegen;

bool read_file(const fs::path& path, std::string& content) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return false;
  content.assign(std::istreambuf_iterator<char>(in), {});
  return true;
}

// A file whose content stays the same keeps its time, so that nothing is compiled again.
bool write_if_changed(const fs::path& path, const std::string& content) {
  std::string present;
  if (read_file(path, present) && present == content) return true;
  std::error_code ignored;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), ignored);
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  if (!out) std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
  return static_cast<bool>(out);
}

int report(const std::vector<std::string>& problems) {
  for (const auto& problem : problems) std::fprintf(stderr, "%s\n", problem.c_str());
  return problems.empty() ? 0 : 1;
}

int generate() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 1 << 30;
  capnp::StreamFdMessageReader reader(STDIN_FILENO, options);
  const Catalogue catalogue{reader.getRoot<capnp::schema::CodeGeneratorRequest>()};
  if (!catalogue.problems().empty()) return report(catalogue.problems());

  std::string component_header;
  fs::path common;
  for (const auto& file : catalogue.files())
    for (const auto& protocol : file.protocols)
      if (protocol.title == kComponentTitle) {
        component_header = header_path(file.path);
        common = fs::path(file.path).parent_path();
      }
  bool written = true;
  for (const auto& file : catalogue.files()) {
    written &= write_if_changed(header_path(file.path),
                                protocol_header(catalogue, file, component_header));
    written &= write_if_changed(source_path(file.path), protocol_source(catalogue, file));
  }
  if (!component_header.empty())
    written &= write_if_changed(common / "protocols.cpp", protocols_source(catalogue));
  written &= write_if_changed(common / "protocols.md", protocols_page(catalogue));
  written &= write_if_changed(common / "schema.lock", schema_lock(catalogue));
  return written ? 0 : 1;
}

int check_lock(const char* old_path, const char* new_path) {
  std::string committed, current;
  if (!read_file(new_path, current)) {
    std::fprintf(stderr, "%s: cannot be read\n", new_path);
    return 1;
  }
  if (!read_file(old_path, committed)) return 0;  // nothing was promised yet
  return report(lock_breaches(committed, current));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 1) return generate();
    if (argc == 4 && std::string{argv[1]} == "check-lock") return check_lock(argv[2], argv[3]);
  } catch (const kj::Exception& error) {
    std::fprintf(stderr, "the request from capnp cannot be read: %s\n",
                 error.getDescription().cStr());
    return 1;
  }
  std::fprintf(stderr, "usage: capnp compile -o%s:DIRECTORY FILE…\n       %s check-lock OLD NEW\n",
               argv[0], argv[0]);
  return 2;
}
