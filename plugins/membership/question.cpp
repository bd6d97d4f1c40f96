#include "plugins/membership/question.h"

#include <fmt/format.h>

#include "engine/base/json.h"
#include "plugins/membership/source_files.h"

namespace audiencesync {
namespace {

struct Kept {
  Digest key;
  bool rewrite = false;
  Bulk bulk;
};

// Everything the desired side depends on; the base is compared by itself.
Digest key_of(const Question& question, const std::string& source) {
  Value::Array held;
  for (const auto& audience : question.spec.audiences) {
    if (audience.held) held.push_back(audience.id);
  }
  Value::Array quarantined;
  for (const auto& person : question.spec.quarantined) quarantined.push_back(sha256(person.reveal()));
  Value::Object key{{"definition", question.spec.definition()},
                    {"dataset", question.spec.dataset},
                    {"held", std::move(held)},
                    {"quarantined", std::move(quarantined)},
                    {"source", source}};
  if (question.restore) key["restore"] = *question.restore;
  if (!question.spec.forgotten.empty()) key["forgotten"] = question.spec.forgotten.digest();
  return digest_of(key);
}

Path kept_file(const Path& work) { return work / "comparison.json"; }

// A damaged or older file only costs the comparison again.
std::optional<Kept> read_kept(const Files& files, const Path& work) {
  const auto text = files.read(kept_file(work));
  if (!text.ok()) return std::nullopt;
  const auto value = parse_json(*text);
  if (!value.ok() || value->find("bulk") == nullptr) return std::nullopt;
  auto bulk = Bulk::from_value(*value->find("bulk"));
  if (!bulk.ok()) return std::nullopt;
  return Kept{value->text("key"), value->flag("rewrite"), std::move(bulk).take()};
}

// What comparing the same source with its own result gives.
Bulk settled(const Bulk& applied) {
  Bulk bulk = applied;
  bulk.base = applied.candidate;
  bulk.people = bulk.added = bulk.removed = bulk.records = bulk.bytes = 0;
  for (auto& audience : bulk.audiences) {
    audience.before = audience.after;
    audience.entered = audience.left = audience.renamed = 0;
    audience.name_before.clear();
  }
  bulk.forgotten = {};
  return bulk;
}

}  // namespace

Result<Bulk> compare_memberships(const Question& question, ReadContext& context) {
  const std::string source = fmt::format("{}", fmt::join(question.batches, ","));
  const Digest key = key_of(question, source);
  const Digest base = question.current ? question.current->content : Digest{};
  if (const auto kept = read_kept(context.files(), context.work()); kept && kept->key == key) {
    if (!question.rewrite && !base.empty() && kept->bulk.candidate == base) return settled(kept->bulk);
    if (kept->bulk.base == base && kept->rewrite == question.rewrite && context.memberships().holds(kept->bulk)) {
      return kept->bulk;
    }
  }

  const Path folder = context.work() / "source";
  const bool landed = !question.files.empty();
  const SourceRef ref{source,
                      [&](std::stop_token) -> Result<std::vector<Path>> {
                        if (!landed) return fetch_source_files(context, question.batches, folder);
                        TRY(check_unchanged(context, question.files, source));
                        return question.files;
                      },
                      question.restore};
  const BaseRef base_ref{base.empty() ? std::nullopt : std::optional(base), question.rewrite};
  auto compared = context.memberships().compare(question.spec, ref, base_ref, context.stop());
  // The files hold person ids; the changeset has all that is needed of them.
  TRY(context.files().remove(folder));
  const Bulk bulk = TRY(std::move(compared));
  if (landed) TRY(check_unchanged(context, question.files, source));
  if (question.profiles && bulk.dropped.read < *question.profiles) {
    return Error(ErrorCode::Corrupt,
                 fmt::format("the export counted {} profiles, its files hold {} rows; nothing is planned on a partial "
                             "export: run apply again for a new one",
                             *question.profiles, bulk.dropped.read));
  }
  TRY(context.files().write_atomic(
      kept_file(context.work()),
      to_json(Value::Object{{"key", key}, {"rewrite", question.rewrite}, {"bulk", bulk.to_value()}})));
  return bulk;
}

std::optional<Bulk> kept_comparison(const Files& files, const Path& work) {
  auto kept = read_kept(files, work);
  return kept ? std::optional(std::move(kept->bulk)) : std::nullopt;
}

}  // namespace audiencesync
