#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <set>

#include "daemon/commands.h"
#include "daemon/member_rows.h"
#include "daemon/sync_records.h"
#include "engine/manifest/nearest_word.h"
#include "engine/membership/history.h"
#include "engine/report/figures.h"
#include "plugins/membership/past.h"

namespace audiencesync {
namespace {

// More audiences than this are not listed in an error.
constexpr std::size_t kMostListed = 10;

/// An audience that was or is in the sync, under every name that its records or the manifest gave it.
using NamesById = std::map<AudienceId, std::set<std::string>>;

/// Members without the people who were forgotten: of them a snapshot knows until their memberships have ended.
class Remembered final : public PastMembers {
 public:
  Remembered(std::unique_ptr<PastMembers> members, Forgotten forgotten)
      : members_(std::move(members)), forgotten_(std::move(forgotten)) {}
  const std::vector<AudiencePeople>& audiences() const override { return members_->audiences(); }
  Result<std::optional<MemberRow>> next() override {
    while (true) {
      auto row = TRY(members_->next());
      if (!row || !forgotten_.contains(row->person.reveal())) return row;
    }
  }

 private:
  std::unique_ptr<PastMembers> members_;
  Forgotten forgotten_;
};

/// What is read, and what is said about it.
struct Asked {
  std::unique_ptr<PastMembers> members;  // null: nothing was proven by then
  std::string when;                      // "as of run 7, proven 2026-01-02T03:04:05Z"
};

Result<Asked> open_members(const Options& options, const Adapters& adapters, const Settings& settings,
                           const SyncRecords& records) {
  TRY(need_rows_here(records, "members"));
  const auto store = TRY(adapters.open_store(settings.state / "state.db", OpenMode::ReadOnly));
  const auto snapshots = TRY(store->past_snapshots(records.uid + "/analytics", kAllSnapshots));
  if (snapshots.empty()) {
    return Error(ErrorCode::NotFound,
                 fmt::format("sync '{}' has no proven memberships yet; audiencesync apply writes them", records.name));
  }
  Asked asked;
  WayBack way{snapshots.front(), {snapshots.front().record.content, {}, snapshots.front().record.content}};
  if (options.run) {
    TRY(known_run(*store, records, *options.run));
    const auto found = TRY(way_back(snapshots, *options.run));
    if (!found) {
      asked.when = fmt::format("as of run {}, when nothing was proven yet", *options.run);
      return asked;
    }
    way = *found;
    asked.when = fmt::format("as of run {}, proven {}", *options.run, second_text(way.snapshot.record.proven));
  } else {
    asked.when = fmt::format("proven {} by run {}", second_text(way.snapshot.record.proven), way.snapshot.run);
  }
  const auto folder = settings.state / "syncs" / records.uid / "memberships";
  auto forgotten = Forgotten::from_value(TRY(store->remembered(records.uid, kForgotten)));
  auto members = TRY(read_past(adapters.files, folder, way.ref));
  asked.members = std::make_unique<Remembered>(std::move(members), std::move(forgotten));
  return asked;
}

// A run may replace the current snapshot between the two looks at it; then the second attempt sees the new one.
Result<Asked> open_members_twice(const Options& options, const Adapters& adapters, const Settings& settings,
                                 const SyncRecords& records) {
  auto asked = open_members(options, adapters, settings, records);
  if (asked.ok() || asked.error().code() != ErrorCode::NotFound) return asked;
  return open_members(options, adapters, settings, records);
}

NamesById names_of(const Asked& asked, const SyncRecords& records) {
  NamesById names;
  if (asked.members) {
    for (const auto& audience : asked.members->audiences()) names[audience.id].insert(audience.name);
  }
  if (const auto* run = records.last_run()) {
    for (const auto& entry : run->manifest.items("audiences")) {
      if (const auto id = entry.text("id"); !id.empty()) names[id].insert(entry.text("name"));
    }
    for (const auto& size : run->summary.items("memberships")) names[size.text("id")].insert(size.text("name"));
  }
  for (auto& [id, all] : names) all.erase("");
  return names;
}

std::string labelled(const AudienceId& id, const std::set<std::string>& names) {
  return names.empty() ? id : fmt::format("{} ({})", *names.begin(), id);
}

Error no_such_audience(const std::string& word, const NamesById& names, const SyncRecords& records) {
  std::vector<std::string_view> words;
  for (const auto& [id, all] : names) {
    words.push_back(id);
    words.insert(words.end(), all.begin(), all.end());
  }
  std::string text = fmt::format("sync '{}' has no audience '{}'", records.name, word);
  if (const auto nearest = nearest_word(word, words))
    return Error(ErrorCode::NotFound, fmt::format("{}; did you mean '{}'?", text, *nearest));
  std::vector<std::string> known;
  for (const auto& [id, all] : names) {
    if (known.size() < kMostListed) known.push_back(labelled(id, all));
  }
  if (names.size() > known.size()) known.push_back(fmt::format("and {} more", names.size() - known.size()));
  return Error(ErrorCode::NotFound,
               fmt::format("{}; it has {}", text, known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
}

// By id, else by any name the audience has or had.
Result<AudienceId> find_audience(const std::string& word, const NamesById& names, const SyncRecords& records) {
  if (names.contains(word)) return word;
  std::vector<AudienceId> found;
  for (const auto& [id, all] : names) {
    if (all.contains(word)) found.push_back(id);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) return no_such_audience(word, names, records);
  return Error(ErrorCode::Usage, fmt::format("{} audiences of sync '{}' are called '{}'; write the id of one: {}",
                                             found.size(), records.name, word, fmt::join(found, ", ")));
}

Result<std::uint64_t> write_file(const Options& options, Files& files, MemberReader& members,
                                 const MemberChoice& choice, const Path& work) {
  const auto path = std::filesystem::absolute(options.out);
  const auto unfinished = path.parent_path() / fmt::format(".{}.{}.unfinished", path.filename().string(), ::getpid());
  const auto write = [&]() -> Result<std::uint64_t> {
    auto file = TRY(files.create(unfinished));
    if (options.row_form == RowFormat::Parquet) {
      file.reset();
      return write_member_parquet(members, choice, unfinished, work);
    }
    const auto people = TRY(write_member_lines(members, choice, options.row_form,
                                               [&](std::string_view lines) { return file->write(lines); }));
    TRY(file->sync());
    return people;
  };
  auto written = write();
  if (written.ok()) {
    if (auto renamed = files.rename(unfinished, path); !renamed.ok()) written = std::move(renamed).error();
  }
  // Half a list of people is nothing anybody should find.
  if (!written.ok()) (void)files.remove(unfinished);
  return written;
}

Result<std::uint64_t> write_members(const Options& options, const Adapters& adapters, const Console& console,
                                    const Asked& asked, const MemberChoice& choice, const Path& work) {
  class Nobody final : public MemberReader {
    Result<std::optional<MemberRow>> next() override { return std::optional<MemberRow>(); }
  } nobody;
  MemberReader& members = asked.members ? static_cast<MemberReader&>(*asked.members) : nobody;
  if (!options.out.empty()) return write_file(options, adapters.files, members, choice, work);
  const auto people =
      TRY(write_member_lines(members, choice, options.row_form, [&](std::string_view lines) -> Result<void> {
        console.out << lines;
        if (console.out.good()) return {};
        return Error(ErrorCode::Io, "stdout takes no more");
      }));
  console.out.flush();
  return people;
}

}  // namespace

ExitCode members_command(const Options& options, const Adapters& adapters, const Console& console) {
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto fail = [&](const Error& error) {
    say_error(console, error);
    return exit_code(error.code());
  };
  const auto syncs = read_syncs(options, *settings, adapters, 1);
  if (!syncs.ok()) return fail(syncs.error());
  const auto& records = syncs->front();
  const auto asked = open_members_twice(options, adapters, *settings, records);
  if (!asked.ok()) return fail(asked.error());
  MemberChoice choice;
  std::string whom = "any audience";
  if (!options.audience.empty()) {
    const auto names = names_of(*asked, records);
    const auto found = find_audience(options.audience, names, records);
    if (!found.ok()) return fail(found.error());
    choice.audience = *found;
    whom = labelled(*found, names.at(*found));
  }
  const auto work = settings->state / "syncs" / records.uid / "work";
  const auto people = write_members(options, adapters, console, *asked, choice, work);
  if (!people.ok() && !options.out.empty()) return fail(people.error());
  if (!people.ok()) return fail(Error(people.error()).in("what was printed does not count"));
  console.err << fmt::format("{}: {} in {}, {}\n", records.name, counted(*people, "person", "people"), whom,
                             asked->when);
  return ExitCode::Converged;
}

}  // namespace audiencesync
