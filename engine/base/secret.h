#pragma once

#include <string>

namespace audiencesync {

/// A credential. Deliberately without formatter, stream operator or JSON form: it cannot be printed by accident.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) noexcept = default;
  ~Secret();  // overwrites the bytes

  bool empty() const { return text_.empty(); }
  /// The text itself: for the one place that sends it.
  const std::string& reveal() const { return text_; }

 private:
  std::string text_;
};

}  // namespace audiencesync
