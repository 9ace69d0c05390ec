// What a message costs: building and reading it, validating what comes from another process,
// writing and reading JSON. Budgets: a small message validated in 1 µs, large Data at 500 MB/s.
#include <benchmark/benchmark.h>

#include <string>

#include "messages/component.capnp.h"
#include "messages/json.hpp"
#include "messages/validate.hpp"

namespace {

using namespace symphony;
using messages::DescribeResponse;

// About what a request or an answer is: two texts and a few numbers.
Words small_message() {
  return Words::build<DescribeResponse>([](auto builder) {
    builder.setName("/pit/dag");
    builder.setProtocol("Dag");
    builder.setState(messages::ComponentState::READY);
    builder.setIncarnation(3);
    builder.initStats().setProcessed(7);
  });
}

Words text_message(std::size_t size_bytes) {
  const std::string text(size_bytes, 'x');
  return Words::build<DescribeResponse>([&](auto builder) { builder.setSummary(text); });
}

Validator validator() {
  Validator result;
  result.add(capnp::Schema::from<DescribeResponse>());
  return result;
}

void build_and_read_small(benchmark::State& state) {
  for (auto _ : state) {
    const Msg<DescribeResponse> message{small_message()};
    benchmark::DoNotOptimize(message->getName().size() + message->getStats().getProcessed());
  }
}
BENCHMARK(build_and_read_small);

void validate_small(benchmark::State& state) {
  const auto known = validator();
  const auto words = small_message();
  const auto schema = capnp::Schema::from<DescribeResponse>();
  for (auto _ : state) {
    const auto status = known.validate(words, schema);
    if (!status.ok()) state.SkipWithError("refused");
  }
}
BENCHMARK(validate_small);

// Without a Validator at hand the schema is looked through each time.
void validate_small_without_validator(benchmark::State& state) {
  const auto words = small_message();
  const auto schema = capnp::Schema::from<DescribeResponse>();
  for (auto _ : state) {
    const auto status = validate(words, schema);
    if (!status.ok()) state.SkipWithError("refused");
  }
}
BENCHMARK(validate_small_without_validator);

// Text is the slowest content: each byte is looked at. (Data costs nothing, whatever its size.)
void validate_text(benchmark::State& state) {
  const auto known = validator();
  const auto words = text_message(static_cast<std::size_t>(state.range(0)));
  const auto schema = capnp::Schema::from<DescribeResponse>();
  for (auto _ : state) {
    const auto status = known.validate(words, schema);
    if (!status.ok()) state.SkipWithError("refused");
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(validate_text)->Arg(4 << 10)->Arg(8 << 20);

// Many pointers: a list of structs with three texts each.
void validate_list(benchmark::State& state) {
  const auto known = validator();
  const auto words = Words::build<DescribeResponse>([&](DescribeResponse::Builder builder) {
    for (auto setting : builder.initSettings(static_cast<unsigned>(state.range(0)))) {
      setting.setKey("pit.dag.batch");
      setting.setValue("128");
      setting.setOrigin("defaults");
    }
  });
  const auto schema = capnp::Schema::from<DescribeResponse>();
  for (auto _ : state) {
    const auto status = known.validate(words, schema);
    if (!status.ok()) state.SkipWithError("refused");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(words.size_bytes()));
}
BENCHMARK(validate_list)->Arg(10'000);

void json_write_small(benchmark::State& state) {
  const auto words = small_message();
  const auto schema = capnp::Schema::from<DescribeResponse>();
  for (auto _ : state) benchmark::DoNotOptimize(to_json(words, schema).size());
}
BENCHMARK(json_write_small);

void json_read_small(benchmark::State& state) {
  const auto schema = capnp::Schema::from<DescribeResponse>();
  const auto text = to_json(small_message(), schema);
  for (auto _ : state) {
    const auto words = from_json(schema, text);
    if (!words.ok()) state.SkipWithError("refused");
  }
}
BENCHMARK(json_read_small);

}  // namespace

BENCHMARK_MAIN();
