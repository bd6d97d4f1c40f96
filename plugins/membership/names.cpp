#include "plugins/membership/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/base/digest.h"
#include "engine/base/json.h"
#include "engine/model/change_fields.h"
#include "plugins/membership/batch_steps.h"
#include "plugins/membership/compaction.h"
#include "plugins/platform/batch_ingestion.h"
#include "plugins/platform/batches.h"

namespace audiencesync {
namespace {

constexpr const char* kMemory = "names";
constexpr const char* kFile = "part-00000.jsonl";
constexpr std::size_t kNamesTold = 3;

std::string mark_of(const Value& names) { return digest_of(names).substr(0, 16); }

std::string tag_value(const platform::Batch& batch, std::string_view prefix) {
  for (const auto& value : batch.tag("audiencesync")) {
    if (value.starts_with(prefix)) return value.substr(prefix.size());
  }
  return {};
}

Value names_of(const Value& audiences) {
  Value names{Value::Object{}};
  if (const auto* list = audiences.array_if()) {
    for (const auto& audience : *list) names[audience.text("id")] = audience.text("name");
  }
  return names;
}

// What has changed, in words; "" when it is not known what was there.
std::string difference(const Value& before, const Value& after) {
  std::vector<std::string> told;
  std::size_t more = 0;
  for (const auto& [id, name] : *after.object_if()) {
    const auto* old = before.find(id);
    if (old != nullptr && *old == name) continue;
    if (told.size() == kNamesTold) {
      ++more;
    } else if (old == nullptr) {
      told.push_back(fmt::format("'{}' is new", after.text(id)));
    } else {
      told.push_back(fmt::format("'{}' is '{}' now", before.text(id), after.text(id)));
    }
  }
  auto text = fmt::format("{}", fmt::join(told, ", "));
  if (more > 0) text += fmt::format(", and {} more", more);
  return text.empty() ? "an audience was withdrawn" : text;
}

// A row of a lookup: the id is what records name it by.
std::string rows_of(const Value& names, const std::string& tenant) {
  std::string rows;
  for (const auto& [id, name] : *names.object_if()) {
    Value row = Value::Object{{"_id", id}};
    row[tenant]["audienceName"] = name;
    rows += to_json(row) + "\n";
  }
  return rows;
}

struct Seen {
  std::optional<platform::Batch> newest;  // live, with names of ours
  std::vector<platform::Batch> older;     // likewise
  std::vector<platform::Batch> loading;   // of ours
  std::vector<platform::Batch> foreign;   // live
};

Result<Seen> look(const ReadContext& context, const std::string& dataset) {
  Seen seen;
  const auto batches = TRY(platform::batches_of(context.http(), dataset));
  std::set<std::string> successors;
  for (const auto& batch : batches) {
    const bool ours = tag_value(batch, "uid:") == context.manifest().uid;
    if (ours && !batch.successor.empty()) successors.insert(batch.successor);
  }
  for (const auto& batch : batches) {
    const bool ours = tag_value(batch, "uid:") == context.manifest().uid && !tag_value(batch, "names:").empty();
    if (ours && platform::is_loading(batch)) seen.loading.push_back(batch);
    bool live = platform::is_live(batch);
    if (!live && ours && !batch.successor.empty()) {
      const auto holder = platform::current_holder(context.http(), batch);
      live = holder.ok() && platform::is_live(*holder);
    }
    if (!live) continue;
    if (!ours) {
      if (!successors.contains(batch.id)) seen.foreign.push_back(batch);
      continue;
    }
    if (seen.newest) seen.older.push_back(*seen.newest);
    seen.newest = batch;
  }
  return seen;
}

bool has_open_change(const ReadContext& context) {
  const auto open = context.records().open_changes(context.manifest().uid);
  return open.ok() && std::any_of(open->begin(), open->end(),
                                  [](const ChangeRecord& record) { return record.change.key == kNames; });
}

}  // namespace

Result<void> observe_names(const Value& audiences, ReadContext& context, Observed& observed) {
  const auto wanted = names_of(audiences);
  observed.wanted[kNames] = {{"names", Field(wanted)}};
  const auto output = context.output({"dataset", "names_dataset_id"});
  const auto* dataset = output.ok() ? output->string_if() : nullptr;
  if (dataset == nullptr) return {};
  const auto seen = TRY(look(context, *dataset));
  for (const auto& batch : seen.foreign) {
    observed.findings.push_back(
        {Severity::Refuse, "another-writer",
         fmt::format("batch {} in dataset {} with the names of audiences was not written by this sync; remove that "
                     "batch, or give this sync datasets of its own",
                     batch.id, *dataset)});
  }
  if (!has_open_change(context)) {
    for (const auto& batch : seen.loading)
      observed.resources.push_back({{kNames.stage, "leftover/" + batch.id}, {{"batch", Value(batch.id)}}, "", {}});
  }
  if (!seen.newest) return {};

  const auto mark = tag_value(*seen.newest, "names:");
  const auto memory = TRY(context.records().remembered(context.manifest().uid, kMemory));
  const bool current = mark == mark_of(wanted);
  Value there{Value::Object{}};
  if (current) {
    there = wanted;
    observed.remember[kMemory] = wanted;
  } else if (memory.is_object() && mark_of(memory) == mark) {
    there = memory;
    observed.guides[kNames] = {difference(memory, wanted) + ": the names are written again, and nobody's record", {}};
  }
  observed.resources.push_back({kNames, {{"dataset", Value(*dataset)}, {"names", Value(there)}}, "", {}});

  const auto now = context.server().now();
  if (!current || !seen.newest->created || now < *seen.newest->created + kArrivesWithin) return {};
  for (const auto& batch : seen.older) {
    if (!platform::is_live(batch)) continue;
    observed.resources.push_back(
        {{kNames.stage,
          fmt::format("superseded/names-{:015}/{}", batch.created ? to_epoch_ms(*batch.created) : 0, batch.id)},
         {{"batch", Value(batch.id)}, {"dataset", Value(*dataset)}},
         "",
         {}});
  }
  return {};
}

Result<Applied> write_names(const Change& change, WriteContext& context) {
  const auto* names = field_of(change, "names");
  const auto* dataset = field_of(change, "dataset");
  if (names == nullptr || !names->is_object() || dataset == nullptr || dataset->string_if() == nullptr)
    return Error(ErrorCode::Internal, "writing names was planned without names or dataset");
  const auto& id = *dataset->string_if();
  const auto& uid = context.manifest().uid;
  const auto mark = mark_of(*names);
  const auto external_id = [&](const Attempt& attempt) {
    return fmt::format("audiencesync-{}-names-{}-{}", uid, mark, attempt.number);
  };
  const auto opened = TRY(context.once(
      {"batch-names", "names/" + uid},
      [&](const Attempt& attempt) -> Result<std::optional<Value>> {
        const auto found = TRY(platform::batches_with_external_id(context.http(), external_id(attempt)));
        return found.empty() ? std::optional<Value>() : std::optional(Value(found.front().id));
      },
      [&](http::WriteClient& client, const Attempt& attempt) -> Result<Value> {
        platform::NewBatch wanted;
        wanted.dataset = id;
        wanted.external_id = external_id(attempt);
        wanted.tags["audiencesync"] = {"uid:" + uid, "role:lookup", "state:" + context.state_id(), "names:" + mark};
        const auto made = TRY(platform::create_batch(client, wanted));
        return Value(made.id);
      }));
  const std::string batch = opened.string_if() != nullptr ? *opened.string_if() : std::string();

  const Path folder = context.work() / "names";
  TRY(context.files().make_folder(folder));
  const auto rows = rows_of(*names, context.manifest().tenant);
  TRY(context.files().write_atomic(folder / kFile, rows));
  TRY(context.once({"put-names", ""}, {}, [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
    TRY(platform::put_file(client, context.files(), {batch, id, kFile, folder / kFile, rows.size()}));
    return Value(true);
  }));
  BatchSteps steps(context, "names");
  TRY(steps.complete(batch));
  const auto settled = TRY(steps.outcome(batch));
  if (!platform::is_live(settled)) {
    return Error(ErrorCode::Rejected, fmt::format("batch {} with the names of audiences is {}: {}", batch,
                                                  settled.status, platform::reasons_of(settled)));
  }
  const auto count = names->object_if()->size();
  if (settled.records != count || settled.failed_records.value_or(0) != 0) {
    TRY(steps.withdraw(batch));
    return Error(ErrorCode::Rejected, fmt::format("batch {} holds {} of {} names; it was taken back", batch,
                                                  settled.records.value_or(0), count));
  }
  TRY(context.files().remove(folder));
  Applied applied;
  applied.proof.batch = batch;
  applied.proof.records = count;
  return applied;
}

}  // namespace audiencesync
