#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "engine/base/files.h"
#include "engine/base/value.h"
#include "engine/manifest/problems.h"

namespace audiencesync {

/// What is done to a person id before it is compared and written. ASCII rules only.
enum class Normalize { None, Trim, Lower, Sha256Lower };
/// States of a membership that count as being in the audience.
enum class Status { Realized, Existing };
/// Where the desired memberships come from: an export job of ours, the dataset the platform writes each night for a
/// merge policy, or files that somebody puts into a folder of this machine.
enum class SourceFrom { ExportJob, ProfileSnapshot, Files };
/// Shape of the records in the target dataset.
enum class Layout {
  Person,      // one for each person with the list of the audiences
  Membership,  // one for each person and audience
  Delimited,   // one for each person with the ids of the audiences in one string
};
/// What the records are uploaded as.
enum class UploadFiles { Json, Parquet };
/// Where memberships are compared: on this machine, or by the platform's Query Service, so that no row leaves it.
enum class Engine { Local, QueryService };
/// What CJA does with the older rows of a person.
enum class RowRule { Unknown, Replace, Accumulate };

/// What waits for an approval when nobody is asked: in Auto the first plan and changed definitions, in PlanOnly all.
enum class ApprovalMode { Auto, PlanOnly };

/// The word the manifest uses.
const char* to_string(Normalize normalize);
const char* to_string(Status status);
const char* to_string(SourceFrom from);
const char* to_string(Layout layout);
const char* to_string(UploadFiles files);
const char* to_string(Engine engine);
const char* to_string(RowRule rule);
const char* to_string(ApprovalMode mode);

/// A ceiling of a guard: `10%`, `500`, or `[10%, 500]`, which trips as soon as one of the two is passed.
struct Limit {
  std::optional<double> share;         // 0.1 for 10%; growth may be above 1
  std::optional<std::uint64_t> count;  // absolute

  /// The manifest's notation: `10%`, `500` or `10%, 500`.
  std::string text() const;
  friend bool operator==(const Limit&, const Limit&) = default;
};

/// One audience as declared. At least one of `id` and `name` is there.
struct AudienceEntry {
  std::optional<std::string> id;
  std::optional<std::string> name;
  std::string membership_namespace = "ups";  // key of the membership map in the export
  Place place;

  friend bool operator==(const AudienceEntry&, const AudienceEntry&) = default;
};

/// Where the person id is and what kind of identity it is.
struct Identity {
  std::string field;           // dotted path from the root of the profile, first part is the tenant or a standard field
  std::string namespace_code;  // identity namespace, e.g. Email
  Normalize normalize = Normalize::None;

  friend bool operator==(const Identity&, const Identity&) = default;
};

/// A recurring stretch of time: it begins whenever the expression is due.
struct ScheduleWindow {
  std::string cron;
  Duration duration{};
  std::string timezone = "UTC";

  friend bool operator==(const ScheduleWindow&, const ScheduleWindow&) = default;
};

/// When the daemon runs the sync. Whether this machine knows a time zone is not checked here.
struct CronSchedule {
  std::string cron;  // five fields, or one of @hourly @daily @weekly @monthly @yearly
  std::string timezone = "UTC";
  Duration jitter = std::chrono::minutes{5};  // spreads starts over this long after the due time
  // When runs may begin: never in a deny window, and with allow windows only in one of them.
  std::vector<ScheduleWindow> allow = {};
  std::vector<ScheduleWindow> deny = {};

  friend bool operator==(const CronSchedule&, const CronSchedule&) = default;
};

/// Where the desired memberships come from.
struct Source {
  SourceFrom from = SourceFrom::ExportJob;
  std::string path;                      // of Files: absolute; a file, a folder, or with wildcards; else ""
  std::string merge_policy = "default";  // name or id; "default" is the sandbox's default policy
  std::vector<Status> statuses{Status::Realized, Status::Existing};  // sorted, without repetition, not empty
  Duration max_age = std::chrono::hours{36};
  /// At most so long an export waits for an evaluation of the audiences that is newer than the export before; 0: not.
  Duration wait_for_evaluation{0};

