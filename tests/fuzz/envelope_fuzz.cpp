// Words from another process: what validation lets through can be read, measured, copied and
// written as JSON, and nothing of that ever throws.
//
// The first byte chooses the struct and where the words come from: the input itself (the second
// byte cuts it into segments), or a sound message made from a seed and then damaged as the rest
// of the input says.
#include <cstring>
#include <vector>

#include "messages/json.hpp"
#include "messages/protocol.hpp"
#include "messages/validate.hpp"
#include "tests/samples/damage.hpp"
#include "tests/samples/random_message.hpp"
#include "tests/samples/samples.capnp.h"

namespace {

using namespace symphony;

struct Subjects {
  Subjects() {
    add(capnp::Schema::from<samples::Everything>());
    add(capnp::Schema::from<samples::Either>());
    add(capnp::Schema::from<samples::Bag>());
    add(capnp::Schema::from<samples::Empties>());
    for (const auto* protocol : all_protocols())
      for (const auto& method : protocol->methods) {
        add(method.request());
        if (method.response != nullptr) add(method.response());
      }
  }
  void add(capnp::StructSchema schema) {
    schemas.push_back(schema);
    validator.add(schema);
  }
  std::vector<capnp::StructSchema> schemas;
  Validator validator;
};

// Numbers out of the input, zeros once it is used up.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
  std::uint64_t operator()() {
    std::uint64_t value = 0;
    const auto n = std::min(left_, sizeof value);
    std::memcpy(&value, data_, n);
    data_ += n;
    left_ -= n;
    return value;
  }
  std::size_t left() const { return left_; }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

testing::RawWords raw(Input& input, unsigned cut) {
  testing::RawWords result{std::vector<std::uint64_t>{}};
  while (input.left() > 0) result.content.push_back(input());
  const auto total = static_cast<std::uint32_t>(result.content.size());
  const auto first = std::min(total, cut == 0 ? total : cut);
  result.sizes = {first, total - first};
  return result;
}

testing::RawWords damaged(capnp::StructSchema schema, Input& input) {
  testing::Random random{input()};
  testing::RawWords result{testing::random_message(schema, random, 2)};
  while (input.left() > 0) testing::damage(result, input);
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Subjects subjects;
  if (size < 2) return 0;
  const auto schema = subjects.schemas[(data[0] >> 1) % subjects.schemas.size()];
  Input input{data + 2, size - 2};
  const auto words = ((data[0] & 1) == 0 ? raw(input, data[1]) : damaged(schema, input)).words();
  if (!subjects.validator.validate(words, schema).ok()) return 0;
  (void)testing::read_everything(words, schema);
  // Past a limit JSON may refuse; otherwise it reads what it wrote.
  const auto back = from_json(schema, to_json(words, schema));
  SYMPHONY_ASSERT(back.ok() || back.error().code == Errc::RESOURCE_EXHAUSTED);
  return 0;
}
