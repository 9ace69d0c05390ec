// Expected failures as values.
//
// `Result<T>` is either a T or an `Error` from the closed list `Errc` (messages/error.capnp).
// Whatever can be expected to fail returns one; exceptions are for bugs, which end the
// incarnation of the component that threw them and are answered by its supervisor.
// Values of these types are as thread-safe as their contents.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "messages/error.capnp.h"

// Checks an invariant, in release builds too: a broken one is a bug, and going on would be worse.
#define SYMPHONY_ASSERT(condition)                                  \
  do {                                                              \
    if (!(condition)) [[unlikely]]                                  \
      ::symphony::assertion_failed(#condition, __FILE__, __LINE__); \
  } while (false)

namespace symphony {

using Errc = messages::Errc;

[[noreturn]] inline void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
  std::abort();
}

// The name of a code as the schema spells it ("notFound").
std::string_view to_string(Errc code) noexcept;

struct Error {
  Errc code = Errc::INTERNAL;
  std::string message;     // one sentence for a person
  std::string field = {};  // path of the offending field, empty when there is none
  bool retryable = false;  // whether the same request may succeed later

  friend bool operator==(const Error&, const Error&) = default;
};

// "notFound: no artifact named x (field name)".
std::string to_string(const Error& error);

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  // REQUIRES: ok().
  T& value() & {
    SYMPHONY_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    SYMPHONY_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    SYMPHONY_ASSERT(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // REQUIRES: !ok().
  const Error& error() const& {
    SYMPHONY_ASSERT(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    SYMPHONY_ASSERT(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  [[nodiscard]] bool ok() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  const Error& error() const& {
    SYMPHONY_ASSERT(!ok());
    return *error_;
  }
  Error&& error() && {
    SYMPHONY_ASSERT(!ok());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace symphony
