#include "engine/report/plan_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "engine/report/membership_table.h"
#include "engine/report/plan_words.h"
#include "engine/report/text_layout.h"

namespace audiencesync {
namespace {

constexpr std::size_t kWordWidth = 9;   // of "findings" and actions, with the gap behind
constexpr std::size_t kMostNames = 30;  // of the audiences one sample names, before "and N more"

enum class Ink { Bold, Red, Yellow, Green, Faint };

const char* code_of(Ink ink) {
  switch (ink) {
    case Ink::Bold:
      return "\x1b[1m";
    case Ink::Red:
      return "\x1b[31m";
    case Ink::Yellow:
      return "\x1b[33m";
    case Ink::Green:
      return "\x1b[32m";
    case Ink::Faint:
      return "\x1b[2m";
  }
  return "";
}

Ink ink_of(Severity severity) {
  if (severity >= Severity::Guard) return Ink::Red;
  return severity == Severity::Note ? Ink::Faint : Ink::Yellow;
}

Ink ink_of(Action action) {
  if (action == Action::Delete) return Ink::Red;
  return action == Action::Person ? Ink::Yellow : Ink::Green;
}

/// Writes one plan; the text is laid out first and coloured afterwards, so that colours never move a column.
class PlanWriter {
 public:
  PlanWriter(const Plan& plan, Time now, Purpose purpose, Style style)
      : plan_(plan), now_(now), purpose_(purpose), style_(style) {}

  std::string write() && {
    header();
    attention();
    resources();
    memberships();
    samples();
    cost();
    summary();
    return std::move(out_);
  }

 private:
  std::string painted(std::string_view text, Ink ink) const {
    if (style_ == Style::Plain) return std::string(text);
    return fmt::format("{}{}\x1b[0m", code_of(ink), text);
  }

  // A paragraph whose first word, exactly as laid out, is painted.
  void labelled(std::string_view indent, std::string_view word, std::size_t width, std::string_view text, Ink ink) {
    const auto lead = fmt::format("{}{:<{}}", indent, word, width);
    auto laid_out = paragraph(lead, text);
    laid_out.replace(indent.size(), word.size(), painted(word, ink));
    out_ += laid_out;
  }

  void title(std::string_view text) { out_ += fmt::format("\n{}\n", painted(text, Ink::Bold)); }

  void header() {
    auto first = paragraph("", fmt::format("plan for {} ({})", plan_.sync, plan_.file));
    out_ += style_ == Style::Plain ? first : painted(first.substr(0, first.size() - 1), Ink::Bold) + "\n";
    const auto line = [&](const char* name, const std::string& text) {
      out_ += paragraph(fmt::format("  {:<9}", name), text);
    };
    line("for", fmt::format("organisation {}, sandbox {}", plan_.organization, plan_.sandbox));
    if (!plan_.commit.empty()) line("commit", plan_.commit);
    line("digest", short_digest(plan_.digest()));
    line("inputs", inputs_text(plan_, now_));
    line("guards", guards_text(plan_));
  }

  void attention() {
    const auto people = person_actions(plan_);
    if (plan_.findings.empty() && people.empty() && !plan_.hold) return;
    title("attention");
    const auto findings = findings_by_severity(plan_);
    const auto until = [&](auto from, Severity least) {
      return std::find_if(from, findings.end(), [&](const Finding& each) { return each.severity < least; });
    };
    const auto tell = [&](const Finding& each) {
      labelled("  ", to_string(each.severity), kWordWidth, each.text, ink_of(each.severity));
    };
    const auto guards_end = until(findings.begin(), Severity::Guard);
    const auto first_note = until(guards_end, Severity::Warning);
    std::for_each(findings.begin(), guards_end, tell);
    if (plan_.guarded() && purpose_ == Purpose::Review) {
      out_ += "           if the numbers are right, this lets exactly this plan through, once:\n";
      out_ += fmt::format("           {}\n", approve_command_line(plan_));
    }
    std::for_each(guards_end, first_note, tell);
    if (plan_.hold)
      labelled("  ", plan_.hold->approved_by.empty() ? "held" : "approved", kWordWidth, hold_text(plan_, now_),
               Ink::Yellow);
    for (const auto& action : people) person_action(action);
    std::for_each(first_note, findings.end(), tell);
  }

