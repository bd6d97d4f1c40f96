#include <fmt/format.h>

#include <ostream>
#include <random>

#include "daemon/commands.h"
#include "daemon/named_sync.h"
#include "daemon/session.h"
#include "daemon/write_access.h"
#include "engine/base/json.h"
#include "engine/report/figures.h"
#include "engine/report/text_layout.h"

namespace audiencesync {
namespace {

// What Customer Journey Analytics says, from the stage that asks it in every run.
struct AnalyticsAnswer {
  std::string state;  // "verified", or why not
  ExitCode code = ExitCode::Failed;

  static AnalyticsAnswer of(const std::string& state) {
    // The words of the report stage. Whatever else it says, it did not find what was written.
    if (state.starts_with("verified")) return {state, ExitCode::Converged};
    if (state.starts_with("pending")) return {state, ExitCode::NotFinished};
    if (state.starts_with("waits for")) return {state, ExitCode::Waits};
    return {state, ExitCode::Failed};
  }
};

struct Verified {
  std::optional<RowVerification> rows;
  std::uint64_t seed = 0;
  std::optional<AnalyticsAnswer> analytics;

  ExitCode code() const {
    if (rows && !rows->equal()) return ExitCode::Failed;
    return analytics ? analytics->code : ExitCode::Converged;
  }
};

const char* word_of(RowShare share) { return share == RowShare::Full ? "full" : "sample"; }

Value rows_value(const Options& options, const Verified& verified) {
  const auto& check = verified.rows->rows;
  Value::Array audiences;
  for (const auto& audience : check.audiences) {
    audiences.push_back(Value::Object{{"id", audience.id},
                                      {"name", audience.name},
                                      {"expected", audience.expected},
                                      {"found", audience.found},
                                      {"missing", audience.missing},
                                      {"surplus", audience.surplus}});
  }
  Value::Array samples;
  for (const auto& sample : check.samples) {
    samples.push_back(Value::Object{{"difference", to_string(sample.difference)}, {"person", sample.person.masked()}});
  }
  Value::Array findings;
  for (const auto& finding : verified.rows->findings) findings.push_back(finding.to_value());
  Value value = Value::Object{{"read", word_of(options.rows)},
                              {"share", verified.rows->share()},
                              {"dataset", verified.rows->dataset},
                              {"snapshot", verified.rows->snapshot},
                              {"equal", verified.rows->equal()},
                              {"batches", static_cast<std::uint64_t>(verified.rows->batches)},
                              {"files", check.counts.files},
                              {"records", check.counts.records},
                              {"people", check.compared},
                              {"differences", Value::Object{{"missing", check.missing},
                                                            {"unknown", check.unknown},
                                                            {"other_audiences", check.other},
                                                            {"other_name", check.renamed},
                                                            {"older_generation", check.older},
                                                            {"other_id", check.counts.other_id},
                                                            {"duplicates", check.counts.duplicates},
                                                            {"unreadable", check.counts.left_out()}}},
                              {"audiences", std::move(audiences)},
                              {"samples", std::move(samples)},
                              {"findings", std::move(findings)}};
  if (options.rows == RowShare::Sample) value["seed"] = verified.seed;
  return value;
}

std::string differences_text(const RowCheck& check) {
  std::string text;
  const auto line = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) text += fmt::format("  {}  {}\n", fit_right(count_text(count), 10), what);
  };
  line(check.missing, "people of the snapshot have no record");
  line(check.unknown, "people have a record and are not in the snapshot");
  line(check.other, "people are in other audiences than the snapshot says");
  line(check.renamed, "people have an audience under another name");
  line(check.older, "people have only a record that no longer counts");
  line(check.counts.other_id, "records have an _id that this sync does not give");
  line(check.counts.duplicates, "records repeat another one of their generation");
  line(check.counts.left_out(), "records name nobody, or no generation");
  return text;
}

std::string audiences_text(const RowCheck& check) {
  std::string text;
  for (const auto& audience : check.audiences) {
    if (audience.missing == 0 && audience.surplus == 0) continue;
    if (text.empty()) {
      text = fmt::format("  {} {} {} {}\n", fit_left("audience", 38), fit_right("snapshot", 12),
                         fit_right("missing", 10), fit_right("too many", 10));
    }
    text += fmt::format("  {} {} {} {}\n", fit_left(audience.name, 38), fit_right(count_text(audience.expected), 12),
                        fit_right(count_text(audience.missing), 10), fit_right(count_text(audience.surplus), 10));
  }
  return text;
}

