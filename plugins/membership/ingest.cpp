#include "plugins/membership/ingest.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>

#include "engine/manifest/limit.h"
#include "engine/model/change_fields.h"
#include "plugins/membership/batch_steps.h"
#include "plugins/membership/pace.h"
#include "plugins/membership/rejections.h"
#include "plugins/membership/relation.h"
#include "plugins/platform/batch_ingestion.h"
#include "plugins/platform/batches.h"

namespace audiencesync {
namespace {

constexpr int kMostNamedRounds = 3;
constexpr std::size_t kMostQuarantined = 10'000;  // of a relation, whatever the guard allows of one run
constexpr std::string_view kUnfinished = "unfinished ";

std::string content_mark(const Bulk& bulk) { return bulk.content.substr(0, 16); }

class Ingest {
 public:
  Ingest(const Change& change, WriteContext& context)
      : context_(context),
        bulk_(*change.bulk),
        dataset_(field_text(change, "dataset")),
        definition_(field_text(change, "definition")),
        rewrite_(field_flag(change, "rewrite")),
        format_(context.manifest().target.upload == UploadFiles::Parquet ? UploadFormat::Parquet
                                                                         : UploadFormat::JsonLines) {
    spec_.relation = field_text(change, "relation");
    spec_.uid = field_text(change, "uid");
    spec_.tenant = field_text(change, "tenant");
    spec_.dataset = dataset_;
    // Of the plan, not of a manifest that may be another one by the time an interrupted run goes on.
    const auto form = record_form(field_text(change, "shape"));
    spec_.layout = form.layout;
    spec_.names = form.names;
  }

  Result<Applied> run() {
    if (dataset_.empty() || spec_.relation.empty()) {
      return Error(ErrorCode::Internal, "an ingest without dataset or relation was planned");
    }
    quarantine_ = TRY(context_.records().quarantine(spec_.relation));
    std::vector<Work> open{{{0, bulk_.people}, 0, 0}};
    while (!open.empty()) {
      const Work work = open.back();
      open.pop_back();
      TRY(attempt(work, open));
    }
    // Not one batch passed and nobody was ever named: that says something about the platform, nothing about people.
    if (successes_ == 0 && !rejected_.empty() && !somebody_named_) return nothing_passes();
    // What the last commit did not carry: nobody was left to write after these were rejected.
    if (unsaved_) TRY(context_.quarantine(spec_.relation, quarantine_));
    TRY(context_.files().remove(folder_root()));
    Applied applied;
    applied.proof = proof_;
    applied.outputs["generation"] = proof_.generation;
    return applied;
  }

 private:
  // A range of changed people to be sent as one batch.
  struct Work {
    RowRange rows;
    int named_rounds = 0;     // how often rows of it were rejected by name
    int silent_failures = 0;  // how often it failed without naming anyone
  };

  Path folder_root() const { return context_.work() / "upload"; }

  std::string external_id(std::int64_t generation) const {
    return fmt::format("audiencesync-{}-{}-{}", spec_.uid, content_mark(bulk_), generation);
  }

  // With it goes how the batch is filled: after an interruption the settings may be others.
  Value opened(const std::string& batch, std::int64_t generation) const {
    const auto& limits = context_.settings().limits;
    return Value::Object{{"batch", batch},
                         {"generation", generation},
                         {"format", format_ == UploadFormat::Parquet ? "parquet" : "json"},
                         {"file_bytes", limits.upload_file},
                         {"batch_bytes", limits.largest_batch()},
                         {"batch_files", limits.batch_files}};
  }

  static EncodeOptions filled_as(const Value& opened) {
    EncodeOptions options;
    const auto limit = [&](const char* name, std::uint64_t& value) {
      if (const auto number = opened.number(name)) value = static_cast<std::uint64_t>(*number);
    };
    limit("file_bytes", options.largest_part);
    limit("batch_bytes", options.most_bytes);
    limit("batch_files", options.most_parts);
    if (opened.text("format") == "parquet") options.format = UploadFormat::Parquet;
    return options;
  }

  // What a batch of these rows takes, about.
  std::uint64_t estimated_bytes(const RowRange& rows) const {
    const double share =
        static_cast<double>(rows.last - rows.first) / static_cast<double>(std::max<std::uint64_t>(bulk_.people, 1));
    return std::min(static_cast<std::uint64_t>(static_cast<double>(bulk_.bytes) * share),
                    context_.settings().limits.largest_batch());
  }

