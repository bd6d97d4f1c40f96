#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/membership/dataset_rows.h"
#include "engine/membership/local_memberships.h"
#include "engine/membership/membership_files.h"
#include "engine/membership/snapshot.h"

// The engine's way back: what is in a dataset, as a snapshot or beside one.

namespace audiencesync {
namespace {

// Rows from which on a snapshot is cut at sections, so that several threads can compare it later.
constexpr std::uint64_t kLargeSnapshot = 1 << 16;
constexpr std::size_t kWriteAtOnce = 1 << 20;

Error interrupted_reading() { return Error(ErrorCode::Interrupted, "reading the target dataset was interrupted"); }

/// Walks dataset and snapshot side by side.
class RowComparison {
 public:
  /// `record_layout` is that of the dataset's newest records.
  RowComparison(const RowCheckOptions& options, RecordLayout record_layout, const Dictionary& all, RowCheck& check)
      : options_(options),
        cut_people_(options.sampled && record_layout == RecordLayout::Membership),
        all_(all),
        check_(check) {
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      const auto& entry = all.entry(static_cast<Rank>(rank));
      if (check_.audiences.empty() || check_.audiences.back().id != entry.id) {
        check_.audiences.push_back({.id = entry.id, .name = entry.name});
      }
      number_.push_back(check_.audiences.size() - 1);
    }
  }

  /// Null where one side does not have the person; `audiences` in ranks of the dictionary of all.
  void add(const SnapshotRow* expected, const DatasetPerson* found, const Ranks& audiences) {
    static const Ranks kNone;
    if (found == nullptr && options_.sampled) return;
    ++check_.compared;
    const auto& wanted = expected == nullptr ? kNone
                         : cut_people_       ? met(expected->audiences, audiences)
                                             : expected->audiences;
    const auto& actual = found == nullptr ? kNone : audiences;
    const bool same_ids = count(wanted, actual);
    if (found == nullptr) {
      note(RowDifference::Missing, check_.missing, std::string(expected->person));
    } else if (expected == nullptr) {
      note(RowDifference::Unknown, check_.unknown, found->person);
    } else if (!same_ids) {
      note(RowDifference::Other, check_.other, found->person);
    } else if (wanted != actual) {
      note(RowDifference::Renamed, check_.renamed, found->person);
    } else if (found->generation < options_.oldest_generation) {
      note(RowDifference::Older, check_.older, found->person);
    }
  }

 private:
  // Of somebody with one record an audience, a sample may have some records only: what it has must be expected.
  const Ranks& met(const Ranks& wanted, const Ranks& actual) {
    met_.clear();
    for (const auto rank : wanted) {
      const bool has =
          std::any_of(actual.begin(), actual.end(), [&](Rank other) { return number_[other] == number_[rank]; });
      if (has) met_.push_back(rank);
    }
    return met_;
  }

  // Ranks of one id are neighbours. Whether both are in the same audiences, whatever their names.
  bool count(const Ranks& wanted, const Ranks& actual) {
    bool same = true;
    std::size_t left = 0;
    std::size_t right = 0;
    while (left < wanted.size() || right < actual.size()) {
      const auto expected = left < wanted.size() ? number_[wanted[left]] : SIZE_MAX;
      const auto found = right < actual.size() ? number_[actual[right]] : SIZE_MAX;
      auto& audience = check_.audiences[std::min(expected, found)];
      if (expected <= found) ++audience.expected;
      if (found <= expected) ++audience.found;
      if (expected < found) ++audience.missing;
      if (found < expected) ++audience.surplus;
      same = same && expected == found;
      while (expected <= found && left < wanted.size() && number_[wanted[left]] == expected) ++left;
      while (found <= expected && right < actual.size() && number_[actual[right]] == found) ++right;
    }
    return same;
  }

  void note(RowDifference difference, std::uint64_t& counter, std::string person) {
    if (++counter <= options_.samples) check_.samples.push_back({difference, PersonId(std::move(person))});
  }

  const RowCheckOptions& options_;
  bool cut_people_;
  const Dictionary& all_;
  RowCheck& check_;
  std::vector<std::size_t> number_;  // by rank: in check.audiences
  Ranks met_;
};

std::vector<DictionaryEntry> entries_of(const Dictionary& dictionary) {
  std::vector<DictionaryEntry> entries;
  for (std::size_t rank = 0; rank < dictionary.size(); ++rank) {
    entries.push_back(dictionary.entry(static_cast<Rank>(rank)));
  }
  return entries;
}

}  // namespace

const char* to_string(RowDifference difference) {
  switch (difference) {
    case RowDifference::Missing:
      return "missing";
    case RowDifference::Unknown:
      return "unknown";
    case RowDifference::Other:
      return "other audiences";
    case RowDifference::Renamed:
      return "other name";
    case RowDifference::Older:
      return "older generation";
  }
  return "";
}