std::string rows_text(const Options& options, const Manifest& manifest, const Verified& verified) {
  const auto& rows = *verified.rows;
  const auto& check = rows.rows;
  const auto read = options.rows == RowShare::Full
                        ? fmt::format("all {} of {}", counted(check.counts.records, "record"),
                                      counted(rows.batches, "batch", "batches"))
                        : fmt::format("a sample, {} of {} records (seed {})", share_text(rows.share()),
                                      count_text(rows.records), verified.seed);
  std::string text = paragraph("", fmt::format("{}: the rows of dataset {} {}", manifest.name, rows.dataset,
                                               rows.equal() ? "are as proven" : "differ from what was proven"));
  text += paragraph("  read     ", fmt::format("{}; {} compared", read, counted(check.compared, "person", "people")));
  if (options.rows == RowShare::Sample) {
    text += paragraph("  not seen ", "people without a record; --rows full finds them");
  }
  text += differences_text(check) + audiences_text(check);
  for (const auto& sample : check.samples) {
    text += fmt::format("  {:<17} {}\n", to_string(sample.difference), printable(sample.person.masked()));
  }
  for (const auto& finding : rows.findings) {
    text += paragraph(fmt::format("  {:<8} ", to_string(finding.severity)), finding.text);
  }
  if (!rows.equal()) {
    text += text_and_command("next: ", fmt::format("audiencesync state rebuild {}", manifest.file)) +
            "then apply, which writes what differs\n";
  }
  return text;
}

// A dry run asks the report stage once nothing else is to be done: before that its answer would mean nothing.
AnalyticsAnswer ask_analytics(Session& session, const std::string& user) {
  RunOptions run;
  run.mode = Mode::Plan;
  run.user = user;
  const auto result = session.run(run);
  // What differs ends the run with an error, and is said by its finding.
  for (const auto& finding : result.plan.findings) {
    if (finding.severity == Severity::Refuse) return {finding.text};
  }
  if (result.error) return {"cannot be asked: " + result.error->text(), exit_code(result.error->code())};
  AnalyticsAnswer answer{"not asked: there are changes to be applied first"};
  for (const auto& stage : result.plan.stages) {
    if (stage.stage == "report") answer = AnalyticsAnswer::of(stage.state);
  }
  return answer;
}

Result<Verified> verify(const Options& options, const Adapters& adapters, const Settings& settings,
                        const Manifest& manifest, std::stop_token stop) {
  if (options.verify_rows && manifest.engine == Engine::QueryService) {
    return Error(
        ErrorCode::Unsupported,
        "verify reads rows and compares them with a snapshot, and engine query-service has neither here: every "
        "plan compares with the target itself; ask reports with verify --analytics, or write engine: local");
  }
  const auto access = TRY(WriteAccess::acquire(adapters, settings, "verify"));
  const auto lock = TRY(WriteAccess::acquire_sync(adapters, settings, "verify", manifest.uid));
  const auto store = TRY(adapters.open_store(settings.state / "state.db", OpenMode::ReadWrite));
  const auto session = TRY(Session::open(adapters, settings, manifest, *store, std::move(stop)));
  Verified verified;
  if (options.verify_rows) {
    VerifyOptions wish;
    wish.share = options.rows;
    wish.samples = options.samples;
    verified.seed = wish.seed = options.seed ? *options.seed : std::random_device()();
    verified.rows = TRY(session->verify(wish));
    const auto& check = verified.rows->rows;
    TRY(store->remember(manifest.uid, kVerifiedRows,
                        Value::Object{{"at", to_epoch_ms(session->now())},
                                      {"read", word_of(options.rows)},
                                      {"share", verified.rows->share()},
                                      {"equal", verified.rows->equal()},
                                      {"people", check.compared},
                                      {"differing", check.people_differing()}}));
  }
  if (options.analytics) verified.analytics = ask_analytics(*session, adapters.user);
  return verified;
}

}  // namespace

ExitCode verify_command(const Options& options, const Adapters& adapters, const Console& console,
                        std::stop_token stop) {
  const auto fail = [&](const Error& error) {
    say_error(console, error);
    return exit_code(error.code());
  };
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto manifest = manifest_named(options.arguments.front(), *settings, adapters, console);
  if (!manifest.ok()) return fail(manifest.error());
  if (!manifest->has_value()) return ExitCode::Invalid;
  const auto verified = verify(options, adapters, *settings, **manifest, stop);
  if (!verified.ok()) return fail(Error(verified.error()).in((*manifest)->name));
  const auto code = verified->code();
  if (options.format == Format::Json) {
    Value value = Value::Object{{"version", 1},
                                {"sync", (*manifest)->name},
                                {"equal", code == ExitCode::Converged},
                                {"exit_code", static_cast<int>(code)}};
    if (verified->rows) value["rows"] = rows_value(options, *verified);
    if (verified->analytics) value["analytics"] = verified->analytics->state;
    console.out << to_json_pretty(value) << "\n";
    return code;
  }
  if (verified->rows) console.out << rows_text(options, **manifest, *verified);
  if (verified->analytics) console.out << paragraph("analytics  ", verified->analytics->state);
  return code;
}

}  // namespace audiencesync