  // Where the rows of a batch end; the first answer holds.
  Result<std::uint64_t> end_of_batch(int number, std::uint64_t last) {
    const auto stored =
        TRY(context_.once({fmt::format("range-{}", number), ""}, {},
                          [&](http::WriteClient&, const Attempt&) -> Result<Value> { return Value(last); }));
    return static_cast<std::uint64_t>(to_number(stored).value_or(0));
  }

  // The batch of a generation that an earlier process proved and committed.
  Result<std::optional<BatchRecord>> committed(std::int64_t generation) const {
    for (const auto& record : TRY(context_.records().batches(spec_.relation))) {
      if (record.generation == generation) return std::optional(record);
    }
    return std::optional<BatchRecord>();
  }

  Result<Value> open_batch(int number, const RowRange& rows) {
    return context_.once(
        {fmt::format("batch-{}", number), "generation/" + spec_.relation},
        [&](const Attempt& attempt) -> Result<std::optional<Value>> {
          const auto found = TRY(platform::batches_with_external_id(context_.http(), external_id(attempt.number)));
          if (found.empty()) return std::nullopt;
          if (found.size() > 1) {
            context_.events().warn("batch.twice", {{"adopted", found.front().id}, {"other", found.back().id}});
          }
          return std::optional<Value>(opened(found.front().id, attempt.number));
        },
        [&](http::WriteClient& client, const Attempt& attempt) -> Result<Value> {
          // Only here: a batch that was opened before has had its share of an hour.
          TRY(await_room(context_, fmt::format("{}/{}/{}", spec_.relation, content_mark(bulk_), number),
                         estimated_bytes(rows)));
          platform::NewBatch wanted;
          if (format_ == UploadFormat::Parquet) wanted.format = platform::BatchFormat::Parquet;
          wanted.dataset = dataset_;
          wanted.external_id = external_id(attempt.number);
          wanted.tags["audiencesync"] = {"uid:" + spec_.uid, "role:target", "state:" + context_.state_id(),
                                         fmt::format("generation:{}", attempt.number)};
          const auto made = TRY(platform::create_batch(client, wanted));
          return opened(made.id, attempt.number);
        });
  }

  Error nothing_passes() const {
    return Error(ErrorCode::Rejected,
                 fmt::format("the platform rejects every batch of this change ({} tried, last: {}); the target keeps "
                             "what was proven before",
                             attempts_, last_reason_));
  }

  Result<void> attempt(Work work, std::vector<Work>& open) {
    const int most = static_cast<int>(std::bit_width(bulk_.people)) + 2 * kMostNamedRounds + 4;
    if (attempts_ - successes_ * 2 >= most) return nothing_passes();
    ++attempts_;
    const int number = attempts_;
    const Value opened = TRY(open_batch(number, work.rows));
    const std::string batch = opened.text("batch");
    const std::int64_t generation = opened.number("generation").value_or(0);
    if (first_generation_ == 0) first_generation_ = generation;

    if (const auto record = TRY(committed(generation))) {
      const auto last = TRY(end_of_batch(number, work.rows.last));
      if (last < work.rows.last) open.push_back({{last, work.rows.last}, 0, 0});
      ++successes_;
      proof_.batch = record->batch;
      proof_.generation = generation;
      proof_.records += record->records;
      return {};
    }
    auto options = filled_as(opened);
    options.generation = generation;
    options.leave_out = rejected_;
    options.rows = work.rows;
    const Path folder = folder_root() / std::to_string(generation);
    TRY(context_.files().make_folder(folder));
    auto encoded = context_.memberships().encode(spec_, bulk_, options, folder, context_.stop());
    if (!encoded.ok()) {
      const auto code = encoded.error().code();
      if (code == ErrorCode::NotFound || code == ErrorCode::Conflict || code == ErrorCode::Corrupt) {
        TRY(BatchSteps(context_, number).withdraw(batch));
        return Error(ErrorCode::Conflict,
                     fmt::format("the files behind the change are not usable any more ({}); its batch {} was withdrawn",
                                 encoded.error().text(), batch));
      }
      return std::move(encoded).error();
    }
    const Upload upload = std::move(encoded).take();
    if (upload.last < work.rows.last) {
      const auto last = TRY(end_of_batch(number, upload.last));
      open.push_back({{last, work.rows.last}, 0, 0});
      work.rows.last = last;
    }
    if (upload.records == 0) {
      // Everyone of this range was rejected by name before, or layout membership has no record for them.
      skipped_ = true;
      TRY(BatchSteps(context_, number).abort(batch));
      return {};
    }
    for (const auto& part : upload.parts) {
      TRY(context_.once(
          {fmt::format("put-{}-{}", number, part.name), ""}, {},
          [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
            TRY(platform::put_file(client, context_.files(), {batch, dataset_, part.name, part.path, part.bytes}));
            return Value(part.bytes);
          }));
    }
    TRY(BatchSteps(context_, number).complete(batch));
    const auto settled = TRY(BatchSteps(context_, number).outcome(batch));
    if (platform::is_live(settled)) return accept(number, work, open, upload, settled, generation);
    last_reason_ = fmt::format("batch {} is {}: {}", batch, settled.status, platform::reasons_of(settled));
    context_.events().warn("batch.failed",
                           {{"batch", batch}, {"status", settled.status}, {"reason", platform::reasons_of(settled)}});
    return reject(work, open, upload, settled);
  }

