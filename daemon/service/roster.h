#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/service/agenda.h"
#include "daemon/service/manifest_source.h"
#include "engine/report/event_sink.h"
#include "engine/store/store.h"

namespace audiencesync {

/// A sync whose turn has come.
struct NextRun {
  std::string uid;
  Cause cause = Cause::Schedule;
};

/// Every sync of the daemon with its agenda: who is next, and when to look again.
///
/// Knows no processes and no files. What it must remember over a restart it keeps in the store; what cannot be kept or
/// read is told as an event, and the sync goes on with what is known.
class Roster {
 public:
  struct Entry {
    LoadedManifest manifest;
    Agenda agenda;
    bool removed = false;            // its manifest is gone; it leaves when its run ends
    std::int64_t approved_plan = 0;  // that was approved and asked for already: it is wanted once
  };

  Roster(Store& store, EventSink& events, BackOff back_off) : store_(store), events_(events), back_off_(back_off) {}

  /// Takes over what a source holds now. A rejected file leaves the sync that it declared as it was.
  void accept(const ManifestSet& set, Moment now);
  void set_back_off(BackOff back_off) { back_off_ = back_off; }

  /// Reads again who is suspended and whose plan was approved.
  void read_decisions(Moment now);
  /// A person wants it to run. Errors: NotFound with the syncs that there are; Refused when it is suspended.
  Result<std::string> want(const std::string& name_or_uid, Moment now);

  /// Who may begin now, those first who wait longest; at most `count`.
  std::vector<NextRun> next(Moment now, std::size_t count);
  /// When to ask again, if nothing happens before.
  struct Alarm {
    std::optional<Time> wall;
    std::optional<std::chrono::steady_clock::time_point> steady;
  };
  Alarm alarm(Moment now);

  void begin(const std::string& uid, Moment now);
  void end(const std::string& uid, ExitCode code, Moment now, double spread);

  const std::map<std::string, Entry>& entries() const { return entries_; }

 private:
  void add(const LoadedManifest& manifest, Moment now);
  void change(Entry& entry, const LoadedManifest& manifest, Moment now);
  void want_if_defined_anew(Entry& entry);
  void read_decision(Entry& entry, Moment now);
  void keep(const Entry& entry);
  void warn(const std::string& sync, const Error& error, const char* next);

  Store& store_;
  EventSink& events_;
  BackOff back_off_;
  std::map<std::string, Entry> entries_;  // by uid
};

}  // namespace audiencesync
