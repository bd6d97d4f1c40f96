#include "plugins/membership/read_back.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/base/digest.h"
#include "engine/model/change_fields.h"
#include "engine/report/figures.h"
#include "plugins/membership/relation.h"
#include "plugins/membership/target_batches.h"
#include "plugins/platform/batches.h"
#include "plugins/platform/data_access.h"
#include "plugins/platform/datasets.h"

namespace audiencesync {
namespace {

constexpr const char* kTargetRoleTag = "target";
constexpr const char* kStagingRoleTag = "export";

std::int64_t generation_of(const platform::Batch& batch) {
  for (const auto& tag : batch.tag(platform::kOurTag)) {
    constexpr std::string_view kPrefix = "generation:";
    if (!std::string_view(tag).starts_with(kPrefix)) continue;
    const auto number = to_number(Value(tag.substr(kPrefix.size())));
    if (number && *number > 0) return static_cast<std::int64_t>(*number);
  }
  return 0;
}

std::set<std::string> ids_of(const std::vector<platform::Batch>& batches) {
  std::set<std::string> ids;
  for (const auto& batch : batches) ids.insert(batch.id);
  return ids;
}

/// One reading of a target dataset.
class Rebuild {
 public:
  Rebuild(const Change& change, WriteContext& context)
      : context_(context),
        dataset_(field_text(change, "dataset")),
        take_over_(field_flag(change, "take_over")),
        why_(change.reason) {
    spec_.relation = analytics_relation(context.manifest());
    spec_.uid = context.manifest().uid;
    spec_.tenant = context.manifest().tenant;
    spec_.dataset = dataset_;
    const auto form = record_form(context.manifest());
    spec_.layout = form.layout;
    spec_.names = form.names;
  }

  Result<Applied> run() {
    spec_.forgotten = Forgotten::from_value(TRY(context_.records().remembered(spec_.uid, kForgotten)));
    if (dataset_.empty()) return Error(ErrorCode::Internal, "a rebuild without a dataset was planned");
    for (const auto& record : TRY(context_.records().quarantine(spec_.relation))) {
      spec_.quarantined.insert(PersonId(record.person));
    }
    const auto batches = TRY(look());
    const Path folder = context_.work() / "rebuild";
    auto read =
        context_.memberships().read_back(spec_, target_files(context_, batches, folder), oldest_, context_.stop());
    // The files hold person ids, whether they could be read or not.
    TRY(context_.files().remove(folder));
    const auto back = TRY(std::move(read));
    TRY(expect_all_records(batches, back.counts));
    if (ids_of(TRY(look())) != ids_of(batches)) {
      return Error(ErrorCode::Conflict,
                   fmt::format("the batches of dataset {} changed while it was read; nothing was recorded", dataset_));
    }
    if (take_over_) TRY(sign_datasets());
    return record(batches, back);
  }

 private:
  // The batches to read; what else there is to know about them is kept for the record.
  Result<std::vector<platform::Batch>> look() {
    const auto input = TRY(ledger_input(dataset_, spec_.relation, take_over_, context_));
    verdict_ = TRY(check_ledger(input));
    for (const auto& finding : verdict_.findings) {
      if (finding.severity == Severity::Refuse) return Error(ErrorCode::Conflict, finding.text);
    }
    highest_ = 0;
    oldest_ = oldest_counting(input);
    for (const auto& batch : input.seen) highest_ = std::max(highest_, generation_of(batch));
    for (const auto& written : input.written) highest_ = std::max(highest_, written.generation);
    if (!verdict_.unsettled.empty()) {
      return Error(ErrorCode::NotFinished,
                   fmt::format("batch {} is still being promoted, so its rows cannot be read yet; run again later",
                               verdict_.unsettled));
    }
    return in_reading_order(verdict_.live);
  }

  // From now on the other state folder is refused. The target goes first: it is what two writers would harm.
  Result<void> sign_datasets() {
    TRY(sign(dataset_, kTargetRoleTag));
    for (const auto& staging : TRY(platform::datasets_of(context_.http(), spec_.uid, kStagingRoleTag))) {
      TRY(sign(staging.id, kStagingRoleTag));
    }
    return {};
  }

  Result<void> sign(const std::string& id, const char* role) {
    const auto read = [&]() -> Result<platform::Dataset> {
      auto dataset = TRY(platform::get_dataset(context_.http(), id));
      if (!dataset) return Error(ErrorCode::Conflict, fmt::format("dataset {} does not exist any more", id));
      return std::move(*dataset);
    };
    const auto wanted = [&](const platform::Dataset& dataset) {
      return platform::tags_with_ours(dataset.tags, spec_.uid, role, context_.state_id());
    };
    TRY(context_.once(
        {"take-over-" + id, ""},
        [&](const Attempt&) -> Result<std::optional<Value>> {
          const auto dataset = TRY(read());
          return dataset.tags == wanted(dataset) ? std::optional<Value>(true) : std::nullopt;
        },
        [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
          const auto dataset = TRY(read());
          if (dataset.tags == wanted(dataset)) return Value(true);
          platform::DatasetPatch patch;
          patch.tags = wanted(dataset);
          TRY(platform::patch_dataset(client, id, patch));
          return Value(true);
        }));
    return {};
  }

