#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/storage/storage_writer.hpp"

namespace symphony::actors {

// A writer that passes on what it gets, refuses it, or fails it, as it is told.
class FakeWriter final : public runtime::StorageWriter {
 public:
  explicit FakeWriter(runtime::Storage& storage) : inner_(storage) {}
  Status submit(runtime::WriteOp op, runtime::Completion done, std::size_t size) override {
    if (refuse) return *refuse;
    if (fail) {
      done(*fail);
      return {};
    }
    if (hold) {
      held.push_back([this, op = std::move(op), done = std::move(done), size]() mutable {
        (void)inner_.submit(std::move(op), std::move(done), size);
      });
      return {};
    }
    return inner_.submit(std::move(op), std::move(done), size);
  }
  void release() {
    hold = false;
    for (auto& write : std::exchange(held, {})) write();
  }
  void drain() override {}
  void stop() override {}
  runtime::WriterStats stats() const override { return inner_.stats(); }

  std::optional<Error> refuse;
  std::optional<Error> fail;
  bool hold = false;
  std::vector<std::function<void()>> held;

 private:
  runtime::InlineStorageWriter inner_;
};

}  // namespace symphony::actors
