#include "engine/membership/json/line_stencil.h"

#include <algorithm>
#include <cstring>

#include "engine/membership/bytes.h"
#include "engine/membership/json/record_block.h"

namespace audiencesync::json {
namespace {

using Sixteen = signed char __attribute__((vector_size(16)));
using ThirtyTwo = signed char __attribute__((vector_size(32)));

// By reference: registers that a processor may not have cannot be handed over.
template <class Bytes>
[[gnu::always_inline]] inline void load(const char* at, Bytes& bytes) {
  std::memcpy(&bytes, at, sizeof bytes);
}

/// Bits where a byte does not stand for itself in a text of JSON, or is not ASCII: they are signed, so what is not
/// ASCII is below every character of a text.
template <class Bytes>
[[gnu::always_inline]] inline void mark_special(const Bytes& bytes, Bytes& special) {
  special = (bytes == '"') | (bytes == '\\') | (bytes < ' ');
}

template <class Bytes>
[[gnu::always_inline]] inline bool has_bit(const Bytes& bytes) {
  std::uint64_t words[sizeof bytes / 8];
  std::memcpy(words, &bytes, sizeof bytes);
  std::uint64_t all = 0;
  for (const auto word : words) all |= word;
  return all != 0;
}

/// As many bytes of bits as a text has, then none: what is behind the text does not count.
struct Bits {
  static constexpr std::size_t kMost = sizeof(ThirtyTwo);
  constexpr Bits() {
    for (std::size_t i = 0; i < kMost; ++i) bytes[i] = '\xFF';
  }
  const char* first(std::size_t count) const { return bytes + (kMost - std::min(count, kMost)); }
  char bytes[2 * kMost]{};
};
constexpr Bits kBits;

/// Whether every byte stands for itself in a text of JSON, and is ASCII. `RecordBlock::kPadding` bytes behind it may be
/// read.
template <class Bytes>
[[gnu::always_inline]] inline bool is_plain(std::string_view text) {
  Bytes found{};
  Bytes bytes;
  Bytes special;
  Bytes counted;
  for (std::size_t i = 0; i < text.size(); i += sizeof bytes) {
    load(text.data() + i, bytes);
    load(kBits.first(text.size() - i), counted);
    mark_special(bytes, special);
    found |= special & counted;
  }
  return !has_bit(found);
}

bool stands_at(const char* at, const std::string& text) { return same_text({at, text.size()}, text); }

std::uint64_t word_at(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

}  // namespace

struct LineStencil::Reading {
  template <class Bytes>
  [[gnu::always_inline]] static bool fits(const LineStencil& in, const char* at) {
    Bytes differs{};
    Bytes bytes;
    Bytes expected;
    Bytes fixed;
    Bytes text;
    Bytes special;
    for (std::size_t i = 0; i < in.size_; i += sizeof differs) {
      load(at + i, bytes);
      load(in.bytes_.data() + i, expected);
      load(in.fixed_.data() + i, fixed);
      load(in.text_.data() + i, text);
      mark_special(bytes, special);
      differs |= ((bytes ^ expected) & fixed) | (special & text);
    }
    return !has_bit(differs);
  }

  static const Ending* ending_of(LineStencil& in, const char* at, const char* end) {
    const auto first = word_at(at);
    const auto second = word_at(at + 8);
    const auto differs = [&](const Ending& one) {
      return ((first ^ one.bytes[0]) & one.mask[0]) | ((second ^ one.bytes[1]) & one.mask[1]);
    };
    // No branch between the two usual ones: which of them comes next nobody can foresee.
    const auto not_first = differs(in.endings_[0]);
    const auto not_second = differs(in.endings_[1]);
    if (not_first == 0 || not_second == 0) [[likely]]
      return &in.endings_[not_first == 0 ? 0 : 1];
    for (std::size_t i = 2; i < in.endings_.size(); ++i) {
      if (differs(in.endings_[i]) == 0) return &in.endings_[i];
    }
    return in.learn_ending(at, end);
  }