  friend bool operator==(const Source&, const Source&) = default;
};

/// The dataset the memberships are written to.
struct Target {
  Layout layout = Layout::Person;
  std::string dataset;  // display name; default "audiencesync membership: <name>"
  std::optional<std::string> dataset_id;
  RowRule row_rule = RowRule::Unknown;
  Duration compact_every = std::chrono::hours{24 * 7};  // between full generations, unless older rows are replaced
  bool accept_one_row_per_person = false;               // layout membership although someone is in two audiences
  UploadFiles upload = UploadFiles::Json;
  bool name_lookup = false;  // names in a lookup dataset, ids only in the records

  /// Records carry the names of audiences beside their ids.
  bool writes_names() const { return !name_lookup && layout != Layout::Delimited; }
  /// Name of the dataset with the names, when there is one.
  std::string names_dataset() const { return dataset + " (names)"; }

  friend bool operator==(const Target&, const Target&) = default;
};

/// Where the audiences become visible in Customer Journey Analytics.
struct Analytics {
  std::string connection;                // id (dg_...) or exact name
  std::optional<std::string> data_view;  // id (dv_...) or exact name; none: components and reports are not looked at
  double tolerance = 0.02;               // share by which a report may exceed the snapshot, 0 to 1
  Duration lookback = std::chrono::hours{24 * 30};  // how many complete days a report covers

  friend bool operator==(const Analytics&, const Analytics&) = default;
};

/// What a run may change without asking.
struct Guard {
  Limit max_removals{.share = 0.10, .count = {}};
  Limit max_audience_shrink{.share = 0.50, .count = {}};
  Limit max_audience_growth{.share = 2.00, .count = {}};
  std::uint64_t min_people = 100;  // below this many people none of the limits trips
  bool allow_empty_audience = false;
  Limit max_bad_rows{.share = 0.001, .count = {}};

  friend bool operator==(const Guard&, const Guard&) = default;
};

/// What is kept of past memberships, for `members --as-of` and `rollback`. Not part of what defines a sync.
struct Retention {
  Duration history = std::chrono::hours{24 * 30};
  std::uint64_t generations = 100;                 // steps back at most; 0: no past is kept
  std::uint64_t size = 5ULL * 1000 * 1000 * 1000;  // bytes on the disk

  friend bool operator==(const Retention&, const Retention&) = default;
};

/// One sync as its file declares it, checked and with every default filled in.
struct Manifest {
  std::string file;         // as given to load_manifest
  std::string commit = {};  // that the file is of, "" when it is not from git; not part of what defines a sync
  std::string name;
  std::string uid;  // keys state and ownership
  std::string organization = "default";
  std::string sandbox = "prod";
  std::string tenant;  // with its underscore
  Identity identity;
  std::optional<CronSchedule> schedule;  // none: runs only on demand
  std::vector<AudienceEntry> audiences;  // as declared, in the order of the file
  Source source;
  Target target;
  Guard guard;
  ApprovalMode mode = ApprovalMode::Auto;
  Engine engine = Engine::Local;
  std::optional<Analytics> analytics;
  Retention retention;

  /// Everything that defines the sync, as one value for digests: equal for equal syncs, whatever the file is called,
  /// in which order the audiences are listed and which defaults are spelled out. Schedule and retention are not part
  /// of it.
  Value canonical() const;
};

/// What the settings allow a manifest.
struct ManifestRules {
  /// Variables a manifest may use, with their values; nullopt when the environment does not set one.
  std::map<std::string, std::optional<std::string>> variables;
  /// Organisations and their sandboxes; nullopt when there are no settings to check against.
  std::optional<std::map<std::string, std::vector<std::string>>> organizations;
  /// Folders that source.path may point into; nullopt when there are no settings to check against.
  std::optional<std::vector<Path>> source_folders = {};
};

/// Reads and checks one manifest with its `extends` chain. Offline: the platform is not asked.
///
/// Reports all problems of syntax, types, keys and static rules at once; a file that is no YAML has just that one.
/// Secrets found in a file are never repeated in a message. Reads only files in the folder of `path` and below.
Loaded<Manifest> load_manifest(const Files& files, const Path& path, const ManifestRules& rules);

/// JSON Schema (draft 2020-12) of a manifest of this version, for editors.
Value manifest_json_schema();

}  // namespace audiencesync
