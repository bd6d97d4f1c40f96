#include "plugins/report/report_stage.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/platform/analytics_access.h"
#include "plugins/platform/reports.h"
#include "plugins/report/agreement.h"
#include "plugins/report/report_days.h"

namespace audiencesync {
namespace {

constexpr const char* kReportMemory = "report";
// Platform documentation: what is written needs this long until reports show it.
constexpr std::chrono::minutes kEarliest{90};
constexpr std::chrono::hours kLatest{3};
// The gateway ends a report after 60 s; asking for less is tried so often.
constexpr int kMostQuestions = 4;
constexpr std::size_t kReportRows = 1000;
// Ours must not end before the gateway's.
constexpr std::chrono::seconds kBeyondGateway{15};
constexpr std::size_t kDifferencesShown = 5;

/// What is compared with what, and where.
struct ReportCase {
  SnapshotRecord snapshot;
  PeopleByName proven;
  std::string view;
  std::string view_name;
  std::string dimension;
  std::optional<Duration> offset;
};

/// A report with the days it was in the end asked for.
struct AnsweredReport {
  platform::PeopleReport report;
  ReportDays days;
};

std::string text_of(const ReadContext& context, const char* stage, const char* output) {
  const auto value = context.output({stage, output});
  return value.ok() && value.value().string_if() != nullptr ? *value.value().string_if() : std::string();
}

std::string thousands(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

Value counts_value(const PeopleByName& people) {
  Value value{Value::Object{}};
  for (const auto& [name, count] : people) value[name] = count;
  return value;
}

PeopleByName counts_from(const Value* value) {
  PeopleByName people;
  if (value == nullptr || !value->is_object()) return people;
  for (const auto& [name, count] : *value->object_if())
    people[name] = static_cast<std::uint64_t>(std::max<std::int64_t>(to_number(count).value_or(0), 0));
  return people;
}

class ReportCheck {
 public:
  ReportCheck(const ReadContext& context, ReportCase what) : context_(context), what_(std::move(what)) {}

  Result<Observed> check() && {
    const auto& analytics = *context_.manifest().analytics;
    const auto now = context_.server().now();
    const auto wanted = complete_days(now, what_.offset, static_cast<int>(analytics.lookback / std::chrono::hours{24}));
    const auto memory = TRY(context_.records().remembered(context_.manifest().uid, kReportMemory));
    if (is_of(memory, wanted.range) && memory.text("content") == what_.snapshot.content) {
      observed_.state = memory.text("state");
      return std::move(observed_);
    }
    if (now < what_.snapshot.proven + kEarliest) return pending();
    TRY(ask(wanted, memory));
    return std::move(observed_);
  }

 private:
  bool is_of(const Value& memory, const std::string& range) const {
    return memory.text("data_view") == what_.view && memory.text("dimension") == what_.dimension &&
           memory.text("range") == range;
  }

  bool may_still_arrive() const { return context_.server().now() < what_.snapshot.proven + kLatest; }

  Observed pending() {
    observed_.state = fmt::format("pending until {}", to_iso8601(what_.snapshot.proven + kLatest));
    return std::move(observed_);
  }

  Result<void> ask(const ReportDays& wanted, const Value& memory) {
    auto answered = answer_to(wanted.count);
    if (!answered.ok()) {
      const auto why = platform::cannot_check(
          answered.error(),
          fmt::format("the technical account with access to data view {} and its components", what_.view_name));
      if (!why) return std::move(answered).error();
      observed_.unchecked = *why;
      return {};
    }
    const auto& report = answered->report;
    if (report.end == platform::ReportEnd::Cut) {
      observed_.unchecked = fmt::format(
          "cannot check: the report over {} day{} is cut off before it is done, and over {} as well; choose a smaller "
          "analytics.lookback",
          wanted.count, wanted.count == 1 ? "" : "s", answered->days.count);
      return {};
    }
    if (!report.errors.empty()) {
      const auto& error = report.errors.front();
      observed_.unchecked = fmt::format("cannot check: the report answers {}{}{}", error.code,
                                        error.description.empty() ? "" : ": ", error.description);
      return {};
    }
    return judge(*answered, wanted, memory);
  }

  /// Asks for fewer days each time the gateway ends the report before it is done.
  Result<AnsweredReport> answer_to(int days) {
    AnsweredReport answered;
    std::size_t rows = kReportRows;
    for (int question = 0; question < kMostQuestions; ++question) {
      answered.days = complete_days(context_.server().now(), what_.offset, days);
      answered.report = TRY(platform::people_report(context_.http(), question_over(answered.days, rows)));
      if (answered.report.end == platform::ReportEnd::Complete || days == 1) break;
      context_.events().warn("report.cut", {{"days", days}, {"next", "asking for fewer days"}});
      days = std::max(days / 2, 1);
      rows /= 2;
    }
    return answered;
  }

  platform::PeopleQuestion question_over(const ReportDays& days, std::size_t rows) const {
    platform::PeopleQuestion question;
    question.data_view = what_.view;
    question.dimension = what_.dimension;
    question.range = days.range;
    question.limit = rows;
    question.deadline = context_.settings().timing.deadline_request + kBeyondGateway;
    return question;
  }

  Result<void> judge(const AnsweredReport& answered, const ReportDays& wanted, const Value& memory) {
    const auto reported = reported_people(answered.report.rows);
    const bool somebody =
        std::any_of(what_.proven.begin(), what_.proven.end(), [](const auto& audience) { return audience.second > 0; });
    if (somebody && reported.empty()) return judge_emptiness(answered.days);
    std::optional<EarlierCounts> earlier;
    if (is_of(memory, wanted.range) && memory.text("asked") == answered.days.range)
      earlier = EarlierCounts{counts_from(memory.find("proven")), counts_from(memory.find("reported"))};
    const auto agreement = compare_people(what_.proven, reported, context_.manifest().analytics->tolerance, earlier);
    if (agreement.differences.empty()) {
      verified(answered, wanted, reported, agreement);
    } else if (may_still_arrive()) {
      observed_ = pending();
    } else {
      differs(agreement.differences, answered.days);
    }
    return {};
  }

  void verified(const AnsweredReport& answered, const ReportDays& wanted, const PeopleByName& reported,
                const Agreement& agreement) {
    const auto audiences = reported.size();
    observed_.state = fmt::format("verified {} people in {} audience{}", thousands(answered.report.total), audiences,
                                  audiences == 1 ? "" : "s");
    if (answered.report.total == 0)
      observed_.state = fmt::format("verified {} audience{}", audiences, audiences == 1 ? "" : "s");
    if (!agreement.absent.empty())
      observed_.state += fmt::format(", {} without visible people", agreement.absent.size());
    Value memory;
    memory["content"] = what_.snapshot.content;
    memory["data_view"] = what_.view;
    memory["dimension"] = what_.dimension;
    memory["range"] = wanted.range;
    memory["asked"] = answered.days.range;
    memory["state"] = observed_.state;
    memory["proven"] = counts_value(what_.proven);
    memory["reported"] = counts_value(reported);
    observed_.remember[kReportMemory] = std::move(memory);
  }

  void differs(const std::vector<std::string>& differences, const ReportDays& days) {
    std::string text;
    for (std::size_t i = 0; i < std::min(differences.size(), kDifferencesShown); ++i)
      text += (i == 0 ? "" : "; ") + differences[i];
    if (differences.size() > kDifferencesShown)
      text += fmt::format("; and {} more", differences.size() - kDifferencesShown);
    observed_.state = "differs";
    observed_.findings.push_back(
        {Severity::Refuse, "report-differs",
         fmt::format("data view {} does not show what was proven at {} (people over {}): {}; if older rows of people "
                     "still count, see target.row_rule",
                     what_.view_name, to_iso8601(what_.snapshot.proven), days.range, text)});
  }

  /// Nobody at all: either nobody has events, or the ids of our records are not those of the events.
  Result<void> judge_emptiness(const ReportDays& days) {
    if (may_still_arrive()) {
      observed_ = pending();
      return {};
    }
    auto question = question_over(days, 1);
    question.dimension.clear();
    auto total = platform::people_report(context_.http(), question);
    if (!total.ok() || total->end == platform::ReportEnd::Cut || !total->errors.empty() || total->total == 0) {
      if (!total.ok() && !platform::cannot_check(total.error(), "")) return std::move(total).error();
      observed_.unchecked = fmt::format("cannot check: nobody in data view {} has events in {} complete day{}",
                                        what_.view_name, days.count, days.count == 1 ? "" : "s");
      return {};
    }
    differs({fmt::format("none of its {} people with events is in any audience, so the person ids of the events are "
                         "probably not those of identity.field ({}; case counts)",
                         thousands(total->total), context_.manifest().identity.field)},
            days);
    return {};
  }

  const ReadContext& context_;
  ReportCase what_;
  Observed observed_;
};

// With query-service no snapshot is kept here, only how many people it has.
Result<std::vector<AudiencePeople>> people_of(const SnapshotRecord& snapshot, const ReadContext& context) {
  const auto& manifest = context.manifest();
  if (manifest.engine == Engine::Local) {
    auto people = TRY(context.memberships().people(snapshot.content).in("report"));
    return people;
  }
  std::vector<AudiencePeople> people;
  const auto counted = TRY(context.records().remembered(manifest.uid, kCountedPeople));
  if (counted.text("content") != snapshot.content) {
    return Error(ErrorCode::NotFound, "how many people were written is not known here any more; run plan --fresh");
  }
  for (const auto& audience : counted.items("audiences")) {
    people.push_back({audience.text("id"), audience.text("name"),
                      static_cast<std::uint64_t>(audience.number("people").value_or(0))});
  }
  return people;
}

Observed unchecked(std::string why) {
  Observed observed;
  observed.unchecked = std::move(why);
  return observed;
}

class ReportStage final : public Stage {
 public:
  Result<Observed> observe(const ObserveRequest&, ReadContext& context) override {
    const auto& manifest = context.manifest();
    if (!manifest.analytics) return unchecked("skipped: no analytics in the manifest");
    if (!manifest.analytics->data_view) return unchecked("skipped: no analytics.data_view in the manifest");
    if (const auto ready = context.output({"connection", "ready"}); ready.ok() && ready.value() == Value(false))
      return unchecked("waits for: the dataset in connection " + text_of(context, "connection", "connection_name"));
    ReportCase what;
    what.view = text_of(context, "data-view", "data_view_id");
    if (what.view.empty()) return unchecked(fmt::format("waits for: data view '{}'", *manifest.analytics->data_view));
    what.view_name = fmt::format("'{}' ({})", text_of(context, "data-view", "data_view_name"), what.view);
    const bool by_name = manifest.target.writes_names();
    what.dimension = text_of(context, "data-view", by_name ? "name_dimension" : "value_dimension");
    if (what.dimension.empty())
      return unchecked(fmt::format("waits for: a dimension of the audiences' {} in data view {}",
                                   by_name ? "names" : "ids", what.view_name));
    if (const auto offset = context.output({"data-view", "offset_ms"}); offset.ok()) {
      if (const auto* milliseconds = offset.value().integer_if()) what.offset = Duration(*milliseconds);
    }
    // The relation that the membership stage writes for analytics.
    const auto snapshot = TRY(context.records().current(manifest.uid + "/analytics"));
    if (!snapshot) return unchecked("waits for: the first proven memberships");
    what.snapshot = *snapshot;
    const auto people = TRY(people_of(*snapshot, context));
    what.proven = proven_people(people, by_name ? CountedBy::Name : CountedBy::Id);
    return ReportCheck(context, std::move(what)).check();
  }

  Result<Applied> apply(const Change& change, WriteContext&) override {
    return Error(ErrorCode::Internal, "the report stage owns nothing, and cannot apply " + change.key.text());
  }
};

}  // namespace

StageDescriptor report_stage() {
  return {.name = "report",
          .summary = "Compares people per audience in reports with what was proven to be written.",
          .phase = Phase::Prove,
          .needs = {"connection", "data-view"},
          .rules = {},
          .desire = [](const Manifest&) { return std::vector<Resource>(); },
          .make = [] { return std::unique_ptr<Stage>(std::make_unique<ReportStage>()); }};
}

}  // namespace audiencesync