  Result<void> accept(int number, const Work& work, const std::vector<Work>& open, const Upload& upload,
                      const platform::Batch& batch, std::int64_t generation) {
    if (batch.records != upload.records || batch.failed_records.value_or(0) != 0) {
      TRY(BatchSteps(context_, number).withdraw(batch.id));
      return Error(ErrorCode::Rejected,
                   fmt::format("batch {} holds {} records and {} failed, {} were sent; it was taken back", batch.id,
                               batch.records.value_or(0), batch.failed_records.value_or(0), upload.records));
    }
    ++successes_;
    const auto delta = TRY(kept_delta(work, upload.candidate, generation));
    landed_ = upload.candidate;
    const Time now = context_.server().now();
    SnapshotRecord snapshot;
    snapshot.relation = spec_.relation;
    snapshot.content = upload.candidate;
    snapshot.dataset = dataset_;
    snapshot.generation = generation;
    snapshot.batch = batch.id;
    // The definition of nothing whole: whoever plans next must know that not everybody is written like this yet.
    snapshot.definition = rewrite_ && !open.empty() ? std::string(kUnfinished) + definition_ : definition_;
    snapshot.source = bulk_.source;
    snapshot.people = TRY(context_.memberships().holders(upload.candidate));
    snapshot.proven = now;
    snapshot.delta = delta.digest;
    snapshot.erased = delta.erased;
    BatchRecord record;
    record.batch = batch.id;
    record.dataset = dataset_;
    record.relation = spec_.relation;
    record.generation = generation;
    record.records = upload.records;
    record.proven = now;
    if (rewrite_ && open.empty()) record.supersedes_below = first_generation_;
    TRY(context_.commit({fmt::format("commit-{}", number), ""}, snapshot, record, quarantine_));
    unsaved_ = false;
    proof_.batch = batch.id;
    proof_.generation = generation;
    proof_.records += upload.records;
    context_.events().emit("batch.proven", {{"batch", batch.id},
                                            {"generation", generation},
                                            {"records", upload.records},
                                            {"rows", work.rows.last - work.rows.first}});
    return {};
  }

  // What leads back from this commit, "" when none is kept. The past is worth having, but nothing that is wrong with it
  // keeps what is proven from being recorded.
  Result<KeptDelta> kept_delta(const Work& work, const Digest& candidate, std::int64_t generation) {
    if (context_.manifest().retention.generations == 0) return KeptDelta();
    const auto current = TRY(context_.records().current(spec_.relation));
    // Committed before an interruption: its delta is in the same record.
    if (current && current->generation >= generation) return KeptDelta{current->delta, current->erased};
    // Before the first one nobody was in anything; that needs no file.
    if (!current) return KeptDelta();
    DeltaRequest request;
    request.before = current->content;
    request.after = candidate;
    // Rows of the changeset tell all when it starts from what is current; a new target starts from nothing instead, and
    // after a range without a batch of its own its rows are in this candidate as well.
    if (current->content == landed_.value_or(bulk_.base) && !skipped_) {
      request.rows = DeltaRequest::Rows{bulk_.content, work.rows, rejected_};
    }
    request.forgotten = Forgotten::from_value(TRY(context_.records().remembered(spec_.uid, kForgotten)));
    auto kept = context_.memberships().keep_delta(request, context_.stop());
    if (kept.ok()) return std::move(kept).take();
    switch (kept.error().code()) {
      case ErrorCode::Interrupted:
      case ErrorCode::NoSpace:
      case ErrorCode::Io:
        return std::move(kept).error();
      default:
        break;
    }
    context_.events().warn("history.shortened", {{"sync", context_.manifest().name},
                                                 {"error", kept.error().text()},
                                                 {"next", "memberships before this run cannot be asked for any more"}});
    return KeptDelta();
  }

