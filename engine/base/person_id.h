#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace audiencesync {

/// The value that identifies a person, personal data: without formatter, stream operator or JSON form.
class PersonId {
 public:
  PersonId() = default;
  explicit PersonId(std::string text) : text_(std::move(text)) {}

  bool empty() const { return text_.empty(); }
  /// The text itself: for records sent to the platform and files that the privacy page lists.
  const std::string& reveal() const { return text_; }
  /// What people may see in a sample: `a***@x***.io` for an address, `ab***` otherwise.
  std::string masked() const;

  friend auto operator<=>(const PersonId&, const PersonId&) = default;

 private:
  std::string text_;
};

}  // namespace audiencesync
