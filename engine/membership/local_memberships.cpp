#include "engine/membership/local_memberships.h"

#include <fmt/format.h>

#include <compare>

#include "engine/membership/audience_matcher.h"
#include "engine/membership/membership_files.h"
#include "engine/membership/person_rule.h"
#include "engine/membership/upload_writer.h"

namespace audiencesync {
namespace {

// Raised when the same question may get another answer: cached comparisons of older programs are then asked again.
constexpr std::int64_t kEngineVersion = 1;

Error interrupted_comparison() { return Error(ErrorCode::Interrupted, "comparing memberships was interrupted"); }

template <class Left, class Right>
std::strong_ordering order_of(const Left& left, const Right& right) {
  if (left.hash != right.hash) return left.hash <=> right.hash;
  return left.person <=> right.person;
}

std::vector<AudienceId> ids_of(const Dictionary& dictionary, const Ranks& ranks) {
  std::vector<AudienceId> ids;
  ids.reserve(ranks.size());
  for (const auto rank : ranks) ids.push_back(dictionary.entry(rank).id);
  return ids;
}

Value sorted_texts(const std::set<std::string>& texts) {
  Value::Array array;
  for (const auto& text : texts) array.emplace_back(text);
  return array;
}

// Whether this row of a changeset is not, or not yet, in the dataset.
bool keeps_old_entry(const EncodeOptions& options, const ChangesetRow& row, std::uint64_t position) {
  if (position >= options.rows.last) return true;
  return !options.leave_out.empty() && options.leave_out.contains(PersonId(std::string(row.person)));
}

class SnapshotMembers final : public MemberReader {
 public:
  explicit SnapshotMembers(std::unique_ptr<SnapshotReader> reader) : reader_(std::move(reader)) {}

  Result<std::optional<MemberRow>> next() override {
    const auto found = TRY(reader_->next(row_));
    if (!found) return std::optional<MemberRow>();
    return std::optional<MemberRow>(
        MemberRow{PersonId(std::string(row_.person)), ids_of(reader_->dictionary(), row_.audiences)});
  }

