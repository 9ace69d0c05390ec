// Bytes as a settings file, as a --set option and as the value of a variable: whatever they are,
// they are taken or refused with problems of one printable line each; what was taken as TOML can be
// written and read again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "messages/result.hpp"
#include "runtime/settings/node_schema.hpp"
#include "runtime/settings/sources.hpp"
#include "runtime/settings/toml.hpp"
#include "runtime/settings/toml_write.hpp"

namespace {

using namespace symphony::runtime;

constexpr std::size_t kMaxWordBytes = 64;

void check_problems(bool ok, const Problems& problems) {
  SYMPHONY_ASSERT(ok == problems.empty());
  for (const auto& problem : problems) {
    const auto text = problem.text();
    SYMPHONY_ASSERT(!text.empty());
    SYMPHONY_ASSERT(std::none_of(text.begin(), text.end(),
                                 [](unsigned char c) { return c < 0x20 || c == 0x7f; }));
  }
}

void check_combined(const Checked<Settings>& result) {
  check_problems(result.ok(), result.problems);
  if (result.ok()) SYMPHONY_ASSERT(result.value->get_ms("boot.drain_ms").count() >= 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Schema kSchema = load_node_schema();
  const std::string bytes{reinterpret_cast<const char*>(data), size};
  const auto tree = parse_toml(bytes, "fuzz.toml");
  check_problems(tree.ok(), tree.problems);
  if (tree.ok()) {
    check_combined(combine_settings(kSchema, tree.value, {}, {}));
    const auto again = parse_toml(to_toml_document(tree.value->as_object()), "again.toml");
    SYMPHONY_ASSERT(again.ok());
    SYMPHONY_ASSERT(*again.value == *tree.value);
  }
  // Long options and variables hold nothing new, and would keep the fuzzer from the files.
  if (size > kMaxWordBytes) return 0;
  check_combined(combine_settings(kSchema, {}, {}, {bytes}));
  check_combined(combine_settings(kSchema, {}, {{"SYMPHONY_LOG_LEVELS", bytes}}, {}));
  check_combined(combine_settings(kSchema, {}, {{"SYMPHONY_" + bytes, "1"}}, {}));
  return 0;
}
