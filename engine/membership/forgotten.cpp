#include "engine/membership/forgotten.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <charconv>

namespace audiencesync {
namespace {

// A mark is four hexadecimal digits of a fast hash, then half a SHA-256 under the key. The first part only spares the
// second one for nearly everybody.
constexpr std::size_t kFastDigits = 4;
constexpr std::size_t kMarkDigits = kFastDigits + 32;
constexpr std::size_t kFilterSize = 1U << (4 * kFastDigits);

std::size_t fast_hash(std::string_view person) { return XXH3_64bits(person.data(), person.size()) & (kFilterSize - 1); }

}  // namespace

std::string Forgotten::mark_of(std::string_view person) const {
  std::string keyed = key_;
  keyed.append(1, '\x1F').append(person);
  return fmt::format("{:04x}{}", fast_hash(person), sha256(keyed).substr(0, kMarkDigits - kFastDigits));
}

void Forgotten::widen_filter(std::string_view mark) {
  if (filter_.empty()) filter_.assign(kFilterSize, false);
  std::size_t place = 0;
  std::from_chars(mark.data(), mark.data() + kFastDigits, place, 16);
  filter_[place] = true;
}

bool Forgotten::contains(std::string_view person) const {
  return !filter_.empty() && filter_[fast_hash(person)] && marks_.contains(mark_of(person));
}

bool Forgotten::add(std::string_view person) {
  auto mark = mark_of(person);
  widen_filter(mark);
  return marks_.insert(std::move(mark)).second;
}

bool Forgotten::lift(std::string_view person) { return marks_.erase(mark_of(person)) > 0; }

Digest Forgotten::digest() const { return empty() ? Digest{} : digest_of(to_value()); }

Value Forgotten::to_value() const {
  if (empty()) return {};
  return Value::Object{{"key", key_}, {"people", Value::Array(marks_.begin(), marks_.end())}};
}

Forgotten Forgotten::from_value(const Value& value) {
  Forgotten forgotten(value.text("key"));
  for (const auto& item : value.items("people")) {
    const auto* mark = item.string_if();
    if (mark == nullptr || mark->size() != kMarkDigits) continue;
    forgotten.widen_filter(*mark);
    forgotten.marks_.insert(*mark);
  }
  return forgotten;
}

}  // namespace audiencesync