  void person_action(const Change& action) {
    labelled("  ", "person", kWordWidth, fmt::format("{}: {}", action.key.text(), action.reason), Ink::Yellow);
    std::size_t number = 0;
    for (const auto& step : action.steps) out_ += paragraph(fmt::format("           {:>2}. ", ++number), step);
  }

  void resources() {
    const auto stages = changes_by_stage(plan_);
    if (stages.empty()) return;
    title("resources");
    std::size_t width = 11;
    for (const auto& each : stages) width = std::max(width, std::min<std::size_t>(24, columns_of(each.stage.stage)));
    for (const auto& each : stages) {
      out_ += paragraph(fmt::format("  {} ", fit_left(each.stage.stage, width)), each.stage.state);
      const auto because = [](const Change& change) { return change.reason.empty() ? "" : ": " + change.reason; };
      for (const auto& change : each.refresh) {
        resource(change, because(change) + " (our own staging, needs no approval)");
      }
      for (const auto& change : each.changes) {
        resource(change, change.action == Action::Person ? " (steps above)" : because(change));
      }
    }
  }

  void resource(const Change& change, const std::string& why) {
    labelled("    ", to_string(change.action), kWordWidth - 1, change.key.text() + why, ink_of(change.action));
  }

  void memberships() {
    if (plan_.audiences.empty()) return;
    title("memberships");
    for (const auto& line : membership_table(plan_)) {
      const bool fine = line.verdict == AudienceVerdict::Ok;
      out_ += (fine ? line.text : painted(line.text, Ink::Yellow)) + "\n";
    }
  }

  static std::string names_of(const std::vector<std::string>& names, const char* sign) {
    std::string out;
    for (std::size_t at = 0; at < names.size() && at < kMostNames; ++at)
      out += fmt::format("{}{}{}", out.empty() ? "" : ", ", sign, names[at]);
    if (names.size() > kMostNames) out += fmt::format(" and {} more", names.size() - kMostNames);
    return out;
  }

  void samples() {
    if (plan_.samples.empty()) return;
    title("samples (masked)");
    std::size_t width = 0;
    for (const auto& sample : plan_.samples) width = std::max(width, columns_of(printable(sample.person)));
    width = std::min<std::size_t>(width, 28);
    for (const auto& sample : plan_.samples) {
      const auto entered = names_of(sample.entered, "+");
      const auto left = names_of(sample.left, "−");
      out_ += paragraph(fmt::format("  {:<8} {}  ", sample.kind, fit_left(sample.person, width)),
                        entered + (entered.empty() || left.empty() ? "" : "; ") + left);
    }
  }

  void cost() {
    const auto texts = cost_texts(plan_);
    if (texts.empty()) return;
    title("cost");
    for (const auto& text : texts) out_ += paragraph("  ", text);
  }

  void summary() {
    out_ += '\n';
    if (!plan_.empty()) out_ += paragraph("", summary_text(plan_));
    if (purpose_ == Purpose::Applying) {
      if (plan_.empty()) out_ += "nothing to do\n";
      return;
    }
    const auto next = next_step(plan_);
    if (next.text.empty()) {
      out_ += "nothing to do\n";
    } else if (next.command.empty()) {
      out_ += paragraph("", next.text);
    } else {
      out_ += text_and_command(next.text, next.command);
    }
  }

  const Plan& plan_;
  Time now_;
  Purpose purpose_;
  Style style_;
  std::string out_;
};

}  // namespace

std::string plan_text(const Plan& plan, Time now, Purpose purpose, Style style) {
  if (nothing_to_do(plan)) return printable(nothing_to_do_text(plan, now)) + "\n";
  return PlanWriter(plan, now, purpose, style).write();
}

}  // namespace audiencesync
