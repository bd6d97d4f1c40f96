#include "engine/report/plan_markdown.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/report/figures.h"
#include "engine/report/plan_words.h"
#include "engine/report/text_layout.h"

namespace audiencesync {
namespace {

constexpr std::size_t kRunsInCell = 8;

/// How much of a plan is written.
struct Extent {
  std::size_t rows = SIZE_MAX;     // of each list
  std::size_t columns = SIZE_MAX;  // of each text
};

class MarkdownWriter {
 public:
  MarkdownWriter(const Plan& plan, Time now, const Extent& extent) : plan_(plan), now_(now), extent_(extent) {}

  std::string write() && {
    header();
    attention();
    resources();
    memberships();
    samples();
    cost();
    next();
    return std::move(out_);
  }

 private:
  std::string text(std::string_view raw) const { return escape_markdown(cut(raw, extent_.columns)); }
  // Nothing is markup within it but the backtick itself.
  std::string code(std::string_view raw) const {
    auto clean = cut(raw, extent_.columns);
    std::replace(clean.begin(), clean.end(), '`', '\'');
    // A pipe ends a cell of a table even within code.
    for (auto at = clean.find('|'); at != std::string::npos; at = clean.find('|', at + 2)) clean.insert(at, "\\");
    return "`" + clean + "`";
  }

  // Calls `write` for as many of `list` as are shown, then says how many are not.
  template <class List, class Write>
  void each(const List& list, const char* left_out, Write write) {
    std::size_t shown = 0;
    for (const auto& item : list) {
      // Too large already: this attempt is thrown away, so it need not be finished.
      if (out_.size() >= kLargestMarkdown) return;
      if (shown == extent_.rows) {
        out_ += fmt::format(fmt::runtime(left_out), count_text(list.size() - shown));
        return;
      }
      write(item);
      ++shown;
    }
  }

  void header() {
    out_ += fmt::format("### audiencesync plan: {}\n\n**{}**\n\n", text(plan_.sync), text(summary_text(plan_)));
    out_ += "| | |\n|---|---|\n";
    const auto row = [&](const char* name, const std::string& value) {
      out_ += fmt::format("| {} | {} |\n", name, value);
    };
    row("manifest", code(plan_.file));
    if (!plan_.commit.empty()) row("commit", code(plan_.commit));
    row("organisation, sandbox", fmt::format("{}, {}", code(plan_.organization), code(plan_.sandbox)));
    row("digest", code(short_digest(plan_.digest())));
    row("inputs", text(inputs_text(plan_, now_)));
    row("guards", text(guards_text(plan_)));
  }

  void attention() {
    const auto people = person_actions(plan_);
    if (plan_.findings.empty() && people.empty() && !plan_.hold) return;
    out_ += "\n#### Attention\n\n";
    each(findings_by_severity(plan_), "- … and {} more findings\n", [&](const Finding& finding) {
      out_ += fmt::format("- **{}** {}\n", to_string(finding.severity), text(finding.text));
    });
    if (plan_.hold) {
      out_ += fmt::format("- **{}** {}\n", plan_.hold->approved_by.empty() ? "held" : "approved",
                          text(hold_text(plan_, now_)));
    }
    each(people, "- … and {} more steps for a person\n", [&](const Change& action) {
      out_ += fmt::format("- **person** {}: {}\n", code(action.key.text()), text(action.reason));
      std::size_t number = 0;
      each(action.steps, "  … and {} more\n",
           [&](const std::string& step) { out_ += fmt::format("  {}. {}\n", ++number, text(step)); });
    });
  }

  void resources() {
    const auto stages = changes_by_stage(plan_);
    if (stages.empty()) return;
    out_ += "\n#### Resources\n\n| stage | state |\n|---|---|\n";
    each(stages, "| … | and {} more |\n", [&](const StageChanges& stage) {
      out_ += fmt::format("| {} | {} |\n", text(stage.stage.stage), text(stage.stage.state));
    });
    const auto total = plan_.refresh.size() + plan_.changes.size();
    if (total == 0) return;
    out_ += fmt::format("\n<details><summary>{}</summary>\n\n| does | object | why |\n|---|---|---|\n",
                        plan_.changes.empty() ? "writes into our own staging" : counted(total, "change"));
    const auto row = [&](const Change& change, const char* remark) {
      out_ += fmt::format("| {} | {} | {}{} |\n", to_string(change.action), code(change.key.text()),
                          text(change.reason), remark);
    };
    each(plan_.refresh, "| … | | and {} more |\n",
         [&](const Change& change) { row(change, " (our own staging, needs no approval)"); });
    each(plan_.changes, "| … | | and {} more |\n", [&](const Change& change) { row(change, ""); });
    out_ += "\n</details>\n";
  }

