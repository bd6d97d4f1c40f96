#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "engine/membership/person_source.h"

namespace audiencesync::testing {

/// Everything is wanted that the test names: numbers are positions in `ids`, of namespace `ups` without case.
class NamedAudiences final : public MembershipMeaning {
 public:
  explicit NamedAudiences(std::vector<std::string> ids) : ids_(std::move(ids)) {
    for (const auto& one : ids_) filter_.add(one);
  }

  std::uint32_t audience(std::string_view id) const override {
    const auto found = std::find(ids_.begin(), ids_.end(), id);
    return found == ids_.end() ? kUnwanted : static_cast<std::uint32_t>(found - ids_.begin());
  }
  const AudienceFilter* filter() const override { return &filter_; }
  bool lives_in(std::uint32_t, std::string_view space) const override { return space == "ups" || space == "UPS"; }
  Status status(std::string_view word) const override {
    if (word == "realized" || word == "existing") return Status::Member;
    return word == "exited" ? Status::Other : Status::Unknown;
  }
  std::uint32_t limit() const override { return static_cast<std::uint32_t>(ids_.size()); }
  const std::string& id(std::uint32_t number) const { return ids_[number]; }

 private:
  std::vector<std::string> ids_;
  AudienceFilter filter_;
};

/// What a source said, as text.
class CollectingSink final : public PersonSink {
 public:
  explicit CollectingSink(const NamedAudiences& audiences) : audiences_(audiences) {}

  Result<void> add(const PersonBatch& batch) override {
    std::size_t at = 0;
    for (const auto& row : batch.rows) {
      std::vector<std::string> ids;
      for (; at < row.audiences; ++at) ids.push_back(audiences_.id(batch.audiences[at]));
      std::sort(ids.begin(), ids.end());
      std::string line(row.person);
      line += ":";
      for (const auto& id : ids) line += " " + id;
      rows.push_back(std::move(line));
    }
    unknown += batch.unknown_status;
    for (const auto& one : batch.broken) {
      broken.push_back(one.file->filename().string() + "@" + std::to_string(one.offset) + " " + one.reason);
    }
    return {};
  }

  std::vector<std::string> rows;
  std::vector<std::string> broken;
  std::uint64_t unknown = 0;

 private:
  const NamedAudiences& audiences_;
};

/// Reads files with several sinks and gives their rows sorted, one a line; `unknown` and `broken` are what they add up
/// to.
struct Collected {
  std::vector<std::string> rows;
  std::vector<std::string> broken;
  std::uint64_t unknown = 0;

  friend bool operator==(const Collected&, const Collected&) = default;
};

inline Result<Collected> collect(PersonSource& source, const std::vector<Path>& files, const SourceColumns& columns,
                                 const NamedAudiences& audiences, std::size_t lanes = 3) {
  std::vector<std::unique_ptr<CollectingSink>> sinks;
  std::vector<PersonSink*> targets;
  for (std::size_t i = 0; i < lanes; ++i) {
    sinks.push_back(std::make_unique<CollectingSink>(audiences));
    targets.push_back(sinks.back().get());
  }
  TRY(source.read_batches(files, columns, audiences, targets));
  Collected all;
  for (const auto& sink : sinks) {
    all.rows.insert(all.rows.end(), sink->rows.begin(), sink->rows.end());
    all.broken.insert(all.broken.end(), sink->broken.begin(), sink->broken.end());
    all.unknown += sink->unknown;
  }
  std::sort(all.rows.begin(), all.rows.end());
  std::sort(all.broken.begin(), all.broken.end());
  return all;
}

}  // namespace audiencesync::testing
