#pragma once

#include <cassert>
#include <type_traits>
#include <utility>
#include <variant>

#include "engine/base/error.h"

namespace audiencesync {

/// A value or the Error that prevented it. Asking for the one that is not there is a bug (asserts).
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  template <class U = T>
  requires(std::is_constructible_v<T, U&&> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
           !std::is_same_v<std::remove_cvref_t<U>, Error>) Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  T take() && {
    assert(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }
  Error error() && {
    assert(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

  /// Adds a frame to the error, if there is one: `TRY(files.read(path).in("settings"))`.
  Result in(std::string frame) && {
    if (ok()) return std::move(*this);
    return std::move(*this).error().in(std::move(frame));
  }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  void take() && { assert(ok()); }
  const Error& error() const& {
    assert(!ok());
    return *error_;
  }
  Error error() && {
    assert(!ok());
    return std::move(*error_);
  }
  Result in(std::string frame) && {
    if (ok()) return {};
    return std::move(*error_).in(std::move(frame));
  }

 private:
  std::optional<Error> error_;
};

}  // namespace audiencesync

#define AUDIENCESYNC_TRY_JOIN2(a, b) a##b
#define AUDIENCESYNC_TRY_JOIN(a, b) AUDIENCESYNC_TRY_JOIN2(a, b)
#define AUDIENCESYNC_TRY(expression, name) \
  ({                                       \
    auto&& name = (expression);            \
    if (!name.ok()) [[unlikely]]           \
      return std::move(name).error();      \
    std::move(name).take();                \
  })

/// The value of a Result, or return its error from the enclosing function.
/// A whole statement, a whole right-hand side or a whole return value; inside braces it leaks (see CONTRIBUTING.md).
#define TRY(...) AUDIENCESYNC_TRY((__VA_ARGS__), AUDIENCESYNC_TRY_JOIN(try_result_, __COUNTER__))