  template <class Bytes>
  [[gnu::always_inline]] static bool read(LineStencil& in, std::string_view record, PersonBatch& batch) {
    const char* at = record.data();
    const char* const end = at + record.size();
    if (record.size() < in.before_.size() + in.after_.size() || !stands_at(at, in.before_)) return false;
    at += in.before_.size();
    const auto* const quote = static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
    if (quote == nullptr) return false;
    const std::string_view person(at, static_cast<std::size_t>(quote - at));
    if (!is_plain<Bytes>(person)) return false;
    if (end - quote < static_cast<std::ptrdiff_t>(in.after_.size()) || !stands_at(quote, in.after_)) return false;
    at = quote + in.after_.size();
    while (true) {
      if (end - at < static_cast<std::ptrdiff_t>(in.size_) || !fits<Bytes>(in, at)) return false;
      const std::string_view id(at, in.id_);
      at += in.size_;
      const auto* const ending = ending_of(in, at, end);
      if (ending == nullptr) return false;
      if (in.filter_ == nullptr || in.filter_->may_have(id)) in.add(id, ending->status, batch);
      at += ending->word + 2;
      if (at[0] != ',') break;
      if (at[1] != '"') return false;
      at += 2;
    }
    if (end - at != 3 || std::memcmp(at, "}}}", 3) != 0) return false;
    batch.rows.push_back({person, static_cast<std::uint32_t>(batch.audiences.size()), 0});
    return true;
  }

  static bool narrow(LineStencil& in, std::string_view record, PersonBatch& batch) {
    return read<Sixteen>(in, record, batch);
  }
#if defined(__x86_64__)
  [[gnu::target("avx2,bmi")]] static bool wide(LineStencil& in, std::string_view record, PersonBatch& batch) {
    return read<ThirtyTwo>(in, record, batch);
  }
#endif
  static Read best() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")) return wide;
#endif
    return narrow;
  }
};

LineStencil::LineStencil(const MembershipMeaning& meaning)
    : meaning_(meaning), filter_(meaning.filter()), read_(Reading::best()) {}

void LineStencil::learn(const LineShape& shape) {
  // What is read behind the end of a record that is cut there must be memory of ours.
  static_assert(sizeof(ThirtyTwo) + kLongestWord + 2 + 16 <= RecordBlock::kPadding);
  forget();
  const auto size = shape.id + shape.first.size() + shape.other + shape.second.size();
  if (size > LineShape::kLongest) return;
  bytes_.fill('\0');
  fixed_.fill('\0');
  text_.fill('\0');
  std::size_t at = 0;
  const auto text = [&](std::size_t length) {
    std::fill_n(text_.begin() + static_cast<std::ptrdiff_t>(at), length, '\xFF');
    at += length;
  };
  const auto always = [&](const std::string& what) {
    std::copy(what.begin(), what.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
    std::fill_n(fixed_.begin() + static_cast<std::ptrdiff_t>(at), what.size(), '\xFF');
    at += what.size();
  };
  text(shape.id);
  always(shape.first);
  text(shape.other);
  always(shape.second);
  size_ = size;
  id_ = shape.id;
  before_ = shape.before;
  after_ = shape.after;
  space_ = shape.space;
}

const LineStencil::Ending* LineStencil::learn_ending(const char* at, const char* end) {
  const auto most = std::min<std::ptrdiff_t>(end - at, kLongestWord + 2);
  if (most < 2) return nullptr;
  const std::string_view there(at, static_cast<std::size_t>(most));
  const auto word = there.substr(0, there.find("\"}"));
  if (word.size() == there.size() || word.empty() || !is_plain<Sixteen>(word)) return nullptr;
  std::rotate(endings_.begin(), endings_.end() - 1, endings_.end());
  auto& learned = endings_.front();
  learned = {};
  char bytes[16] = {};
  char mask[16] = {};
  std::memcpy(bytes, at, word.size() + 2);
  std::memset(mask, '\xFF', word.size() + 2);
  for (std::size_t i = 0; i < 2; ++i) {
    learned.bytes[i] = word_at(bytes + 8 * i);
    learned.mask[i] = word_at(mask + 8 * i);
  }
  learned.word = word.size();
  learned.status = meaning_.status(word);
  return &learned;
}

void LineStencil::add(std::string_view id, MembershipMeaning::Status status, PersonBatch& batch) const {
  const auto audience = meaning_.audience(id);
  if (audience == MembershipMeaning::kUnwanted || !meaning_.lives_in(audience, space_)) return;
  if (status == MembershipMeaning::Status::Member) batch.audiences.push_back(static_cast<std::uint16_t>(audience));
  if (status == MembershipMeaning::Status::Unknown) ++batch.unknown_status;
}

}  // namespace audiencesync::json
