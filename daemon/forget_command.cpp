#include <fmt/format.h>

#include <ostream>
#include <random>

#include "daemon/commands.h"
#include "daemon/person_input.h"
#include "daemon/person_lookup.h"
#include "daemon/sync_records.h"
#include "daemon/write_access.h"
#include "engine/base/json.h"
#include "engine/membership/duckdb/duckdb_person_source.h"
#include "engine/membership/local_memberships.h"
#include "engine/membership/membership_files.h"
#include "engine/report/figures.h"
#include "engine/report/text_layout.h"
#include "plugins/membership/forgetting.h"

namespace audiencesync {
namespace {

/// What forgetting people, or letting them back, came to. No ids.
struct Forgetting {
  std::size_t asked = 0;
  std::size_t changed = 0;      // were not on the list, or were on it
  std::size_t members = 0;      // are in some audience, as proven
  std::size_t ended = 0;        // have a record that says they are in nothing
  std::size_t not_in_file = 0;  // of the asked, whom the snapshot does not name
  std::size_t listed = 0;       // on the list now
  bool proven = false;          // there is a snapshot
  bool readable = true;         // ... that can be read
  Erased erased;
};

std::string random_key() {
  std::random_device random;
  std::string key;
  for (int word = 0; word < 8; ++word) key += fmt::format("{:08x}", random());
  return key;
}

void look_up(Forgetting& forgetting, const Files& files, const Path& snapshot, const PersonId& person) {
  if (!forgetting.readable) return;
  const auto found = find_in_snapshot(files, snapshot, person);
  if (!found.ok()) {
    forgetting.readable = false;  // the next apply reads it back and finds them then
  } else if (!found->found) {
    ++forgetting.not_in_file;
  } else {
    ++(found->audiences.empty() ? forgetting.ended : forgetting.members);
  }
}

Result<Forgetting> forget(const Options& options, const Adapters& adapters, const Settings& settings,
                          const SyncRecords& records, const std::set<PersonId>& people, std::stop_token stop) {
  if (!options.lift) TRY(need_rows_here(records, "forget"));
  const auto access = TRY(WriteAccess::acquire(adapters, settings, "forget"));
  const auto lock = TRY(WriteAccess::acquire_sync(adapters, settings, "forget", records.uid));
  const auto store = TRY(adapters.open_store(settings.state / "state.db", OpenMode::ReadWrite));
  const Path folder = settings.state / "syncs" / records.uid;
  const SyncPlace place{records.uid, records.uid + "/analytics", folder / "work"};
  const auto current = TRY(store->current(place.relation));
  auto list = Forgotten::from_value(TRY(store->remembered(place.uid, kForgotten)));
  if (list.empty()) list = Forgotten(random_key());
  Forgetting forgetting;
  forgetting.asked = people.size();
  forgetting.proven = current.has_value();
  for (const auto& person : people) {
    if (options.lift ? list.lift(person.reveal()) : list.add(person.reveal())) ++forgetting.changed;
    if (current && !options.lift) {
      look_up(forgetting, adapters.files, snapshot_path(folder / "memberships", current->content), person);
    }
  }
  forgetting.listed = list.size();
  // First of all they are kept out; the rest is repeated until it is done, however often it is killed.
  TRY(keep_out(*store, place, list));
  if (options.lift) return forgetting;
  TRY(adapters.files.make_folder(folder / "memberships"));
  DuckdbPersonSource source(DuckdbOptions{.work_folder = folder / "work"});
  LocalMemberships memberships(adapters.files, source, folder / "memberships");
  forgetting.erased = TRY(erase_forgotten(memberships, *store, adapters.files, place, std::move(stop)));
  return forgetting;
}

std::string known_text(const Forgetting& forgetting) {
  if (!forgetting.proven) return "nothing was written yet, so none of them is in the dataset";
  if (!forgetting.readable) return "the snapshot cannot be read here; the next apply reads it back and finds them";
  std::string text = fmt::format("{} in some audience of the dataset", forgetting.members);
  if (forgetting.ended > 0) text += fmt::format(", {} whose memberships ended before", forgetting.ended);
  return text + fmt::format(", {} not known to be in it", forgetting.not_in_file);
}

std::string local_text(const Forgetting& forgetting) {
  std::string text = forgetting.erased.unfinished
                         ? "erased from the history; files of an interrupted run are still needed and go with the "
                           "next apply"
                         : "erased from history, work files and comparisons";
  if (forgetting.erased.quarantined > 0) {
    text += fmt::format("; {} taken out of quarantine", counted(forgetting.erased.quarantined, "record"));
  }
  return text;
}

std::string answer_text(const Options& options, const SyncRecords& records, const Forgetting& forgetting) {
  const auto people = counted(forgetting.asked, "person", "people");
  if (options.lift) {
    return paragraph("", fmt::format("{}: {} of {} may come back: the next export decides", records.name,
                                     forgetting.changed, people)) +
           fmt::format("  {} kept out as before\n", counted(forgetting.listed, "person is", "people are"));
  }
  std::string text = paragraph(
      "", fmt::format("{}: {} kept out from now on, whatever an export says{}", records.name, people,
                      forgetting.changed == forgetting.asked
                          ? ""
                          : fmt::format(" ({} of them already before)", forgetting.asked - forgetting.changed)));
  text += paragraph("  known    ", known_text(forgetting));
  text += paragraph("  here     ", local_text(forgetting));
  const bool to_end = forgetting.members + forgetting.ended > 0 || !forgetting.readable;
  if (to_end) {
    text += paragraph("  dataset  ",
                      "the next apply writes that they are in nothing, as for anybody who leaves; then "
                      "the snapshot here does not name them any more either");
  }
  text += paragraph("  platform ",
                    "older records stay in older batches until everyone is written again "
                    "(target.compact_every); profile and events are the platform's: its data hygiene "
                    "erases those");
  if (to_end) text += fmt::format("next: audiencesync apply, for {}\n", records.name);
  return text;
}

Value answer_value(const Options& options, const SyncRecords& records, const Forgetting& forgetting) {
  Value value = Value::Object{{"version", 1},
                              {"sync", records.uid},
                              {"name", records.name},
                              {"asked", static_cast<std::uint64_t>(forgetting.asked)},
                              {"changed", static_cast<std::uint64_t>(forgetting.changed)},
                              {"kept_out", static_cast<std::uint64_t>(forgetting.listed)}};
  if (options.lift) return value;
  if (forgetting.proven && forgetting.readable) {
    value["in_dataset"] = static_cast<std::uint64_t>(forgetting.members);
    value["ended_before"] = static_cast<std::uint64_t>(forgetting.ended);
  }
  value["quarantined"] = static_cast<std::uint64_t>(forgetting.erased.quarantined);
  value["erased"] = !forgetting.erased.unfinished;
  return value;
}

}  // namespace

ExitCode forget_command(const Options& options, const Adapters& adapters, const Console& console,
                        std::stop_token stop) {
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto fail = [&](const Error& error) {
    say_error(console, error);
    return exit_code(error.code());
  };
  const auto syncs = read_syncs(options, *settings, adapters, 1);
  if (!syncs.ok()) return fail(syncs.error());
  const auto& records = syncs->front();
  const auto given = ask_people(options.person, console);
  if (!given.ok()) return fail(given.error());
  const auto rule = person_rule_of(records.runs.empty() ? Value() : records.runs.front().manifest);
  const auto normalized = normalized_people(*given, rule);
  if (!normalized.ok()) return fail(Error(normalized.error()).in("nobody was forgotten"));
  const std::set<PersonId> people(normalized->begin(), normalized->end());
  const auto forgetting = forget(options, adapters, *settings, records, people, std::move(stop));
  if (!forgetting.ok()) return fail(Error(forgetting.error()).in(records.name));
  if (options.format == Format::Json) {
    console.out << to_json_pretty(answer_value(options, records, *forgetting)) << "\n";
  } else {
    console.out << answer_text(options, records, *forgetting);
  }
  return ExitCode::Converged;
}

}  // namespace audiencesync
