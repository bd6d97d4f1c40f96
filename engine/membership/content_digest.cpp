#include "engine/membership/content_digest.h"

#include "engine/membership/bytes.h"

namespace audiencesync {
namespace {

constexpr std::size_t kDigestBuffer = 64 << 10;

}  // namespace

ContentDigest::ContentDigest(std::string_view domain, const Dictionary& dictionary)
    : dictionary_(dictionary), lines_(domain), number_of_(dictionary.size(), 0) {
  lines_ += '\n';
  domain_size_ = lines_.size();
}

void ContentDigest::begin_row(std::uint64_t hash, std::string_view person) {
  const auto section = static_cast<int>(hash >> 56U);
  if (section != section_number_) {
    end_section();
    section_number_ = section;
  }
  if (pending_.size() >= kDigestBuffer) spill();
  put_text(pending_, person);
}

void ContentDigest::add_number(std::uint64_t number) { put_varint(pending_, number); }

void ContentDigest::add_set(const Ranks& set) {
  put_varint(pending_, set.size());
  for (const auto rank : set) {
    if (number_of_[rank] == 0) {
      seen_.push_back(rank);
      number_of_[rank] = static_cast<std::uint32_t>(seen_.size());
    }
    put_varint(pending_, number_of_[rank]);
  }
}

void ContentDigest::spill() {
  section_.add(pending_);
  pending_.clear();
}

void ContentDigest::end_section() {
  if (section_number_ < 0) return;
  put_varint(pending_, 0);  // no person id is empty, so this cannot be a row
  put_varint(pending_, seen_.size());
  for (const auto rank : seen_) {
    put_text(pending_, dictionary_.entry(rank).id);
    put_text(pending_, dictionary_.entry(rank).name);
    number_of_[rank] = 0;
  }
  spill();
  seen_.clear();
  const auto digest = section_.finish_bytes();
  section_ = Sha256();
  lines_ += static_cast<char>(section_number_);
  for (const auto byte : digest) lines_ += static_cast<char>(byte);
  section_number_ = -1;
}

void ContentDigest::append(ContentDigest& part) {
  end_section();
  part.end_section();
  lines_.append(part.lines_, part.domain_size_);
}

Digest ContentDigest::finish() {
  end_section();
  return sha256(lines_);
}

}  // namespace audiencesync
