#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "engine/base/result.h"
#include "plugins/membership/row_share.h"

namespace audiencesync {

enum class Command {
  Help,
  Version,
  Validate,
  Plan,
  Diff,
  Apply,
  Approve,
  Status,
  History,
  Quarantine,
  Explain,
  State,
  Verify,
  Forget,
  Members,
  Rollback,
  Suspend,
  Resume,
  Retire,
  Manifests,
  ServePlans,
  Stages,
  Schema,
  Completion,
  Daemon,
  RunNow,
  Lock
};
enum class LockAction { List, Break };
enum class Format { Text, Json, Markdown };
/// Forms of a list of people.
enum class RowFormat { Ndjson, Csv, Parquet };
enum class Decision { Approve, Reject };
enum class PersonFrom { Prompt, Stdin };
enum class QuarantineAction { List, Replay, Drop };

/// The command line, checked.
struct Options {
  Command command = Command::Help;
  std::string help;  // for Help: what to print
  Path config = "/etc/audiencesync/audiencesync.yaml";
  bool config_given = false;
  Path socket;  // --socket; empty: the usual one, if a daemon answers there
  Path state;   // --state; empty: from the settings
  Format format = Format::Text;
  Path out;  // --out; empty: stdout
  bool detailed_exitcode = false;
  bool fresh = false;
  bool refresh = true;
  bool auto_approve = false;
  bool verbose = false;
  bool settings = false;    // validate --settings: they must be there
  std::size_t samples = 3;  // plan --sample: masked people of each kind of change, 0 for none
  Path plan_file;           // apply --plan; empty: none
  // approve
  std::string digest;  // 8 to 64 hexadecimal digits, lower case: the digest or its beginning
  std::string reason;  // not blank
  Decision decision = Decision::Approve;
  std::size_t limit = 20;                  // history: runs of each sync, at least 1
  PersonFrom person = PersonFrom::Prompt;  // explain, forget; quarantine: Stdin names some, Prompt means everyone
  QuarantineAction quarantine = QuarantineAction::List;
  // diff
  std::vector<Path> from;
  std::vector<Path> to;
  bool stats = false;
  bool audit = false;      // history: the commands operators sent, instead of runs
  bool take_over = false;  // state rebuild
  bool lift = false;       // forget: let them back
  // verify
  bool verify_rows = true;
  bool analytics = false;
  RowShare rows = RowShare::Sample;
  std::optional<std::uint64_t> seed;       // of the sample; nullopt: another one each time
  std::string audience;                    // members: id or name; empty: everyone, with all audiences
  RowFormat row_form = RowFormat::Ndjson;  // members
  std::optional<std::int64_t> run;         // members --as-of, rollback --to
  LockAction lock = LockAction::List;
  std::string until;                   // suspend: a time or a duration, as written; empty: until it is resumed
  Path manifest;                       // rollback: of the sync; empty: from the settings' folder
  bool dry_run = false;                // rollback, retire
  bool delete_datasets = false;        // retire --delete
  bool fetch = false;                  // manifests
  std::string server;                  // plan --server: base URL; empty: the plan is made here
  Path token_file;                     // plan --token-file
  std::vector<std::string> arguments;  // files, names of syncs, the word of schema or completion
};

/// Errors: Usage with what is wrong and what to type instead; Unsupported for words of a later version. Nothing of what
/// `explain` or `forget` was given is repeated: it may be a person's id.
Result<Options> parse_options(const std::vector<std::string>& arguments);

}  // namespace audiencesync