Result<std::unique_ptr<DatasetRows>> LocalMemberships::read_target(const DatasetMeaning& meaning,
                                                                   const TargetFiles& files, std::stop_token stop) {
  if (targets_ == nullptr) return Error(ErrorCode::Internal, "nobody reads the records of target datasets");
  auto rows = std::make_unique<DatasetRows>(files_, folder_ / kWorkFolder, fmt::format("records-{}", work_number_++),
                                            budget_, hash_);
  TRY(rows->read(meaning, *targets_, files, stop));
  return rows;
}

Result<ReadBack> LocalMemberships::read_back(const RelationSpec& spec, const TargetFiles& files,
                                             std::int64_t oldest_generation, std::stop_token stop) {
  const auto rows = TRY(read_target({spec, oldest_generation}, files, stop));
  const auto& dictionary = rows->dictionary();
  const RowFileHead head{
      spec.relation, "", spec.dataset, "", "", rows->shape(), rows->counts().records >= kLargeSnapshot};
  auto file = TRY(TempFile::create(files_, work_path("rebuilt")));
  auto writer = TRY(SnapshotWriter::create(std::move(file), head, dictionary));
  BlockCompressor compressor;
  SnapshotPart part(dictionary, compressor, head.cut_at_sections);
  ReadBack back;
  std::vector<std::uint64_t> people(dictionary.size(), 0);
  DatasetPerson person;
  while (TRY(rows->next(person))) {
    if (((back.people + back.tombstones) & 1023U) == 0 && stop.stop_requested()) return interrupted_reading();
    // Nothing ends for them any more: the record that says so is there.
    if (person.audiences.empty() && spec.forgotten.contains(person.person)) continue;
    TRY(part.add(person.hash, person.person, person.audiences));
    for (const auto rank : person.audiences) ++people[rank];
    ++(person.audiences.empty() ? back.tombstones : back.people);
    if (part.packed() > kWriteAtOnce) TRY(writer->take(part));
  }
  TRY(writer->close(part));
  back.content = TRY(writer->publish(folder_, std::vector<bool>(dictionary.size(), false)));
  back.counts = rows->counts();
  for (std::size_t rank = 0; rank < dictionary.size(); ++rank) {
    const auto& entry = dictionary.entry(static_cast<Rank>(rank));
    if (people[rank] > 0) back.audiences.push_back({entry.id, entry.name, people[rank]});
  }
  return back;
}

Result<RowCheck> LocalMemberships::check_rows(const RelationSpec& spec, const TargetFiles& files,
                                              const Digest& snapshot, const RowCheckOptions& options,
                                              std::stop_token stop) {
  const auto expected = TRY(SnapshotReader::open(files_, snapshot_path(folder_, snapshot)));
  const auto rows = TRY(read_target({spec, options.oldest_generation}, files, stop));
  const auto all = TRY(Dictionary::extend(expected->dictionary(), entries_of(rows->dictionary())));
  TRY(expected->translate(all));
  const auto table = TRY(row_file::index_table(rows->dictionary(), all));
  RowCheck check;
  RowComparison comparison(options, spec.layout, all, check);
  SnapshotRow known;
  DatasetPerson found;
  Ranks translated;
  bool more_known = TRY(expected->next(known));
  bool more_found = TRY(rows->next(found));
  while (more_known || more_found) {
    if ((check.compared & 1023U) == 0 && stop.stop_requested()) return interrupted_reading();
    const bool known_first =
        more_known && (!more_found || known.hash < found.hash ||
                       (known.hash == found.hash && known.person < std::string_view(found.person)));
    const bool found_first =
        more_found && (!more_known || found.hash < known.hash ||
                       (known.hash == found.hash && std::string_view(found.person) < known.person));
    translated.clear();
    if (!known_first) {
      for (const auto rank : found.audiences) {
        const auto& entry = rows->dictionary().entry(rank);
        translated.push_back(static_cast<Rank>(table[entry.index]));
      }
      std::sort(translated.begin(), translated.end());
    }
    const bool in_something = (!found_first && !known.audiences.empty()) || !translated.empty();
    // Whether a record that only ends what somebody had is there still, or not yet, says nothing about them; and some
    // layouts have none.
    const bool settled =
        !in_something && (spec.layout == RecordLayout::Membership ||
                          spec.forgotten.contains(found_first ? std::string_view(found.person) : known.person));
    if (!settled) comparison.add(found_first ? nullptr : &known, known_first ? nullptr : &found, translated);
    if (!found_first) more_known = TRY(expected->next(known));
    if (!known_first) more_found = TRY(rows->next(found));
  }
  check.counts = rows->counts();
  return check;
}

}  // namespace audiencesync
