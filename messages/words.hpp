// The words of a message: an immutable, reference-counted list of Cap'n Proto segments.
//
// Built once by the sender, read in place by every receiver in the process: never copied, never
// flattened. Only the link flattens (to write) and adopts (what it read and validated).
// Copying is one atomic increment. Thread-safe: the words never change; every receiver opens a
// reader of its own, since a reader counts what it has traversed.
#pragma once

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/array.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace symphony {

class Words {
 public:
  // Messages up to this size are built without a second allocation.
  static constexpr std::size_t kInlineWords = 48;
  // Deepest nesting of pointers in a message, built here or received.
  static constexpr int kMaxNesting = 64;

  Words() noexcept = default;
  Words(const Words& other) noexcept : body_(other.body_) {
    if (body_ != nullptr) body_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Words(Words&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  Words& operator=(Words other) noexcept {
    std::swap(body_, other.body_);
    return *this;
  }
  ~Words() { release(); }

  // Builds a message whose root is a T, filled in by `fill(T::Builder)`.
  template <class T, class Fill>
  static Words build(Fill&& fill) {
    auto* body = new Built;
    Words words{body};
    std::forward<Fill>(fill)(body->builder.template initRoot<T>());
    body->freeze();
    return words;
  }

  // The same for a struct whose schema is known at run time only: T is capnp::DynamicStruct.
  template <class T, class Schema, class Fill>
  static Words build(const Schema& schema, Fill&& fill) {
    auto* body = new Built;
    Words words{body};
    std::forward<Fill>(fill)(body->builder.template initRoot<T>(schema));
    body->freeze();
    return words;
  }

  // Takes over `buffer`, of which `segment_sizes` (in words) are the segments in order.
  // The content is NOT validated here: see messages/validate.hpp.
  // REQUIRES: the sizes add up to at most the buffer's size.
  static Words adopt(kj::Array<capnp::word> buffer, std::span<const std::uint32_t> segment_sizes);

  [[nodiscard]] bool empty() const noexcept { return body_ == nullptr; }
  [[nodiscard]] kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments() const noexcept {
    return body_ == nullptr ? nullptr : body_->segments;
  }
  [[nodiscard]] std::size_t size_bytes() const noexcept;

  // The words of a message that was built in this process and has one segment, else null: such a
  // message needs no reader, since nothing in it points outside.
  [[nodiscard]] const capnp::word* flat() const noexcept {
    return body_ == nullptr ? nullptr : body_->flat;
  }

  // A reader over these words, which must outlive it. Trusted: no traversal limit.
  [[nodiscard]] std::unique_ptr<capnp::SegmentArrayMessageReader> open() const;

 private:
  struct Body {
    virtual ~Body() = default;
    std::atomic<std::uint32_t> references{1};
    kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments;
    const capnp::word* flat = nullptr;
  };
  // What capnp::MallocMessageBuilder does, without wiping its memory at the end.
  class Builder final : public capnp::MessageBuilder {
   public:
    ~Builder() noexcept override;
    kj::ArrayPtr<capnp::word> allocateSegment(capnp::uint minimum_words) override;

   private:
    capnp::word first_[kInlineWords] = {};
    std::size_t allocated_words_ = 0;
    std::vector<std::unique_ptr<void, void (*)(void*)>> more_;
  };
  struct Built final : Body {
    ~Built() noexcept override {}
    void freeze() {
      segments = builder.getSegmentsForOutput();
      if (segments.size() == 1) flat = segments[0].begin();
    }
    Builder builder;
  };
  struct Adopted final : Body {
    ~Adopted() noexcept override {}
    kj::Array<capnp::word> buffer;
    std::vector<kj::ArrayPtr<const capnp::word>> table;
  };

  explicit Words(Body* body) noexcept : body_(body) {}
  void release() noexcept {
    if (body_ != nullptr && body_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete body_;
  }

  Body* body_ = nullptr;
};

// A message that is read as a T: the words and a reader of one's own. Movable; the T::Reader it
// gives stays valid across moves, as long as the Msg (or what it was moved to) lives.
template <class T>
class Msg {
 public:
  Msg() = default;
  explicit Msg(Words words) : words_(std::move(words)) {
    if (words_.empty()) return;
    if (const auto* flat = words_.flat()) {
      root_ = capnp::readMessageUnchecked<T>(flat);
      return;
    }
    reader_ = words_.open();
    root_ = reader_->template getRoot<T>();
  }

  template <class Fill>
  static Msg build(Fill&& fill) {
    return Msg{Words::build<T>(std::forward<Fill>(fill))};
  }

  const typename T::Reader& operator*() const noexcept { return root_; }
  const typename T::Reader* operator->() const noexcept { return &root_; }
  const Words& words() const noexcept { return words_; }

 private:
  Words words_;
  std::unique_ptr<capnp::SegmentArrayMessageReader> reader_;
  typename T::Reader root_;
};

}  // namespace symphony