  void memberships() {
    if (plan_.audiences.empty()) return;
    out_ +=
        "\n#### Memberships\n\n| audience | before | after | entered | left | Δ% | last runs | verdict |\n"
        "|---|--:|--:|--:|--:|--:|---|---|\n";
    each(plan_.audiences, "| … and {} more | | | | | | | |\n", [&](const AudienceDelta& audience) {
      const auto past = plan_.history.find(audience.id);
      const auto verdict = audience_verdict(plan_, audience);
      out_ += fmt::format("| {} | {} | {} | +{} | −{} | {} | {} | {} |\n", text(audience.name),
                          count_text(audience.before), count_text(audience.after), count_text(audience.entered),
                          count_text(audience.left), escape_markdown(change_text(audience.before, audience.after)),
                          past == plan_.history.end() ? "" : sparkline(past->second, kRunsInCell),
                          verdict == AudienceVerdict::Ok ? "ok" : fmt::format("**{}**", to_string(verdict)));
    });
  }

  std::string names(const std::vector<std::string>& list) const {
    std::string out;
    std::size_t shown = 0;
    for (const auto& name : list) {
      if (shown == extent_.rows) return out + fmt::format(" and {} more", list.size() - shown);
      out += (shown++ == 0 ? "" : ", ") + text(name);
    }
    return out;
  }

  void samples() {
    if (plan_.samples.empty()) return;
    out_ += "\n<details><summary>samples, masked</summary>\n\n| kind | person | enters | leaves |\n|---|---|---|---|\n";
    each(plan_.samples, "| … | and {} more | | |\n", [&](const Sample& sample) {
      out_ += fmt::format("| {} | {} | {} | {} |\n", text(sample.kind), code(sample.person), names(sample.entered),
                          names(sample.left));
    });
    out_ += "\n</details>\n";
  }

  void cost() {
    const auto texts = cost_texts(plan_);
    if (texts.empty()) return;
    out_ += fmt::format("\nCost: {}.\n", text(fmt::format("{}", fmt::join(texts, "; "))));
  }

  void next() {
    const auto step = next_step(plan_);
    if (step.text.empty()) return;
    auto words = step.text;
    words.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(words.front())));
    out_ += "\n" + text(words) + "\n";
    if (step.command.empty()) return;
    // Never cut: it is to be typed. A fence longer than any run of backticks in it.
    const std::string fence = step.command.find("```") == std::string::npos ? "```" : "``````````";
    out_ += fmt::format("\n{}sh\n{}\n{}\n", fence, printable(step.command), fence);
  }

  const Plan& plan_;
  Time now_;
  const Extent& extent_;
  std::string out_;
};

}  // namespace

std::string escape_markdown(std::string_view raw) {
  const std::string clean = printable(raw);
  std::string out;
  for (std::size_t at = 0; at < clean.size(); ++at) {
    const char each = clean[at];
    switch (each) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      // Entities are shown literally and never become a mention, a reference or a link.
      case '@':
        out += "&#64;";
        break;
      case '#':
        out += "&#35;";
        break;
      case ':':
        out += clean.compare(at, 3, "://") == 0 ? "&#58;" : ":";
        break;
      case '.':
        out += at >= 3 && clean.compare(at - 3, 3, "www") == 0 ? "&#46;" : ".";
        break;
      case '\\':
      case '`':
      case '*':
      case '_':
      case '~':
      case '[':
      case ']':
      case '|':
      case '$':
        out += '\\';
        out += each;
        break;
      default:
        out += each;
    }
  }
  return out;
}

std::string plan_markdown(const Plan& plan, Time now) {
  if (nothing_to_do(plan)) return escape_markdown(nothing_to_do_text(plan, now)) + "\n";
  Extent extent;
  auto out = MarkdownWriter(plan, now, extent).write();
  extent = {2048, 2000};
  while (out.size() >= kLargestMarkdown) {
    out = MarkdownWriter(plan, now, extent).write();
    if (extent.rows == 1 && extent.columns <= 40) break;
    // Rows first: a text that is cut is worth less than one row fewer.
    if (extent.rows > 32 || extent.columns <= 40) {
      extent.rows = std::max<std::size_t>(1, extent.rows / 2);
    } else {
      extent.columns = std::max<std::size_t>(40, extent.columns / 2);
    }
  }
  return out;
}

}  // namespace audiencesync