  Result<void> reject(const Work& work, std::vector<Work>& open, const Upload& upload, const platform::Batch& batch) {
    const auto named = TRY(named_rejections(context_, batch, upload, rejected_));
    const std::uint64_t size = work.rows.last - work.rows.first;
    if (!named.empty() && work.named_rounds < kMostNamedRounds) {
      somebody_named_ = true;
      for (const auto& rejection : named) TRY(quarantine(rejection, batch.id));
      open.push_back({work.rows, work.named_rounds + 1, work.silent_failures});
      return {};
    }
    if (work.silent_failures == 0) {
      // Nobody named: it may have been the platform's own trouble, so the same once more before it is halved.
      open.push_back({work.rows, work.named_rounds, 1});
      return {};
    }
    if (upload.people == 1) {
      const auto last = TRY(only_person(context_, upload));
      return quarantine({last, platform::reasons_of(batch)}, batch.id);
    }
    const auto middle = work.rows.first + size / 2;
    if (middle == work.rows.first) {
      return Error(ErrorCode::Rejected, fmt::format("batch {} failed and nothing in it can be told apart: {}", batch.id,
                                                    platform::reasons_of(batch)));
    }
    // The left half is sent first: what has landed is always a beginning of the changeset.
    open.push_back({{middle, work.rows.last}, work.named_rounds, 1});
    open.push_back({{work.rows.first, middle}, work.named_rounds, 1});
    return {};
  }

  Result<void> quarantine(const Rejection& rejection, const std::string& batch) {
    if (!rejected_.insert(rejection.person).second) return {};
    // A resumed run meets people again whom an earlier commit already recorded.
    std::erase_if(quarantine_, [&](const auto& record) { return record.person == rejection.person.reveal(); });
    quarantine_.push_back(
        {spec_.relation, rejection.person.reveal(), rejection.reason, batch, context_.server().now(), false});
    if (quarantine_.size() > kMostQuarantined) {
      return Error(
          ErrorCode::Rejected,
          fmt::format("{} people are in quarantine, more than are kept; mend what the platform says ({}), then: "
                      "audiencesync quarantine replay {}",
                      quarantine_.size(), rejection.reason, spec_.uid));
    }
    unsaved_ = true;
    const auto& guard = context_.manifest().guard;
    if (rejected_.size() < guard.min_people || within(guard.max_bad_rows, rejected_.size(), bulk_.people)) return {};
    return Error(
        ErrorCode::Rejected,
        fmt::format("the platform rejects {} of {} people, more than guard.max_bad_rows ({}) allows; last reason: "
                    "{}",
                    rejected_.size(), bulk_.people, guard.max_bad_rows.text(), rejection.reason));
  }

  WriteContext& context_;
  const Bulk& bulk_;
  std::string dataset_;
  std::string definition_;
  bool rewrite_;
  UploadFormat format_;
  RelationSpec spec_;
  int attempts_ = 0;
  int successes_ = 0;
  std::int64_t first_generation_ = 0;
  std::string last_reason_;
  std::set<PersonId> rejected_;
  bool somebody_named_ = false;  // by the platform, not found by halving
  std::vector<QuarantineRecord> quarantine_;
  bool unsaved_ = false;
  std::optional<Digest> landed_;  // snapshot of the last batch that passed
  bool skipped_ = false;          // a range had nothing to send
  Proof proof_;
};

}  // namespace

bool is_unfinished(const SnapshotRecord& snapshot) { return snapshot.definition.starts_with(kUnfinished); }

bool is_attempt_of(std::string_view external_id, const Bulk& bulk) {
  return external_id.find("-" + content_mark(bulk) + "-") != std::string_view::npos;
}

Result<Applied> ingest(const Change& change, WriteContext& context) {
  if (!change.bulk) return Error(ErrorCode::Internal, "an ingest without memberships was planned");
  return Ingest(change, context).run();
}

}  // namespace audiencesync
