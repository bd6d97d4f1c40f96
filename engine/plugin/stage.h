#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/plugin/context.h"

namespace audiencesync {

/// Whether the memberships that are in the target dataset are to be read back.
enum class ReadBackWish {
  IfNeeded,  // when what we know of it is missing, damaged or outdated
  Asked,     // whatever we know
  TakeOver,  // likewise, and batches of another state folder become ours
};

struct ObserveRequest {
  std::vector<Resource> desired;  // of this stage, Refs resolved as far as known
  /// Server time: an export older than this does not count (a refresh asks for one of its own run).
  std::optional<Time> not_before;
  /// The export batches, comma-separated, that the memberships must come from: those of a held plan. Then no other
  /// export counts, however new, and this one counts whatever its age.
  std::optional<std::string> pinned_source;
  ReadBackWish read_back = ReadBackWish::IfNeeded;
  /// The memberships wanted are those of when this past run had ended, instead of the export's.
  std::optional<std::int64_t> back_to = {};
  std::size_t samples = 0;  // changed people of each kind that the plan shows
};

/// One slice of the platform (datasets, schemas, ...) and the only code that decides about it.
///
/// Built once per run, called from one thread at a time, destroyed before its contexts. Ordering, retries, guards,
/// waiting and verification are the engine's.
class Stage {
 public:
  virtual ~Stage() = default;

  /// Reads every object this stage could change. A key that does not exist is absent from the result; that is not an
  /// error. Cannot write. Errors end the run; what a person must know but stops nothing is a Finding.
  virtual Result<Observed> observe(const ObserveRequest& request, ReadContext& context) = 0;

  /// Makes one change real and proves it. Must be safe to repeat: after a crash it is called again with the same
  /// change. Errors: Conflict when the object moved since it was observed (the engine plans again); NotFinished,
  /// Unavailable, Timeout, Interrupted leave the change open for the next run; anything else closes it as failed.
  virtual Result<Applied> apply(const Change& change, WriteContext& context) = 0;
};

/// Refresh: makes a new export, needs no approval. Converge: makes actual equal desired. Prove: only reads.
enum class Phase { Refresh, Converge, Prove };

/// How a field of a desired resource is compared with the observed one.
enum class Compare {
  Equal,
  Contains,  // the observed object or array may have more: additive objects
  Given,     // written, not compared: the platform does not show it, or it is only for apply
};

/// What a difference means for the resources of a stage whose name starts with `prefix`.
struct ResourceRule {
  std::string prefix;
  Action missing = Action::Create;    // desired, not observed
  Action different = Action::Update;  // a field differs
  bool prune = false;                 // observed, not desired: Delete; else it is left alone
  /// What it changes is what we know, not what is there: `apply` does it before it plans, and without asking.
  bool repair = false;
  /// A repair that only writes a scratch dataset of ours: `plan --fresh` makes it as well.
  bool scratch = false;
  std::map<std::string, Compare> fields;  // of those not named: Equal
};

/// All the engine knows of a stage; `audiencesync stages`, ordering and the diff come from it.
struct StageDescriptor {
  std::string name;
  std::string summary;
  Phase phase = Phase::Converge;
  std::vector<std::string> needs;  // stages whose outputs it reads
  std::vector<ResourceRule> rules;
  /// What the manifest wants of this slice. Pure.
  std::function<std::vector<Resource>(const Manifest&)> desire;
  std::function<std::unique_ptr<Stage>()> make;
};

}  // namespace audiencesync