  Result<Applied> record(const std::vector<platform::Batch>& batches, const ReadBack& back) {
    const Time now = context_.server().now();
    const auto before = TRY(context_.records().current(spec_.relation));
    Adoption adoption;
    auto& snapshot = adoption.snapshot;
    snapshot.relation = spec_.relation;
    snapshot.content = back.content;
    snapshot.dataset = dataset_;
    snapshot.generation = back.counts.generation;
    snapshot.people = back.people;
    snapshot.proven = now;
    for (const auto& batch : batches) {
      if (snapshot.batch.empty() || generation_of(batch) >= back.counts.generation) snapshot.batch = batch.id;
    }
    if (before && before->content == back.content) {
      // Only the file was lost: what is recorded of it is as true as before.
      snapshot = *before;
    } else if (before) {
      snapshot.definition = before->definition;
      snapshot.source = before->source;
    }
    for (const auto& batch : verdict_.unrecorded) {
      BatchRecord record;
      record.batch = batch.id;
      record.dataset = dataset_;
      record.relation = spec_.relation;
      record.generation = std::max<std::int64_t>(generation_of(batch), 1);
      record.records = batch.records.value_or(0);
      record.proven = batch.completed.value_or(batch.created.value_or(now));
      adoption.batches.push_back(std::move(record));
    }
    adoption.uid = spec_.uid;
    adoption.sequence = "generation/" + spec_.relation;
    adoption.generation = std::max(highest_, back.counts.generation);
    const auto mark = mark_of(batches, back, snapshot, now);
    adoption.remember[kRebuilt] = mark.to_value();
    adoption.remember["dataset"] = Value(dataset_);
    TRY(context_.adopt({"adopt", ""}, adoption));
    context_.events().warn("snapshot.rebuilt",
                           {{"sync", context_.manifest().name}, {"why", why_}, {"found", rebuilt_text(mark)}});
    Applied applied;
    applied.proof.batch = snapshot.batch;
    applied.proof.generation = snapshot.generation;
    applied.proof.records = back.counts.records;
    return applied;
  }

  RebuildMark mark_of(const std::vector<platform::Batch>& batches, const ReadBack& back, const SnapshotRecord& snapshot,
                      Time now) const {
    RebuildMark mark;
    mark.content = snapshot.content;
    mark.generation = snapshot.generation;
    mark.why = why_;
    mark.at = now;
    mark.batches = batches.size();
    mark.records = back.counts.records;
    mark.people = back.people;
    mark.tombstones = back.tombstones;
    mark.without_person = back.counts.without_person;
    mark.unusable_person = back.counts.unusable_person;
    mark.without_generation = back.counts.without_generation;
    mark.other_id = back.counts.other_id;
    mark.duplicates = back.counts.duplicates;
    mark.conflicts = back.counts.conflicts;
    mark.audiences = back.audiences;
    mark.missing = verdict_.missing;
    if (take_over_) mark.taken_over = verdict_.unrecorded.size();
    return mark;
  }

  WriteContext& context_;
  std::string dataset_;
  bool take_over_;
  std::string why_;
  RelationSpec spec_;
  LedgerVerdict verdict_;
  std::int64_t highest_ = 0;  // generation that any batch was ever given
  std::int64_t oldest_ = 0;   // generation that counts
};

std::uint64_t count_in(const Value& value, std::string_view key) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, value.number(key).value_or(0)));
}

}  // namespace

Value RebuildMark::to_value() const {
  Value::Array sizes;
  for (const auto& audience : audiences) {
    sizes.push_back(Value::Object{{"id", audience.id}, {"name", audience.name}, {"people", audience.people}});
  }
  return Value::Object{{"content", content},
                       {"generation", generation},
                       {"why", why},
                       {"at", to_epoch_ms(at)},
                       {"batches", batches},
                       {"records", records},
                       {"people", people},
                       {"tombstones", tombstones},
                       {"without_person", without_person},
                       {"unusable_person", unusable_person},
                       {"without_generation", without_generation},
                       {"other_id", other_id},
                       {"duplicates", duplicates},
                       {"conflicts", conflicts},
                       {"audiences", std::move(sizes)},
                       {"missing", Value::Array(missing.begin(), missing.end())},
                       {"taken_over", taken_over},
                       {"told", told}};
}

