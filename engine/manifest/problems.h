#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"

namespace audiencesync {

/// What a configuration file says, or everything that is wrong with it.
///
/// `value` is there exactly when `problems` is empty. Both lists are sorted by place and every entry has one.
/// Warnings do not prevent anything: the caller prints them.
template <class T>
struct Loaded {
  std::optional<T> value;
  std::vector<Error> problems;
  std::vector<Error> warnings;

  bool ok() const { return value.has_value(); }
};

/// Collects what is wrong with a file, so that its author sees all of it at once. Not thread-safe.
class Problems {
 public:
  /// The text is wrong: Invalid.
  void invalid(const Place& place, std::string message);
  /// The text is right for a later version: Unsupported.
  void later(const Place& place, std::string message);
  /// Works, but the author should change it.
  void warn(const Place& place, std::string message);
  void add(Error error);

  bool empty() const { return problems_.empty(); }
  std::size_t count() const { return problems_.size(); }

  /// Both lists sorted by file, line and column; entries of one place keep their order, repeated ones appear once.
  std::vector<Error> take_problems();
  std::vector<Error> take_warnings();

 private:
  std::vector<Error> problems_;
  std::vector<Error> warnings_;
};

/// The value with the warnings, or the problems with the warnings when there are any.
template <class T>
Loaded<T> conclude(T value, Problems&& problems) {
  Loaded<T> loaded;
  if (problems.empty()) loaded.value = std::move(value);
  loaded.warnings = problems.take_warnings();
  loaded.problems = problems.take_problems();
  return loaded;
}

}  // namespace audiencesync
