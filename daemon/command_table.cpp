#include "daemon/command_table.h"

#include <algorithm>

namespace audiencesync {
namespace {

OptionRow text_or_json(std::string_view help) {
  return {.name = "format", .help = help, .takes = Takes::Word, .value = "text|json", .words = {"text", "json"}};
}

OptionRow any_format(std::string_view help) {
  return {.name = "format",
          .help = help,
          .takes = Takes::Word,
          .value = "text|json|markdown",
          .words = {"text", "json", "markdown"}};
}

CommandRow validate_row() {
  return {
      .command = Command::Validate,
      .group = CommandGroup::Review,
      .name = "validate",
      .usage = "FILE...",
      .summary = "checks manifests offline: every problem at once, with its place",
      .tells = "Needs no network and no credentials. With settings, also checks what they allow.",
      .operands = Operands::Manifests,
      .options = {{.name = "settings", .help = "check the settings too, or alone without a FILE; they must be there"}},
      .examples = {{"audiencesync validate luma.yaml", "before each commit"},
                   {"audiencesync validate --settings", "before the service starts or reloads"},
                   {"audiencesync validate manifests/*.yaml", "in a pull request's check"}}};
}

CommandRow plan_row() {
  return {.command = Command::Plan,
          .group = CommandGroup::Review,
          .name = "plan",
          .usage = "[FILE...]",
          .summary = "shows what apply would do; changes nothing in the target",
          .tells =
              "Without a file: all manifests of the settings' folder. Memberships come from the newest "
              "export that can be used; --fresh makes one first.",
          .operands = Operands::Manifests,
          .options = {{.name = "fresh", .help = "make a new export first (writes only into our own staging dataset)"},
                      {.name = "detailed-exitcode", .help = "exit 2 when changes are pending"},
                      {.name = "sample",
                       .help = "masked people shown of each kind of change",
                       .takes = Takes::Text,
                       .value = "N",
                       .fallback = "3"},
                      any_format("form of the plan; markdown suits a pull request"),
                      {.name = "out",
                       .help = "write the plan there instead of to stdout",
                       .takes = Takes::File,
                       .value = "FILE"},
                      {.name = "server",
                       .help = "ask the daemon there, which has state and credentials, instead of planning here",
                       .takes = Takes::Text,
                       .value = "URL"},
                      {.name = "token-file",
                       .help = "file with the token that the daemon wants to see",
                       .takes = Takes::File,
                       .value = "FILE"}},
          .examples = {{"audiencesync plan luma.yaml", "what would change, as far as known without a new export"},
                       {"audiencesync plan --fresh --detailed-exitcode luma.yaml", "exactly; exit 2 means changes"},
                       {"audiencesync plan --format json --out plan.json luma.yaml",
                        "to keep, or to apply with: audiencesync apply --plan plan.json"},
                       {"audiencesync plan --format markdown luma.yaml", "the comment under a pull request"},
                       {"audiencesync plan luma.yaml --server https://s.example.com --token-file token",
                        "the same, made by a daemon"}}};
}

CommandRow diff_row() {
  return {.command = Command::Diff,
          .group = CommandGroup::Review,
          .name = "diff",
          .usage = "FILE --from PATH... --to PATH...",
          .summary = "compares two exports or snapshots: who entered, who left; offline",
          .tells =
              "FILE is a manifest: its identity, audiences and statuses decide what counts. A PATH is a file or folder "
              "of an export (Parquet, JSON lines or arrays, also .gz and .zst) or one snapshot of the state folder. "
              "Prints one JSON line for each person whose audiences differ: personID, entered, left. Needs no network, "
              "no credentials and no state; exits 0 with differences too. What it prints holds person ids.",
          .operands = Operands::Manifests,
          .options = {{.name = "from",
                       .help = "what was: an export's files and folders, or one snapshot",
                       .takes = Takes::Paths,
                       .value = "PATH..."},
                      {.name = "to", .help = "what is: likewise", .takes = Takes::Paths, .value = "PATH..."},
                      {.name = "out",
                       .help = "write the lines there, all or nothing and readable by you alone, instead of to stdout",
                       .takes = Takes::File,
                       .value = "FILE"},
                      {.name = "stats", .help = "print counts, time and peak memory to stderr"},
                      text_or_json("form of the counts that --stats prints")},
          .examples = {{"audiencesync diff luma.yaml --from monday/ --to tuesday/ --stats", "two exports"},
                       {"audiencesync diff luma.yaml --from snapshot-2e40 --to new/ --out x.jsonl",
                        "what was proven, and an export"}}};
}

CommandRow apply_row() {
  return {.command = Command::Apply,
          .group = CommandGroup::Change,
          .name = "apply",
          .usage = "[FILE...]",
          .summary = "makes a new export, plans exactly, asks, executes and proves it",
          .tells =
              "Shows the plan and asks before it writes into the target. A run that was interrupted is "
              "continued by the same command.",
          .operands = Operands::Manifests,
          .options = {{.name = "auto-approve", .help = "do not ask; guards still refuse"},
                      {.name = "no-refresh", .help = "use the newest export that is there instead of making one"},
                      {.name = "plan",
                       .help = "apply exactly the plan in FILE (of plan --format json), or refuse",
                       .takes = Takes::File,
                       .value = "FILE"},
                      any_format("form of the report")},
          .examples = {{"audiencesync apply luma.yaml", "at a terminal: shows the plan and asks"},
                       {"audiencesync apply --auto-approve", "every manifest of the folder, from a timer"},
                       {"audiencesync apply --plan plan.json", "what was reviewed and nothing else"}}};
}

CommandRow approve_row() {
  return {
      .command = Command::Approve,
      .group = CommandGroup::Change,
      .name = "approve",
      .usage = "DIGEST",
      .summary = "lets exactly this held plan through, once; or turns it down",
      .tells =
          "DIGEST stands in the plan; its first 8 characters are enough while no other plan begins with "
          "them. The next apply executes that plan and nothing else. Name and reason go into the history.",
      .operands = Operands::PlanDigest,
      .options = {{.name = "reason", .help = "why, for the history (required)", .takes = Takes::Text, .value = "TEXT"},
                  {.name = "reject", .help = "turn the plan down instead: the next run plans anew"}},
      .examples = {{"audiencesync approve 7f3a91c2 --reason \"campaign ended\"", "then: audiencesync apply"},
                   {"audiencesync approve 7f3a91c2 --reject --reason \"wrong audience\"", "the next run plans anew"}}};
}

CommandRow status_row() {
  return {.command = Command::Status,
          .group = CommandGroup::Follow,
          .name = "status",
          .usage = "[SYNC...]",
          .summary = "says how each sync stands, and what waits for whom",
          .tells = "Reads the state folder only; safe at any time, also while a run works.",
          .operands = Operands::Syncs,
          .options = {text_or_json("form of the answer")},
          .examples = {{"audiencesync status", "all syncs"},
                       {"audiencesync status --format json luma-loyalty", "one, for a monitor"}}};
}

CommandRow history_row() {
  return {.command = Command::History,
          .group = CommandGroup::Follow,
          .name = "history",
          .usage = "[SYNC...]",
          .summary = "lists past runs, newest first, and who approved what",
          .tells = "Reads the state folder only.",
          .operands = Operands::Syncs,
          .options = {text_or_json("form of the answer"),
                      {.name = "limit",
                       .help = "runs shown of each sync, or commands",
                       .takes = Takes::Text,
                       .value = "N",
                       .fallback = "20"},
                      {.name = "audit",
                       .help = "the commands that operators sent to the daemon: who, what, when, how they ended"}},
          .examples = {{"audiencesync history luma-loyalty", "the last 20 runs"},
                       {"audiencesync history --audit --limit 100", "who did what through the daemon"},
                       {"audiencesync history --limit 5 --format json", "for a report"}}};
}

CommandRow explain_row() {
  return {.command = Command::Explain,
          .group = CommandGroup::Follow,
          .name = "explain",
          .usage = "SYNC [-]",
          .summary = "says why a person is, or is not, in each audience",
          .tells =
              "Asks for the person's id, or reads it from stdin with \"-\". An id is never an argument: "
              "every user of the machine can read those.",
          .operands = Operands::Syncs,
          .options = {text_or_json("form of the answer")},
          .examples = {{"audiencesync explain luma-loyalty", "asks for the id"},
                       {"audiencesync explain luma-loyalty - < id.txt", "for a script"}}};
}

CommandRow quarantine_row() {
  return {.command = Command::Quarantine,
          .group = CommandGroup::Follow,
          .name = "quarantine",
          .usage = "list|replay|drop SYNC [-]",
          .summary = "lists rejected people and unusable rows; sends people again",
          .tells =
              "list: people the platform rejected, masked, with its reason, and where the unusable rows of the last "
              "input are. replay: the next apply sends their records again. drop: they stay as they are in the "
              "dataset and are no longer warned about. With \"-\" only the people whose ids come on stdin, one a line.",
          .operands = Operands::Words,
          .words = {"list", "replay", "drop"},
          .options = {text_or_json("form of the list")},
          .examples = {{"audiencesync quarantine list luma-loyalty", "who, why, since when"},
                       {"audiencesync quarantine replay luma-loyalty", "after the cause was mended"},
                       {"audiencesync quarantine drop luma-loyalty - < ids.txt", "those whose ids cannot be mended"}}};
}

CommandRow state_row() {
  return {.command = Command::State,
          .group = CommandGroup::Change,
          .name = "state",
          .usage = "rebuild SYNC",
          .summary = "makes the proven snapshot anew from the target dataset",
          .tells =
              "Reads all rows of the dataset; of each person the highest generation counts. apply does it by itself "
              "when the snapshot is missing or damaged. SYNC is a name, a uid or a manifest file.",
          .operands = Operands::Syncs,
          .options = {{.name = "take-over",
                       .help = "the dataset was written from another state folder, which is refused from now on"},
                      text_or_json("form of the answer")},
          .examples = {{"audiencesync state rebuild luma-loyalty", "what is really in the dataset becomes the base"},
                       {"audiencesync state rebuild --take-over luma-loyalty", "after the old machine was lost"}}};
}

CommandRow forget_row() {
  return {.command = Command::Forget,
          .group = CommandGroup::Change,
          .name = "forget",
          .usage = "SYNC [-]",
          .summary = "erases people here, and keeps them out from then on",
          .tells =
              "Asks for a person's id, or reads ids from stdin, one a line, with \"-\". An id is never an argument. "
              "They are erased from history, quarantine and files of this machine; the next apply ends their "
              "memberships. They stay out even if an export has them: a keyed hash of each is kept for that.",
          .operands = Operands::Syncs,
          .options = {{.name = "lift", .help = "let them back, because they agreed again: the next export decides"},
                      text_or_json("form of the answer")},
          .examples = {{"audiencesync forget luma-loyalty", "asks for the id"},
                       {"audiencesync forget luma-loyalty - < ids.txt", "then: audiencesync apply"},
                       {"audiencesync forget --lift luma-loyalty - < ids.txt", "they agreed again"}}};
}

CommandRow verify_row() {
  return {.command = Command::Verify,
          .group = CommandGroup::Follow,
          .name = "verify",
          .usage = "SYNC",
          .summary = "reads the real dataset back and names what differs",
          .tells =
              "Writes nothing to the platform. Exit code 0: equal, 1: something differs or cannot be checked, 3: waits "
              "for a person, 5: not arrived yet. A sample reads part of the "
              "newest large batch and everything newer. SYNC is a name, a uid or a manifest file.",
          .operands = Operands::Syncs,
          .options = {{.name = "rows",
                       .help = "how much of the dataset is read",
                       .takes = Takes::Word,
                       .value = "sample|full",
                       .words = {"sample", "full"}},
                      {.name = "analytics", .help = "ask Customer Journey Analytics (instead of rows, or beside)"},
                      {.name = "seed",
                       .help = "of a sample that is to be read again",
                       .takes = Takes::Text,
                       .value = "N",
                       .fallback = "random"},
                      {.name = "sample",
                       .help = "masked people shown of each kind of difference",
                       .takes = Takes::Text,
                       .value = "N",
                       .fallback = "3"},
                      text_or_json("form of the answer")},
          .examples = {{"audiencesync verify luma-loyalty", "a sample of the rows"},
                       {"audiencesync verify --rows full luma-loyalty", "every row"},
                       {"audiencesync verify --analytics luma-loyalty", "what analysts see"}}};
}

OptionRow reason_row(std::string_view help) {
  return {.name = "reason", .help = help, .takes = Takes::Text, .value = "TEXT"};
}

CommandRow members_row() {
  return {
      .command = Command::Members,
      .group = CommandGroup::Follow,
      .name = "members",
      .usage = "SYNC AUDIENCE",
      .summary = "lists who is in an audience of the target, now or after a past run",
      .tells =
          "AUDIENCE is an id or an exact name. Prints the person ids; keep what you write of them as carefully as "
          "the state folder. How far back: retention in the manifest. Reads the state folder only.",
      .operands = Operands::Syncs,
      .options = {{.name = "as-of",
                   .help = "as it was when RUN had ended; history lists the runs",
                   .takes = Takes::Text,
                   .value = "RUN"},
                  {.name = "all", .help = "everyone who is in any audience, with all of theirs"},
                  {.name = "format",
                   .help = "form of the list; without it, by the name of FILE",
                   .takes = Takes::Word,
                   .value = "ndjson|csv|parquet",
                   .words = {"ndjson", "csv", "parquet"}},
                  {.name = "out",
                   .help = "write there instead of to stdout; parquet needs it",
                   .takes = Takes::File,
                   .value = "FILE"}},
      .examples = {{"audiencesync members luma-loyalty \"Luma - Blue+ Members\"", "one JSON object a line"},
                   {"audiencesync members luma-loyalty Platinum --as-of 12 --format csv", "who was in it after run 12"},
                   {"audiencesync members luma-loyalty --all --out everyone.parquet", "for a notebook"}}};
}

CommandRow rollback_row() {
  return {.command = Command::Rollback,
          .group = CommandGroup::Change,
          .name = "rollback",
          .usage = "SYNC",
          .summary = "brings back who was in which audience after a past run",
          .tells =
              "A plan like any other: shown, guarded, approved, proven. Only people whom the newest export still has "
              "and audiences that are still declared come back; the plan counts the others. The sync stays suspended "
              "until audiencesync resume, so that the next run does not undo it.",
          .operands = Operands::Syncs,
          .options = {{.name = "to", .help = "the run to go back to (required)", .takes = Takes::Text, .value = "RUN"},
                      reason_row("why, for the history (required unless --dry-run)"),
                      {.name = "dry-run", .help = "show the plan and stop"},
                      {.name = "fresh", .help = "with --dry-run: make a new export first"},
                      {.name = "auto-approve", .help = "do not ask; guards still refuse"},
                      {.name = "no-refresh", .help = "use the newest export that is there instead of making one"},
                      {.name = "manifest",
                       .help = "of the sync; default: the one in the settings' folder",
                       .takes = Takes::File,
                       .value = "FILE"},
                      any_format("form of the report")},
          .examples = {{"audiencesync rollback luma-loyalty --to 12 --dry-run", "what would come back"},
                       {"audiencesync rollback luma-loyalty --to 12 --reason \"wrong segment upstream\"",
                        "shows the plan and asks"}}};
}

CommandRow suspend_row() {
  return {
      .command = Command::Suspend,
      .group = CommandGroup::Change,
      .name = "suspend",
      .usage = "SYNC",
      .summary = "keeps apply from changing the target, until resumed",
      .tells = "A plan can still be made. What a run has begun is finished by the next apply all the same.",
      .operands = Operands::Syncs,
      .options = {reason_row("why, for the history (required)"),
                  {.name = "until",
                   .help = "ends by itself then: a time (2026-12-01T06:00:00Z) or a span from now (3d)",
                   .takes = Takes::Text,
                   .value = "TIME"}},
      .examples = {{"audiencesync suspend luma-loyalty --until 3d --reason \"campaign freeze\"", "for three days"}}};
}

CommandRow resume_row() {
  return {.command = Command::Resume,
          .group = CommandGroup::Change,
          .name = "resume",
          .usage = "SYNC",
          .summary = "lets a suspended sync go on",
          .tells = "The next apply plans from the newest state; after a rollback that is the way forward again.",
          .operands = Operands::Syncs,
          .options = {reason_row("why, for the history")},
          .examples = {
              {"audiencesync resume luma-loyalty --reason \"segment repaired\"", "then: audiencesync plan --fresh"}}};
}

CommandRow run_now_row() {
  return {.command = Command::RunNow,
          .group = CommandGroup::Change,
          .name = "run-now",
          .usage = "SYNC",
          .summary = "lets the daemon run a sync now, whatever its schedule says",
          .tells =
              "The run begins as soon as there is room; windows and waiting after failures do not hold it up. What "
              "waits for an approval still waits.",
          .operands = Operands::Syncs,
          .examples = {{"audiencesync run-now luma-loyalty", "then: audiencesync status luma-loyalty"}}};
}

CommandRow lock_row() {
  return {.command = Command::Lock,
          .group = CommandGroup::Change,
          .name = "lock",
          .usage = "list|break [SYNC]",
          .summary = "says who is writing the state or a sync; asks them to stop",
          .tells =
              "break asks the process that holds the lock to stop in an orderly way, as Ctrl-C does; what it did not "
              "finish is continued by the next run. The lock itself ends with its process and is never left behind.",
          .operands = Operands::Words,
          .words = {"list", "break"},
          .options = {text_or_json("form of the list")},
          .examples = {{"audiencesync lock list", "who holds what, since when"},
                       {"audiencesync lock break luma-loyalty", "stops what works on that sync"}}};
}

CommandRow daemon_row() {
  return {.command = Command::Daemon,
          .group = CommandGroup::Program,
          .name = "daemon",
          .usage = "",
          .summary = "runs syncs when they are due, and answers operators",
          .tells =
              "Each run is a process of its own. First plans and changed definitions wait for audiencesync approve; "
              "the rest is applied within the guards. SIGHUP reads settings and manifests again, SIGTERM stops within "
              "10 s; what was at work is continued after the next start.",
          .operands = Operands::None,
          .examples = {{"audiencesync daemon", "as the service unit does"},
                       {"audiencesync daemon --config ./audiencesync.yaml --socket ./control.sock", "by hand"}}};
}

CommandRow retire_row() {
  return {.command = Command::Retire,
          .group = CommandGroup::Change,
          .name = "retire",
          .usage = "SYNC",
          .summary = "ends a sync: asks a person, then lets its datasets expire",
          .tells =
              "First the dataset has to leave its connection, which only a person can do; then our datasets are "
              "marked as retired, or deleted with --delete. Only datasets that carry our tags are touched. The sync "
              "is suspended from then on. The plan is shown and asked about like any other.",
          .operands = Operands::Syncs,
          .options = {{.name = "delete", .help = "delete our datasets, with every record in them"},
                      {.name = "dry-run", .help = "only show the plan"},
                      {.name = "auto-approve", .help = "do not ask; what a person must do is still waited for"},
                      {.name = "reason", .help = "why, for the history", .takes = Takes::Text, .value = "TEXT"},
                      {.name = "manifest",
                       .help = "manifest of the sync (default: from the settings' folder or branch)",
                       .takes = Takes::File,
                       .value = "FILE"},
                      any_format("form of the plan")},
          .examples = {{"audiencesync retire luma-loyalty --dry-run", "what would be done"},
                       {"audiencesync retire luma-loyalty --delete --reason \"campaign is over\"", "for good"}}};
}

CommandRow manifests_row() {
  return {.command = Command::Manifests,
          .group = CommandGroup::Review,
          .name = "manifests",
          .usage = "",
          .summary = "lists the manifests that count, their commit, what is refused",
          .tells =
              "Of the settings' folder, or of the commit that counts of the branch. Exits 65 when a file or a newer "
              "commit is refused, 5 when the remote cannot be reached. Needs no daemon.",
          .operands = Operands::None,
          .options = {{.name = "fetch", .help = "look at the remote first (manifests.git)"},
                      text_or_json("form of the list")},
          .examples = {{"audiencesync manifests", "what counts right now"},
                       {"audiencesync manifests --fetch", "after a push, without waiting for the next look"}}};
}

CommandRow serve_plans_row() {
  return {
      .command = Command::ServePlans,
      .group = CommandGroup::Program,
      .name = "serve-plans",
      .usage = "",
      .summary = "answers plan --server at listen.address; the daemon starts it",
      .tells =
          "Each plan is made by a process of its own from a copy of the state: nothing is written, neither here nor "
          "to the platform. Ends with SIGTERM.",
      .operands = Operands::None,
      .examples = {{"audiencesync serve-plans", "beside a timer that runs apply, without the daemon"}}};
}

CommandRow stages_row() {
  return {.command = Command::Stages,
          .group = CommandGroup::Program,
          .name = "stages",
          .usage = "",
          .summary = "lists the stages of a run and what each does",
          .tells = "",
          .options = {text_or_json("form of the answer")},
          .examples = {{"audiencesync stages", "in the order of a run"}}};
}

CommandRow schema_row() {
  return {.command = Command::Schema,
          .group = CommandGroup::Program,
          .name = "schema",
          .usage = "[manifest|settings|plan]",
          .summary = "prints the JSON Schema of a manifest, the settings or a plan",
          .tells = "For editors and checks of your own. Without an operand: of a manifest.",
          .operands = Operands::Words,
          .words = {"manifest", "settings", "plan"},
          .examples = {{"audiencesync schema", "of a manifest, for an editor"},
                       {"audiencesync schema plan", "of what plan --format json prints"}}};
}

CommandRow completion_row() {
  return {.command = Command::Completion,
          .group = CommandGroup::Program,
          .name = "completion",
          .usage = "bash|zsh|fish",
          .summary = "prints a completion script for a shell",
          .tells = "",
          .operands = Operands::Words,
          .words = {"bash", "zsh", "fish"},
          .examples = {{"audiencesync completion bash > /etc/bash_completion.d/audiencesync", "for every user"},
                       {"audiencesync completion zsh > ~/.zfunc/_audiencesync", "with ~/.zfunc in fpath"},
                       {"audiencesync completion fish > ~/.config/fish/completions/audiencesync.fish", ""}}};
}

}  // namespace

const std::vector<CommandRow>& command_table() {
  static const std::vector<CommandRow> table{
      validate_row(), plan_row(),       diff_row(),   apply_row(),      approve_row(),    rollback_row(), suspend_row(),
      resume_row(),   forget_row(),     state_row(),  status_row(),     history_row(),    explain_row(),  members_row(),
      verify_row(),   quarantine_row(), stages_row(), schema_row(),     completion_row(), run_now_row(),  lock_row(),
      daemon_row(),   manifests_row(),  retire_row(), serve_plans_row()};
  return table;
}

const std::vector<OptionRow>& common_options() {
  static const std::vector<OptionRow> options{
      {.name = "config",
       .help = "settings (default /etc/audiencesync/audiencesync.yaml)",
       .takes = Takes::File,
       .value = "FILE"},
      {.name = "state", .help = "state folder (default: from the settings)", .takes = Takes::Folder, .value = "DIR"},
      {.name = "socket",
       .help = "control socket of the daemon (default /run/audiencesync/control.sock)",
       .takes = Takes::File,
       .value = "FILE"},
      {.name = "verbose", .help = "log every event to stderr"},
      {.name = "help", .help = "show this help"}};
  return options;
}

const CommandRow* command_row(std::string_view name) {
  const auto& table = command_table();
  const auto found = std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::string_view to_string(CommandGroup group) {
  switch (group) {
    case CommandGroup::Review:
      return "see what would happen";
    case CommandGroup::Change:
      return "make it happen";
    case CommandGroup::Follow:
      return "see what happened";
    case CommandGroup::Program:
      return "about the program";
  }
  return "";
}

}  // namespace audiencesync