std::optional<RebuildMark> RebuildMark::from_value(const Value& value) {
  if (value.text("content").empty()) return std::nullopt;
  RebuildMark mark;
  mark.content = value.text("content");
  mark.generation = value.number("generation").value_or(0);
  mark.why = value.text("why");
  mark.at = from_epoch_ms(value.number("at").value_or(0));
  mark.batches = count_in(value, "batches");
  mark.records = count_in(value, "records");
  mark.people = count_in(value, "people");
  mark.tombstones = count_in(value, "tombstones");
  mark.without_person = count_in(value, "without_person");
  mark.unusable_person = count_in(value, "unusable_person");
  mark.without_generation = count_in(value, "without_generation");
  mark.other_id = count_in(value, "other_id");
  mark.duplicates = count_in(value, "duplicates");
  mark.conflicts = count_in(value, "conflicts");
  for (const auto& audience : value.items("audiences")) {
    mark.audiences.push_back({audience.text("id"), audience.text("name"), count_in(audience, "people")});
  }
  for (const auto& batch : value.items("missing")) {
    if (const auto* id = batch.string_if()) mark.missing.push_back(*id);
  }
  mark.taken_over = count_in(value, "taken_over");
  mark.told = value.flag("told");
  return mark;
}

std::string rebuilt_text(const RebuildMark& mark) {
  std::string text =
      fmt::format("{} people, {} known and in no audience, from {} records of {} batch{}, generation {}", mark.people,
                  mark.tombstones, mark.records, mark.batches, mark.batches == 1 ? "" : "es", mark.generation);
  const auto left_out = mark.without_person + mark.unusable_person + mark.without_generation;
  if (left_out > 0) text += fmt::format("; {} records left out", left_out);
  return text;
}

std::vector<platform::Batch> in_reading_order(std::vector<platform::Batch> live) {
  std::stable_sort(live.begin(), live.end(), [](const auto& left, const auto& right) {
    const auto key = [](const platform::Batch& batch) {
      return std::tuple(generation_of(batch), batch.created.value_or(Time()), batch.id);
    };
    return key(left) < key(right);
  });
  return live;
}

TargetFiles target_files(ReadContext& context, std::vector<platform::Batch> batches, const Path& folder,
                         const FileChoice& choose) {
  struct Progress {
    std::vector<platform::Batch> batches;
    Path folder;
    FileChoice choose;
    std::size_t next_batch = 0;
    std::vector<platform::DataFile> files;  // of the batch before `next_batch`
    std::size_t next_file = 0;
    std::optional<Path> last;
    std::uint64_t done = 0;
  };
  auto at = std::make_shared<Progress>();  // the function that is handed on may be copied
  at->batches = std::move(batches);
  at->folder = folder;
  at->choose = choose;
  return [&context, at](std::stop_token) -> Result<std::optional<TargetFile>> {
    if (at->last) TRY(context.files().remove(*at->last));
    at->last.reset();
    while (at->next_file == at->files.size()) {
      if (at->next_batch == at->batches.size()) return std::optional<TargetFile>();
      const auto& batch = at->batches[at->next_batch++];
      at->files = TRY(platform::list_data_files(context.http(), batch.id));
      at->next_file = 0;
      if (at->files.empty() && batch.records.value_or(0) > 0) {
        return Error(ErrorCode::NotFound,
                     fmt::format("batch {} has {} records and the platform gives no file of it; nothing was recorded, "
                                 "try again later",
                                 batch.id, *batch.records));
      }
      if (at->choose) at->files = at->choose(batch, std::move(at->files));
    }
    const auto& batch = at->batches[at->next_batch - 1];
    const auto& file = at->files[at->next_file++];
    TRY(context.files().make_folder(at->folder));
    // A name of its own for each: what is left of a download that was interrupted must not go on with another file.
    const auto name = sha256(fmt::format("{}\n{}\n{}", file.id, file.name, file.length)).substr(0, 32);
    at->last = at->folder / (name + ".parquet");
    TRY(platform::download_data_file(context.http(), file, *at->last).in(fmt::format("batch {}", batch.id)));
    at->done += file.length;
    context.events().progress("reading the target dataset", at->done, 0, "bytes");
    return std::optional(
        TargetFile{*at->last, batch.id, static_cast<std::uint32_t>(at->next_batch), generation_of(batch)});
  };
}

Result<void> expect_all_records(const std::vector<platform::Batch>& batches, const RecordCounts& counts) {
  for (const auto& batch : batches) {
    const auto found = counts.of_batch.find(batch.id);
    const auto read = found == counts.of_batch.end() ? 0 : found->second;
    if (!batch.records || *batch.records == read) continue;
    return Error(ErrorCode::Corrupt,
                 fmt::format("batch {} has {} records by the catalog, its files hold {}; nothing was recorded, try "
                             "again later",
                             batch.id, *batch.records, read));
  }
  return {};
}

Result<Applied> rebuild_snapshot(const Change& change, WriteContext& context) { return Rebuild(change, context).run(); }

}  // namespace audiencesync
