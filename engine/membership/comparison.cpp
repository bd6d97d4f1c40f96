#include "engine/membership/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace audiencesync {
namespace {

// The name most people have an audience under in the snapshot: what a held or withdrawn one is shown as.
std::string name_in_base(const SnapshotReader& base, const AudienceId& id, const std::string& fallback) {
  const auto [first, last] = base.dictionary().named(id);
  if (first == last) return fallback;
  auto best = first;
  for (auto rank = first; rank < last; ++rank) {
    if (base.people()[rank] > base.people()[best]) best = rank;
  }
  return base.dictionary().entry(static_cast<Rank>(best)).name;
}

}  // namespace

Result<ComparisonScope> ComparisonScope::make(const RelationSpec& spec, const SnapshotReader* base) {
  std::set<AudienceId> ids;
  std::vector<DictionaryEntry> wanted;
  for (const auto& audience : spec.audiences) {
    if (!ids.insert(audience.id).second) {
      return Error(ErrorCode::Invalid,
                   fmt::format("relation {}: audience '{}' is named twice", spec.relation, audience.id));
    }
    std::string name = audience.name;
    if (audience.held && base != nullptr) name = name_in_base(*base, audience.id, name);
    if (name.empty()) name = audience.name;
    // What is not written is no part of the entry: then another name changes nobody's record.
    wanted.push_back({audience.id, spec.writes_names() ? name : std::string(), 0});
  }

  ComparisonScope scope;
  scope.same_shape = base == nullptr || base->head().shape == spec.shape();
  static const Dictionary kNothing;
  const auto& known = base != nullptr ? base->dictionary() : kNothing;
  scope.dictionary = TRY(Dictionary::extend(known, wanted));
  const auto size = scope.dictionary.size();
  scope.held.assign(size, false);
  scope.declared.assign(size, false);
  for (std::size_t rank = 0; rank < size; ++rank) scope.kept_as.push_back(static_cast<Rank>(rank));
  for (std::size_t i = 0; i < spec.audiences.size(); ++i) {
    scope.targets.push_back(scope.dictionary.find(wanted[i].id, wanted[i].name).value_or(0));
    scope.declared[scope.targets.back()] = true;
    if (!spec.audiences[i].held) continue;
    const auto [first, last] = scope.dictionary.named(wanted[i].id);
    for (auto rank = first; rank < last; ++rank) {
      scope.held[rank] = true;
      if (!scope.same_shape) scope.kept_as[rank] = scope.targets.back();
    }
  }
  for (std::size_t rank = 0; rank < size; ++rank) {
    const auto& entry = scope.dictionary.entry(static_cast<Rank>(rank));
    if (scope.audiences.empty() || scope.audiences.back().id != entry.id) {
      scope.audiences.push_back(
          {.id = entry.id, .name_before = base != nullptr ? name_in_base(*base, entry.id, "") : ""});
    }
    scope.audience_number.push_back(static_cast<std::uint32_t>(scope.audiences.size() - 1));
  }
  for (auto& audience : scope.audiences) {
    // A withdrawn one is shown as its people were written with.
    audience.name = audience.name_before.empty() ? audience.id : audience.name_before;
  }
  for (std::size_t i = 0; i < spec.audiences.size(); ++i) {
    const auto& written = scope.dictionary.entry(scope.targets[i]).name;
    scope.audiences[scope.audience_number[scope.targets[i]]].name = written.empty() ? spec.audiences[i].name : written;
  }
  return scope;
}

void ComparisonCounts::add(const ComparisonCounts& other) {
  people += other.people;
  added += other.added;
  removed += other.removed;
  records += other.records;
  bytes += other.bytes;
  left_out.people += other.left_out.people;
  left_out.memberships += other.left_out.memberships;
  crowded += other.crowded;
  forgotten.people += other.forgotten.people;
  forgotten.memberships += other.forgotten.memberships;
  for (std::size_t i = 0; i < audiences.size(); ++i) {
    audiences[i].before += other.audiences[i].before;
    audiences[i].after += other.audiences[i].after;
    audiences[i].entered += other.audiences[i].entered;
    audiences[i].left += other.audiences[i].left;
    audiences[i].renamed += other.audiences[i].renamed;
  }
}

