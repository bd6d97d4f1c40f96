#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/base/server_time.h"
#include "engine/http/client.h"
#include "engine/manifest/manifest.h"
#include "engine/manifest/settings.h"
#include "engine/membership/memberships.h"
#include "engine/model/change.h"
#include "engine/model/observed.h"
#include "engine/plugin/export_slots.h"
#include "engine/report/event_sink.h"
#include "engine/sql/session.h"
#include "engine/store/store.h"

namespace audiencesync {

/// What stages have handed on so far in this pass, by stage and output name.
class OutputTable {
 public:
  void put(const std::string& stage, const Outputs& outputs);
  /// Errors: NotFound, "known after apply", when the stage has not produced it yet.
  Result<Value> get(const Ref& ref) const;

 private:
  std::map<std::string, Outputs> outputs_;
};

/// What a run gives every stage. References outlive the run.
struct RunServices {
  http::ReadClient& http;
  Memberships& memberships;
  const Records& records;
  Files& files;
  const Clock& clock;
  const ServerTime& server;
  EventSink& events;
  const Manifest& manifest;
  const Settings& settings;
  std::string state_id;  // of the state folder; written into tags to tell writers apart
  Path work;             // scratch folder of this sync: downloads, upload files; what is in it can be made again
  std::stop_token stop;
  ExportSlots* export_slots = nullptr;  // none: export jobs are started without asking
  sql::Session* sql = nullptr;          // of Query Service; none where nothing was given to connect with
};

/// All that `observe` gets: it cannot write to the platform.
class ReadContext {
 public:
  ReadContext(const RunServices& services, const OutputTable& outputs) : services_(services), outputs_(outputs) {}

  http::ReadClient& http() const { return services_.http; }
  Memberships& memberships() const { return services_.memberships; }
  const Records& records() const { return services_.records; }
  Files& files() const { return services_.files; }
  const Clock& clock() const { return services_.clock; }
  const ServerTime& server() const { return services_.server; }
  EventSink& events() const { return services_.events; }
  const Manifest& manifest() const { return services_.manifest; }
  const Settings& settings() const { return services_.settings; }
  const std::string& state_id() const { return services_.state_id; }
  const Path& work() const { return services_.work; }
  std::stop_token stop() const { return services_.stop; }
  ExportSlots* export_slots() const { return services_.export_slots; }
  /// Statements of Query Service, which connects when it is first asked; null where nobody gave one (tests).
  sql::Session* sql() const { return services_.sql; }

  /// Output of a stage named in `needs`. Errors: NotFound while it is "known after apply".
  Result<Value> output(const Ref& ref) const { return outputs_.get(ref); }

 protected:
  const RunServices& services_;
  const OutputTable& outputs_;
};

/// A step of an apply: one call with an effect.
struct Step {
  std::string name;      // unique within its change: "batch", "part-00000"
  std::string sequence;  // gives the step a number that is never used again: generations
};

/// What `once` knows of the step it performs.
struct Attempt {
  std::int64_t number = 0;  // of the sequence, 0 without one
  Time opened{};            // server time at which the intent was written: what it made is not older
};

/// What `apply` gets. A client that writes exists only inside `once`.
class WriteContext : public ReadContext {
 public:
  using ReadContext::ReadContext;
  virtual ~WriteContext() = default;

  using Find = std::function<Result<std::optional<Value>>(const Attempt&)>;
  using Make = std::function<Result<Value>(http::WriteClient&, const Attempt&)>;

  /// Performs a step so that it has its effect once, whatever is killed.
  ///
  /// The intent is synced; an intent left open by an earlier attempt is first looked for with `find` (absence counts
  /// only after a `settle` of looking, in server time, and one look more); else `make` runs. The result is synced
  /// and returned; a closed step returns its stored result without any call. A `make` that ends in Unknown is looked
  /// for in the same way and then tried again, three times at most. `find` must read uncached, and may be empty for a
  /// step that is repeatable as it is (PUT of a file).
  virtual Result<Value> once(const Step& step, const Find& find, const Make& make) = 0;

  /// Asks `look` every `poll` until it has an answer. Errors: NotFinished after `deadline` (of this call), Interrupted,
  /// and whatever `look` fails with.
  virtual Result<Value> wait(std::string_view what, Duration poll, Duration deadline,
                             const std::function<Result<std::optional<Value>>()>& look) = 0;

  /// One transaction: closes `step`, makes the snapshot current, adds the batch to the ledger.
  virtual Result<void> commit(const Step& step, const SnapshotRecord& snapshot, const BatchRecord& batch,
                              const std::vector<QuarantineRecord>& quarantine) = 0;

  /// One transaction: closes `step`, and what was read back from a dataset becomes true.
  virtual Result<void> adopt(const Step& step, const Adoption& adoption) = 0;

  /// The quarantine of a relation becomes exactly this, without a snapshot: nobody was left to write.
  virtual Result<void> quarantine(const std::string& relation, const std::vector<QuarantineRecord>& people) = 0;
};

}  // namespace audiencesync
