#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "daemon/commands.h"
#include "daemon/named_sync.h"
#include "daemon/session.h"
#include "daemon/write_access.h"
#include "engine/base/json.h"
#include "engine/report/figures.h"
#include "engine/report/text_layout.h"
#include "plugins/membership/read_back.h"

namespace audiencesync {
namespace {

std::string left_out_text(const RebuildMark& mark) {
  std::string text;
  const auto add = [&](std::uint64_t count, std::string_view why) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count_text(count), why);
  };
  add(mark.without_person, "without a person id");
  add(mark.unusable_person, "with one that is too long or not UTF-8");
  add(mark.without_generation, "without a generation");
  return text;
}

std::string doubtful_text(const RebuildMark& mark) {
  std::string text;
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count_text(count), what);
  };
  add(mark.other_id, "with an _id of somebody else's making");
  add(mark.duplicates - mark.conflicts, "twice");
  add(mark.conflicts, "twice and not the same (the newest batch counts)");
  return text;
}

// The records of some layouts have ids only; the manifest may know the name.
std::string label_of(const Manifest& manifest, const AudiencePeople& audience) {
  if (!audience.name.empty()) return audience.name;
  const auto named = std::find_if(manifest.audiences.begin(), manifest.audiences.end(),
                                  [&](const AudienceEntry& entry) { return entry.id == audience.id && entry.name; });
  return named == manifest.audiences.end() ? audience.id : *named->name;
}

std::string found_text(const Manifest& manifest, const SnapshotRecord& snapshot, const RebuildMark& mark) {
  std::string text = fmt::format("{}: read back from dataset {}\n", manifest.name, snapshot.dataset);
  text += paragraph("  found    ", rebuilt_text(mark));
  for (const auto& audience : mark.audiences) {
    text += fmt::format("  {} people  {}\n", fit_right(count_text(audience.people), 12),
                        cut(label_of(manifest, audience), 56));
  }
  if (const auto why = left_out_text(mark); !why.empty()) text += paragraph("  left out ", "records " + why);
  if (const auto what = doubtful_text(mark); !what.empty()) text += paragraph("  doubtful ", "records " + what);
  if (!mark.missing.empty()) {
    text += paragraph("  gone     ", fmt::format("{} of this sync; the next apply writes everyone again",
                                                 counted(mark.missing.size(), "batch", "batches")));
  }
  if (mark.taken_over > 0) {
    text += paragraph("  taken    ", fmt::format("{} of another state folder; that folder is refused from now on",
                                                 counted(mark.taken_over, "batch", "batches")));
    text += paragraph("  forgotten ",
                      "whom that folder was asked to forget is not known here: forget them again before "
                      "the next apply");
  }
  return text + text_and_command("next: ", fmt::format("audiencesync plan {}", manifest.file));
}

struct Answer {
  RunResult result;
  std::optional<SnapshotRecord> snapshot;
  std::optional<RebuildMark> mark;
};

Result<Answer> rebuild(const Options& options, const Adapters& adapters, const Settings& settings,
                       const Manifest& manifest, std::stop_token stop) {
  const auto access = TRY(WriteAccess::acquire(adapters, settings, "state rebuild"));
  const auto lock = TRY(WriteAccess::acquire_sync(adapters, settings, "state rebuild", manifest.uid));
  const auto store = TRY(adapters.open_store(settings.state / "state.db", OpenMode::ReadWrite));
  const auto session = TRY(Session::open(adapters, settings, manifest, *store, std::move(stop)));
  RunOptions run;
  run.mode = Mode::ReadBack;
  run.read_back = options.take_over ? ReadBackWish::TakeOver : ReadBackWish::Asked;
  run.user = adapters.user;
  Answer answer;
  answer.result = session->run(run);
  answer.snapshot = TRY(store->current(manifest.uid + "/analytics"));
  answer.mark = RebuildMark::from_value(TRY(store->remembered(manifest.uid, kRebuilt)));
  return answer;
}

Value answer_value(const Manifest& manifest, const Answer& answer, ExitCode code) {
  Value value = Value::Object{{"version", 1},
                              {"sync", manifest.name},
                              {"verdict", to_string(answer.result.verdict)},
                              {"exit_code", static_cast<int>(code)}};
  if (code == ExitCode::Converged && answer.snapshot && answer.mark) {
    value["dataset"] = answer.snapshot->dataset;
    value["snapshot"] = answer.snapshot->content;
    value["found"] = answer.mark->to_value();
  }
  Value::Array findings;
  for (const auto& finding : answer.result.plan.findings) findings.push_back(finding.to_value());
  value["findings"] = std::move(findings);
  if (answer.result.error) value["error"] = answer.result.error->text();
  return value;
}

}  // namespace

ExitCode state_command(const Options& options, const Adapters& adapters, const Console& console, std::stop_token stop) {
  const auto fail = [&](const Error& error) {
    say_error(console, error);
    return exit_code(error.code());
  };
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto manifest = manifest_named(options.arguments.front(), *settings, adapters, console);
  if (!manifest.ok()) return fail(manifest.error());
  if (!manifest->has_value()) return ExitCode::Invalid;
  const auto answer = rebuild(options, adapters, *settings, **manifest, stop);
  if (!answer.ok()) return fail(Error(answer.error()).in((*manifest)->name));
  const auto code = stop.stop_requested() ? ExitCode::Interrupted : answer->result.code();
  if (answer->result.error) say_error(console, Error(*answer->result.error).in((*manifest)->name));
  if (options.format == Format::Json) {
    console.out << to_json_pretty(answer_value(**manifest, *answer, code)) << "\n";
    return code;
  }
  if (code == ExitCode::Converged && answer->snapshot && answer->mark) {
    console.out << found_text(**manifest, *answer->snapshot, *answer->mark);
    return code;
  }
  for (const auto& finding : answer->result.plan.findings) {
    if (finding.severity >= Severity::Refuse) console.out << paragraph("refused  ", finding.text);
  }
  return code;
}

}  // namespace audiencesync