 private:
  std::unique_ptr<SnapshotReader> reader_;
  SnapshotRow row_;
};

}  // namespace

LocalMemberships::LocalMemberships(Files& files, PersonSource& source, Path folder, MemoryBudget budget)
    : LocalMemberships(files, source, std::move(folder), budget, person_hash) {}

LocalMemberships::LocalMemberships(Files& files, PersonSource& source, Path folder, MemoryBudget budget,
                                   PersonHash hash)
    : files_(files), source_(source), folder_(std::move(folder)), budget_(budget), hash_(hash) {
  // Left by a process that was killed. Should this fail, the first write there says why.
  (void)files_.remove(folder_ / kWorkFolder);
}

Path LocalMemberships::work_path(std::string_view name) {
  return folder_ / kWorkFolder / fmt::format("{}-{}", name, work_number_++);
}

Result<void> LocalMemberships::read_source(const RelationSpec& spec, const SourceRef& source,
                                           const ComparisonScope& scope, RowSorter& rows, DroppedRows& dropped,
                                           std::stop_token stop) {
  const auto paths = TRY(source.files(stop));
  const AudienceMatcher matcher(spec, scope.targets);
  std::string person;
  Ranks audiences;
  const auto each = [&](const SourceRow& row) -> Result<void> {
    if ((dropped.read++ & 1023U) == 0 && stop.stop_requested()) return interrupted_comparison();
    dropped.unknown_status += matcher.match(row, audiences);
    switch (apply_person_rule(spec.person, row.person, person)) {
      case PersonProblem::None:
        return rows.add(hash_(person), person, audiences);
      case PersonProblem::Missing:
        ++dropped.without_person;
        break;
      case PersonProblem::OverLong:
        ++dropped.over_long;
        break;
      case PersonProblem::NotUtf8:
        ++dropped.not_utf8;
        break;
    }
    return {};
  };
  TRY(source_.read(paths, {spec.identity_field, spec.identity_namespace}, each));
  return rows.finish();
}

Result<Bulk> LocalMemberships::compare(const RelationSpec& spec, const SourceRef& source, const BaseRef& base,
                                       std::stop_token stop) {
  std::unique_ptr<SnapshotReader> before;
  if (base.content) {
    before = TRY(SnapshotReader::open(files_, snapshot_path(folder_, *base.content)).in("snapshot to compare with"));
  }
  const auto scope = TRY(ComparisonScope::make(spec, before.get()));

  Bulk bulk;
  bulk.relation = spec.relation;
  bulk.source = source.id;
  bulk.base = base.content.value_or("");
  RowSorter rows(files_, folder_ / kWorkFolder, fmt::format("rows-{}", work_number_++), budget_,
                 scope.dictionary.size());
  TRY(read_source(spec, source, scope, rows, bulk.dropped, stop));
  if (bulk.dropped.read == 0 && before) {
    for (const auto people : before->people()) {
      if (people == 0) continue;
      return Error(
          ErrorCode::Refused,
          fmt::format("export {} has no rows although people are in the snapshot; an empty export never removes "
                      "anybody: look at the export job, or make a new export",
                      source.id));
    }
  }

  const RowFileHead head{spec.relation, spec.definition(), spec.dataset, bulk.base, source.id};
  auto candidate_file = TRY(TempFile::create(files_, work_path("candidate")));
  auto candidate = TRY(SnapshotWriter::create(std::move(candidate_file), head, scope.dictionary));
  auto changes_file = TRY(TempFile::create(files_, work_path("changes")));
  auto changes = TRY(ChangesetWriter::create(std::move(changes_file), head, scope.dictionary));
  const auto unchanged = base.rewrite ? Comparison::Unchanged::WrittenAgain : Comparison::Unchanged::Skipped;
  Comparison comparison(spec, scope, unchanged, *candidate, *changes);

  SnapshotRow known;
  DesiredRow desired;
  bool more_known = false;
  if (before) {
    TRY(before->translate(scope.dictionary));
    more_known = TRY(before->next(known));
  }
  bool more_desired = TRY(rows.next(desired));
  std::uint64_t people = 0;
  while (more_known || more_desired) {
    if ((people++ & 1023U) == 0 && stop.stop_requested()) return interrupted_comparison();
    const auto order = !more_known     ? std::strong_ordering::greater
                       : !more_desired ? std::strong_ordering::less
                                       : order_of(known, desired);
    TRY(comparison.add(order <= 0 ? &known : nullptr, order >= 0 ? &desired : nullptr));
    if (order <= 0) more_known = TRY(before->next(known));
    if (order >= 0) more_desired = TRY(rows.next(desired));
  }
  comparison.fill(bulk);
  bulk.content = TRY(changes->publish(folder_));
  bulk.candidate = TRY(candidate->publish(folder_, scope.declared));
  return bulk;
}

Digest LocalMemberships::question(const RelationSpec& spec, const SourceRef& source, const BaseRef& base) const {
  std::set<std::string> held;
  for (const auto& audience : spec.audiences) {
    if (audience.held) held.insert(audience.id);
  }
  std::set<std::string> quarantined;
  for (const auto& person : spec.quarantined) quarantined.insert(person.reveal());
  return digest_of(Value::Object{{"engine", kEngineVersion},
                                 {"definition", spec.definition()},
                                 {"held", sorted_texts(held)},
                                 {"quarantined", sorted_texts(quarantined)},
                                 {"source", source.id},
                                 {"rewrite", base.rewrite},
                                 {"base", base.content ? Value(*base.content) : Value()}});
}

bool LocalMemberships::holds(const Bulk& bulk) const {
  if (!SnapshotReader::open(files_, snapshot_path(folder_, bulk.candidate)).ok()) return false;
  auto opened = ChangesetReader::open(files_, changeset_path(folder_, bulk.content));
  if (!opened.ok()) return false;
  const auto reader = std::move(opened).take();
  ChangesetRow row;
  while (true) {
    const auto found = reader->next(row);
    if (!found.ok()) return false;
    if (!*found) return reader->expect(bulk.content).ok();
  }
}

Result<Upload> LocalMemberships::encode(const RelationSpec& spec, const Bulk& bulk, const EncodeOptions& options,
                                        const Path& folder, std::stop_token stop) {
  auto changes = TRY(ChangesetReader::open(files_, changeset_path(folder_, bulk.content)));
  auto writer = TRY(UploadWriter::start(files_, folder, options.largest_part));
  RecordEncoder encoder(spec, options.generation, changes->dictionary());
  Upload upload;
  upload.candidate = bulk.candidate;
  bool somebody_left_out = false;
  std::uint64_t position = 0;
  std::string record;
  ChangesetRow row;
  auto found = TRY(changes->next(row));
  while (found) {
    if (stop.stop_requested()) return Error(ErrorCode::Interrupted, "writing upload files was interrupted");
    if (keeps_old_entry(options, row, position)) {
      somebody_left_out = true;
    } else if (position >= options.rows.first) {
      record.clear();
      encoder.append(record, row.person, row.after);
      TRY(writer.add(record));
      ++upload.records;
    }
    ++position;
    found = TRY(changes->next(row));
  }
  TRY(changes->expect(bulk.content));
  if (somebody_left_out) upload.candidate = TRY(write_smaller_candidate(options, bulk, stop));
  upload.parts = TRY(writer.finish());
  return upload;
}

// The candidate again, but the people left out as they were before: their record did not reach the dataset.
Result<Digest> LocalMemberships::write_smaller_candidate(const EncodeOptions& options, const Bulk& bulk,
                                                         std::stop_token stop) {
  auto planned = TRY(SnapshotReader::open(files_, snapshot_path(folder_, bulk.candidate)));
  auto changes = TRY(ChangesetReader::open(files_, changeset_path(folder_, bulk.content)));
  std::vector<DictionaryEntry> entries;
  for (std::size_t rank = 0; rank < changes->dictionary().size(); ++rank) {
    entries.push_back(changes->dictionary().entry(static_cast<Rank>(rank)));
  }
  const auto dictionary = TRY(Dictionary::extend(planned->dictionary(), std::move(entries)));
  std::vector<bool> declared(dictionary.size(), false);
  for (std::size_t rank = 0; rank < planned->dictionary().size(); ++rank) {
    const auto& entry = planned->dictionary().entry(static_cast<Rank>(rank));
    if (const auto there = dictionary.find(entry.id, entry.name)) declared[*there] = true;
  }
  TRY(planned->translate(dictionary));
  TRY(changes->translate(dictionary));

  auto file = TRY(TempFile::create(files_, work_path("candidate")));
  auto writer = TRY(SnapshotWriter::create(std::move(file), planned->head(), dictionary));
  SnapshotRow row;
  ChangesetRow change;
  std::uint64_t position = 0;
  auto more_changes = TRY(changes->next(change));
  auto more = TRY(planned->next(row));
  while (more) {
    if (stop.stop_requested()) return interrupted_comparison();
    const bool changed = more_changes && order_of(change, row) == 0;
    if (!changed || !keeps_old_entry(options, change, position)) {
      TRY(writer->add(row.hash, row.person, row.audiences));
    } else if (change.known == Known::Yes) {
      TRY(writer->add(row.hash, row.person, change.before));
    }
    if (changed) {
      ++position;
      more_changes = TRY(changes->next(change));
    }
    more = TRY(planned->next(row));
  }
  // Whoever changed has a row in the candidate, so every change was met on the way.
  if (more_changes) return planned->corrupt("a changed person is missing from it");
  return writer->publish(folder_, declared);
}

Result<std::vector<ChangedRow>> LocalMemberships::sample(const Bulk& bulk, std::size_t most) {
  auto changes = TRY(ChangesetReader::open(files_, changeset_path(folder_, bulk.content)));
  std::vector<ChangedRow> rows;
  ChangesetRow row;
  while (rows.size() < most) {
    const auto found = TRY(changes->next(row));
    if (!found) break;
    rows.push_back({PersonId(std::string(row.person)), ids_of(changes->dictionary(), row.before),
                    ids_of(changes->dictionary(), row.after)});
  }
  return rows;
}

Result<std::unique_ptr<MemberReader>> LocalMemberships::members(const Digest& snapshot) {
  auto reader = TRY(SnapshotReader::open(files_, snapshot_path(folder_, snapshot)));
  return std::unique_ptr<MemberReader>(std::make_unique<SnapshotMembers>(std::move(reader)));
}

Result<std::vector<AudiencePeople>> LocalMemberships::people(const Digest& snapshot) {
  const auto reader = TRY(SnapshotReader::open(files_, snapshot_path(folder_, snapshot)));
  std::vector<AudiencePeople> audiences;
  for (std::size_t rank = 0; rank < reader->dictionary().size(); ++rank) {
    const auto& entry = reader->dictionary().entry(static_cast<Rank>(rank));
    audiences.push_back({entry.id, entry.name, reader->people()[rank]});
  }
  return audiences;
}

Result<void> LocalMemberships::check(const Digest& snapshot) {
  return check_snapshot(files_, snapshot_path(folder_, snapshot), snapshot, {});
}

Result<void> LocalMemberships::clean(const std::set<Digest>& keep) {
  const auto names = TRY(files_.list(folder_));
  for (const auto& name : names) {
    const auto digest = digest_in_name(name);
    if (digest && !keep.contains(*digest)) TRY(files_.remove(folder_ / name));
  }
  return files_.remove(folder_ / kWorkFolder);
}

}  // namespace audiencesync
