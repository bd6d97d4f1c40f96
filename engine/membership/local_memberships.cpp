#include "engine/membership/local_memberships.h"

#include <fmt/format.h>

#include <compare>

#include "engine/membership/history.h"
#include "engine/membership/membership_files.h"
#include "engine/membership/merge_pass.h"
#include "engine/membership/person_rule.h"
#include "engine/membership/sorted_source.h"
#include "engine/membership/upload_writer.h"
#include "engine/membership/workers.h"

namespace audiencesync {
namespace {

// Raised when the same question may get another answer: cached comparisons of older programs are then asked again.
constexpr std::int64_t kEngineVersion = 1;

// Rows of both sides from which on the sections are compared by several threads.
constexpr std::uint64_t kLargeComparison = 1 << 16;

// Bytes of finished blocks that are kept before they are written.
constexpr std::size_t kPackedAtOnce = 1 << 20;

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

Result<void> refuse_empty(const SnapshotReader& before, const SourceRef& source) {
  for (const auto people : before.people()) {
    if (people == 0) continue;
    return Error(ErrorCode::Refused,
                 fmt::format("export {} has no rows although people are in the snapshot; an empty export never removes "
                             "anybody: look at the export job, or make a new export",
                             source.id));
  }
  return {};
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
    : files_(files), source_(source), folder_(std::move(folder)), budget_(budget), hash_(hash), cores_(core_count()) {
  // Left by a process that was killed. Should this fail, the first write there says why.
  (void)files_.remove(folder_ / kWorkFolder);
}

Path LocalMemberships::work_path(std::string_view name) {
  return folder_ / kWorkFolder / fmt::format("{}-{}", name, work_number_++);
}

Result<LocalMemberships::Sorters> LocalMemberships::read_source(const RelationSpec& spec, const SourceRef& source,
                                                                const ComparisonScope& scope, DroppedRows& dropped,
                                                                std::stop_token stop) {
  const auto paths = TRY(source.files(stop));
  const SortingPlace place{files_, folder_ / kWorkFolder, fmt::format("rows-{}", work_number_++), budget_, cores_,
                           hash_};
  if (!source.restore) {
    return sort_source(place, source_, paths, spec, scope.targets, scope.dictionary.size(), dropped, stop);
  }
  // Only who is there counts.
  auto nobody = spec;
  nobody.audiences.clear();
  return sort_source(place, source_, paths, nobody, {}, scope.dictionary.size(), dropped, stop,
                     RowSink::Keep::Everyone);
}

Result<Bulk> LocalMemberships::compare(const RelationSpec& spec, const SourceRef& source, const BaseRef& base,
                                       std::stop_token stop) {
  std::vector<std::unique_ptr<SnapshotReader>> before;
  if (base.content) {
    before.push_back(
        TRY(SnapshotReader::open(files_, snapshot_path(folder_, *base.content)).in("snapshot to compare with")));
  }
  const auto scope = TRY(ComparisonScope::make(spec, before.empty() ? nullptr : before.front().get()));

  Bulk bulk;
  bulk.relation = spec.relation;
  bulk.source = source.id;
  bulk.base = base.content.value_or("");
  const auto rows = TRY(read_source(spec, source, scope, bulk.dropped, stop));
  if (bulk.dropped.read == 0 && !before.empty()) TRY(refuse_empty(*before.front(), source));

  // How the work is cut depends on the inputs alone: equal inputs give equal files on every machine.
  const auto size = bulk.dropped.read + (before.empty() ? 0 : before.front()->rows());
  const bool large = size >= kLargeComparison;
  const auto threads = large ? std::max<std::size_t>(cores_, 2) : 1;
  for (std::size_t i = 1; i < threads && !before.empty(); ++i) {
    before.push_back(TRY(SnapshotReader::open(files_, snapshot_path(folder_, *base.content))));
  }
  for (const auto& reader : before) TRY(reader->translate(scope.dictionary));
  std::vector<std::unique_ptr<SnapshotReader>> restored;
  for (std::size_t i = 0; i < threads && source.restore; ++i) {
    restored.push_back(TRY(SnapshotReader::open(files_, snapshot_path(folder_, *source.restore))));
  }

  const RowFileHead head{spec.relation, spec.definition(), spec.dataset, bulk.base, source.id, spec.shape(), large};
  auto candidate_file = TRY(TempFile::create(files_, work_path("candidate")));
  auto candidate = TRY(SnapshotWriter::create(std::move(candidate_file), head, scope.dictionary));
  auto changes_file = TRY(TempFile::create(files_, work_path("changes")));
  auto changes = TRY(ChangesetWriter::create(std::move(changes_file), head, scope.dictionary));
  const auto unchanged = base.rewrite ? Comparison::Unchanged::WrittenAgain : Comparison::Unchanged::Skipped;
  MergePass pass({spec, scope, unchanged, before, rows, *candidate, *changes, threads, restored}, stop);
  const auto counts = TRY(pass.run());
  counts.fill(bulk, scope);
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
  Value question = Value::Object{{"engine", kEngineVersion},
                                 {"definition", spec.definition()},
                                 {"held", sorted_texts(held)},
                                 {"quarantined", sorted_texts(quarantined)},
                                 {"source", source.id},
                                 {"rewrite", base.rewrite},
                                 {"restore", source.restore ? Value(*source.restore) : Value()},
                                 {"base", base.content ? Value(*base.content) : Value()}};
  if (!spec.forgotten.empty()) question["forgotten"] = spec.forgotten.digest();
  return digest_of(question);
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
  EncodeOptions bounds = options;
  Upload upload;
  upload.candidate = bulk.candidate;
  std::uint64_t bytes = 0;
  bool somebody_left_out = false;
  std::uint64_t position = 0;
  std::string record;
  ChangesetRow row;
  auto found = TRY(changes->next(row));
  while (found) {
    if (stop.stop_requested()) return Error(ErrorCode::Interrupted, "writing upload files was interrupted");
    std::size_t lines = 0;
    record.clear();
    if (position >= bounds.rows.first && !keeps_old_entry(bounds, row, position)) {
      lines = encoder.append(record, row.person, row.after);
      // One person always fits, or nothing would ever move.
      if (upload.people > 0 && (bytes + record.size() > bounds.most_bytes ||
                                (writer.starts_part(record.size()) && writer.parts() >= bounds.most_parts)))
        bounds.rows.last = position;
    }
    if (keeps_old_entry(bounds, row, position)) {
      somebody_left_out = true;
    } else if (lines > 0) {
      TRY(writer.add(record, lines));
      bytes += record.size();
      upload.records += lines;
      ++upload.people;
    }
    ++position;
    found = TRY(changes->next(row));
  }
  TRY(changes->expect(bulk.content));
  if (somebody_left_out) upload.candidate = TRY(write_smaller_candidate(bounds, bulk, stop));
  upload.last = bounds.rows.last;
  upload.parts = TRY(writer.finish());
  if (options.format == UploadFormat::Parquet) TRY(convert(spec, upload));
  return upload;
}

Result<void> LocalMemberships::convert(const RelationSpec& spec, Upload& upload) {
  if (converter_ == nullptr) return Error(ErrorCode::Unsupported, "this program writes no Parquet files");
  for (auto& part : upload.parts) {
    part.name = Path(part.name).replace_extension(".parquet").string();
    part.path.replace_extension(".parquet");
    const auto written = TRY(converter_->to_parquet(part.lines, spec, part.path).in("upload file " + part.name));
    if (written != part.records) {
      return Error(ErrorCode::Corrupt, fmt::format("upload file {} has {} records instead of {}", part.path.string(),
                                                   written, part.records));
    }
    part.bytes = TRY(files_.size(part.path));
  }
  return {};
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
  BlockCompressor compressor;
  SnapshotPart part(dictionary, compressor, planned->head().cut_at_sections);
  SnapshotRow row;
  ChangesetRow change;
  std::uint64_t position = 0;
  auto more_changes = TRY(changes->next(change));
  auto more = TRY(planned->next(row));
  while (more || more_changes) {
    if (stop.stop_requested()) return interrupted_comparison();
    const auto order = !more           ? std::strong_ordering::less
                       : !more_changes ? std::strong_ordering::greater
                                       : order_of(change, row);
    const bool keeps_old = order <= 0 && keeps_old_entry(options, change, position);
    // Everyone who changed has a row in the candidate, but for those who were forgotten, and in layout membership for
    // those who are in nothing.
    if (order < 0 && (change.known == Known::No || !change.after.empty())) {
      return planned->corrupt("a changed person is missing from it");
    }
    if (keeps_old && change.known == Known::Yes) TRY(part.add(change.hash, change.person, change.before));
    if (order >= 0 && !keeps_old) TRY(part.add(row.hash, row.person, row.audiences));
    if (part.packed() > kPackedAtOnce) TRY(writer->take(part));
    if (order >= 0) more = TRY(planned->next(row));
    if (order <= 0) {
      ++position;
      more_changes = TRY(changes->next(change));
    }
  }
  TRY(writer->close(part));
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

Result<std::string> LocalMemberships::shape(const Digest& snapshot) {
  const auto reader = TRY(SnapshotReader::open(files_, snapshot_path(folder_, snapshot)));
  return reader->head().shape;
}

Result<std::uint64_t> LocalMemberships::holders(const Digest& snapshot) {
  const auto reader = TRY(SnapshotReader::open(files_, snapshot_path(folder_, snapshot)));
  return reader->rows() - reader->tombstones();
}

Result<void> LocalMemberships::check(const Digest& snapshot) {
  return check_snapshot(files_, snapshot_path(folder_, snapshot), snapshot, {});
}

Result<KeptDelta> LocalMemberships::keep_delta(const DeltaRequest& request, std::stop_token stop) {
  return write_delta({files_, folder_, work_path("delta")}, request, std::move(stop));
}

Result<std::unique_ptr<PastMembers>> LocalMemberships::past(const PastRef& past) {
  return read_past(files_, folder_, past);
}

Result<Digest> LocalMemberships::recall(const PastRef& past, std::stop_token stop) {
  return write_past({files_, folder_, work_path("past")}, past, std::move(stop));
}

Result<Digest> LocalMemberships::erase(const Digest& delta, const Forgotten& people, std::stop_token stop) {
  return erase_from_delta({files_, folder_, work_path("delta")}, delta, people, std::move(stop));
}

std::optional<std::uint64_t> LocalMemberships::delta_bytes(const Digest& delta) const {
  auto size = files_.size(delta_path(folder_, delta));
  return size.ok() ? std::optional(*size) : std::nullopt;
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
