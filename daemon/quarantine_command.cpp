#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <set>

#include "daemon/commands.h"
#include "daemon/person_input.h"
#include "daemon/person_lookup.h"
#include "daemon/sync_records.h"
#include "daemon/write_access.h"
#include "engine/base/json.h"
#include "plugins/membership/question.h"

namespace audiencesync {
namespace {

// More people are only counted; --format json has all of them.
constexpr std::size_t kMostLines = 50;

std::string relation_of(const SyncRecords& records) { return records.uid + "/analytics"; }

/// What is out of the ordinary run of a sync: people the platform rejected, and rows of the last input that could not
/// be used. Ids appear masked.
struct Quarantine {
  std::vector<QuarantineRecord> people;
  DroppedRows rows;
};

Result<Quarantine> read_quarantine(const Store& store, const Files& files, const Path& folder,
                                   const SyncRecords& records) {
  Quarantine quarantine;
  quarantine.people = TRY(store.quarantine(relation_of(records)));
  if (const auto kept = kept_comparison(files, folder / "work")) quarantine.rows = kept->dropped;
  return quarantine;
}

std::string list_text(const SyncRecords& records, const Quarantine& quarantine, Time now) {
  std::string out = fmt::format("{}: {} {} in quarantine\n", records.name, quarantine.people.size(),
                                quarantine.people.size() == 1 ? "person" : "people");
  std::size_t shown = 0;
  for (const auto& person : quarantine.people) {
    if (shown++ == kMostLines) break;
    out += fmt::format("  {}  since {}{}\n    batch {}: {}\n", PersonId(person.person).masked(),
                       ago_text(person.since, now), person.given_up ? ", given up" : "", person.batch, person.reason);
  }
  if (quarantine.people.size() > kMostLines) {
    out += fmt::format("  and {} more; --format json has them all\n", quarantine.people.size() - kMostLines);
  }
  const auto& rows = quarantine.rows;
  if (rows.total() > 0) {
    out += fmt::format("{} of {} rows of the last input cannot be used", rows.total(), rows.read);
    out += rows.samples.empty() ? "\n" : rows.samples.size() < rows.total() ? "; the first are:\n" : ":\n";
  }
  for (const auto& sample : rows.samples) {
    out += fmt::format("  {} {} {}: {}{}\n", sample.file, sample.unit, sample.position, sample.reason,
                       sample.person.empty() ? "" : ", " + sample.person);
  }
  if (!quarantine.people.empty()) {
    out += fmt::format("next: audiencesync quarantine replay {} sends them again with the next apply\n", records.name);
  }
  return out;
}

Value list_value(const SyncRecords& records, const Quarantine& quarantine) {
  Value::Array people;
  for (const auto& person : quarantine.people) {
    people.push_back(Value::Object{{"person", PersonId(person.person).masked()},
                                   {"reason", person.reason},
                                   {"batch", person.batch},
                                   {"since", to_iso8601(person.since)},
                                   {"given_up", person.given_up}});
  }
  Bulk input;
  input.content = "-";
  input.dropped = quarantine.rows;
  return Value::Object{{"sync", records.name},
                       {"uid", records.uid},
                       {"people", std::move(people)},
                       {"rows", *input.to_value().find("dropped")}};
}

Result<std::string> release(const Options& options, const Console& console, Store& store, const SyncRecords& records) {
  auto people = TRY(store.quarantine(relation_of(records)));
  std::set<PersonId> wanted;
  if (options.person == PersonFrom::Stdin) {
    const auto given = TRY(read_people(console));
    const auto rule = person_rule_of(records.runs.empty() ? Value() : records.runs.front().manifest);
    for (const auto& person : TRY(normalized_people(given, rule))) wanted.insert(person);
  }
  const auto is_wanted = [&](const QuarantineRecord& record) {
    return options.person != PersonFrom::Stdin || wanted.contains(PersonId(record.person));
  };
  const bool replay = options.quarantine == QuarantineAction::Replay;
  std::size_t changed = 0;
  for (auto& record : people) {
    if (!is_wanted(record) || (!replay && record.given_up)) continue;
    ++changed;
    record.given_up = true;
  }
  if (replay) std::erase_if(people, is_wanted);
  if (changed > 0) TRY(store.replace_quarantine(relation_of(records), people));
  if (options.person == PersonFrom::Stdin && changed < wanted.size()) {
    console.err << fmt::format("{} of {} ids are not in quarantine\n", wanted.size() - changed, wanted.size());
  }
  const auto who = fmt::format("{} {}", changed, changed == 1 ? "person" : "people");
  if (changed == 0) return fmt::format("{}: nobody to {}\n", records.name, replay ? "replay" : "drop");
  if (!replay) {
    return fmt::format(
        "{}: {} given up: they stay as they are in the dataset and are no longer warned about\n"
        "next: audiencesync quarantine replay {} takes them back\n",
        records.name, who, records.name);
  }
  return fmt::format("{}: {} left the quarantine; the next apply sends their records again\n", records.name, who);
}

}  // namespace

ExitCode quarantine_command(const Options& options, const Adapters& adapters, const Console& console) {
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto fail = [&](const Error& error) {
    say_error(console, error);
    return exit_code(error.code());
  };
  const auto syncs = read_syncs(options, *settings, adapters, 1);
  if (!syncs.ok()) return fail(syncs.error());
  if (syncs->empty()) return fail(Error(ErrorCode::NotFound, "no sync has run here yet; there is no quarantine"));
  const auto& records = syncs->front();
  const auto file = settings->state / "state.db";
  if (options.quarantine == QuarantineAction::List) {
    const auto store = adapters.open_store(file, OpenMode::ReadOnly);
    if (!store.ok()) return fail(store.error());
    const auto found = read_quarantine(**store, adapters.files, settings->state / "syncs" / records.uid, records);
    if (!found.ok()) return fail(found.error());
    if (options.format == Format::Json) {
      console.out << to_json_pretty(list_value(records, *found)) << "\n";
    } else {
      console.out << list_text(records, *found, adapters.clock.now());
    }
    return ExitCode::Converged;
  }
  const auto lock = WriteAccess::acquire(adapters, *settings, "quarantine");
  if (!lock.ok()) return fail(lock.error());
  const auto store = adapters.open_store(file, OpenMode::ReadWrite);
  if (!store.ok()) return fail(store.error());
  const auto said = release(options, console, **store, records);
  if (!said.ok()) return fail(said.error());
  console.out << *said;
  return ExitCode::Converged;
}

}  // namespace audiencesync