void ComparisonCounts::fill(Bulk& bulk, const ComparisonScope& scope) const {
  std::vector<bool> declared(audiences.size(), false);
  for (const auto target : scope.targets) declared[scope.audience_number[target]] = true;
  bulk.people = people;
  bulk.added = added;
  bulk.removed = removed;
  bulk.records = records;
  bulk.bytes = bytes;
  bulk.left_out = left_out;
  bulk.crowded = crowded;
  bulk.forgotten = forgotten;
  for (std::size_t i = 0; i < audiences.size(); ++i) {
    // A withdrawn audience that nobody is in any more is no news.
    if (!declared[i] && audiences[i].before == 0 && audiences[i].after == 0) continue;
    bulk.audiences.push_back(audiences[i]);
    if (audiences[i].renamed == 0) bulk.audiences.back().name_before.clear();
  }
}

Comparison::Comparison(const RelationSpec& spec, const ComparisonScope& scope, Unchanged unchanged)
    : spec_(spec),
      scope_(scope),
      unchanged_(unchanged),
      encoder_(spec, 0, scope.dictionary),
      most_audiences_(spec.most_audiences().value_or(SIZE_MAX)),
      tombstones_(has_tombstones(spec.shape())) {
  counts_.audiences = scope.audiences;
}

// Fills after_ with what the person must be in.
Comparison::Person Comparison::desire(const SnapshotRow* before, const DesiredRow* desired, std::string_view person) {
  after_.clear();
  if (!spec_.quarantined.empty() && spec_.quarantined.contains(PersonId(std::string(person)))) {
    if (before != nullptr) after_ = before->audiences;
    return Person::Quarantined;
  }
  if (spec_.forgotten.contains(person)) return Person::Forgotten;
  if (desired != nullptr) after_ = desired->audiences;
  if (before == nullptr) return Person::Ordinary;
  const auto from_export = after_.size();
  for (const auto rank : before->audiences) {
    if (scope_.held[rank]) after_.push_back(scope_.kept_as[rank]);
  }
  if (after_.size() != from_export) std::sort(after_.begin(), after_.end());
  return Person::Ordinary;
}

// Both sides are sorted, and ranks of one id are neighbours, so one walk finds who entered and left which id.
void Comparison::count(const Ranks& before) {
  std::size_t left = 0;
  std::size_t right = 0;
  const auto number = [&](Rank rank) { return scope_.audience_number[rank]; };
  while (left < before.size() || right < after_.size()) {
    if (right == after_.size() || (left < before.size() && number(before[left]) < number(after_[right]))) {
      auto& delta = counts_.audiences[number(before[left++])];
      ++delta.before;
      ++delta.left;
    } else if (left == before.size() || number(after_[right]) < number(before[left])) {
      auto& delta = counts_.audiences[number(after_[right++])];
      ++delta.after;
      ++delta.entered;
    } else {
      auto& delta = counts_.audiences[number(after_[right])];
      if (before[left] != after_[right] && scope_.same_shape) ++delta.renamed;
      ++left;
      ++right;
      ++delta.before;
      ++delta.after;
    }
  }
}

Result<void> Comparison::add(const SnapshotRow* before, const DesiredRow* desired, SnapshotPart& candidate,
                             ChangesetPart& changes) {
  const auto hash = before != nullptr ? before->hash : desired->hash;
  const auto person = before != nullptr ? before->person : desired->person;
  static const Ranks kNone;
  const auto& was = before != nullptr ? before->audiences : kNone;
  const auto kind = desire(before, desired, person);
  if (before == nullptr && after_.empty()) return {};  // nobody ever wrote them, so there is nothing to clear

  count(was);
  if (after_.size() > most_audiences_) ++counts_.crowded;
  if (kind == Person::Forgotten) {
    ++counts_.forgotten.people;
    counts_.forgotten.memberships += was.size();
  }
  const bool same = before != nullptr && was == after_;
  // Whom the candidate does not name is a change as long as the snapshot does, even if they are in nothing.
  const bool old_tombstone = same && scope_.same_shape;
  const bool unnamed = kind == Person::Forgotten || (!tombstones_ && after_.empty() && !old_tombstone);
  if (!unnamed) {
    TRY(candidate.add(hash, person, after_));
    if (same && (unchanged_ == Unchanged::Skipped || kind == Person::Quarantined)) return {};
    // Where nothing is written of people in no audience, there is nothing to write again.
    if (same && after_.empty() && !tombstones_) return {};
  }

  ++counts_.people;
  if (before == nullptr) ++counts_.added;
  if (after_.empty()) ++counts_.removed;
  record_.clear();
  counts_.records += encoder_.append(record_, person, after_);
  counts_.bytes += record_.size();
  row_.hash = hash;
  row_.person = person;
  row_.known = before != nullptr ? Known::Yes : Known::No;
  row_.before = was;
  row_.after = after_;
  return changes.add(row_);
}

}  // namespace audiencesync
