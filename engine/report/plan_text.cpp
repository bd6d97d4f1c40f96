#include "engine/report/plan_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace audiencesync {
namespace {

constexpr std::size_t kNameWidth = 30;
constexpr std::size_t kLineWidth = 80;

// Bytes of the UTF-8 character at `at`.
std::size_t character(std::string_view text, std::size_t at) {
  std::size_t length = 1;
  while (at + length < text.size() && (static_cast<unsigned char>(text[at + length]) & 0xC0U) == 0x80U) ++length;
  return length;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size(); at += character(text, at)) ++columns;
  return columns;
}

// Names come from the platform: a line break or a terminal's command in one must not reach the terminal.
std::string printable(std::string_view text) {
  std::string out(text);
  for (auto& byte : out) {
    if (static_cast<unsigned char>(byte) < 0x20U || byte == 0x7F) byte = ' ';
  }
  return out;
}

// Cuts to `width` columns; counts UTF-8 characters, not bytes, and never splits one.
std::string column(std::string_view name, std::size_t width) {
  const std::string text = printable(name);
  const std::size_t columns = columns_of(text);
  if (columns <= width) return text + std::string(width - columns, ' ');
  std::string out;
  for (std::size_t at = 0, kept = 0; kept + 1 < width; ++kept) {
    const auto length = character(text, at);
    out.append(text, at, length);
    at += length;
  }
  return out + "~";
}

// Breaks at blanks so that no line is longer than 80 columns; a word that is longer than a line is cut into lines.
void paragraph(std::string& out, std::string_view first_indent, std::string_view content) {
  const std::string clean = printable(content);
  std::string_view text = clean;
  std::string line(first_indent);
  std::size_t columns = first_indent.size();
  bool empty = true;
  const auto next_line = [&] {
    out += line + "\n";
    line.assign(first_indent.size(), ' ');
    columns = first_indent.size();
    empty = true;
  };
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!empty && columns + 1 + columns_of(word) > kLineWidth) next_line();
    if (!empty) {
      line += ' ';
      ++columns;
    }
    while (!word.empty()) {
      if (columns == kLineWidth) next_line();
      const auto length = character(word, 0);
      line += word.substr(0, length);
      word.remove_prefix(length);
      ++columns;
    }
    empty = false;
  }
  out += line + "\n";
}

// What to type stays in one piece, however long: on a line of its own when it does not fit.
void next_step(std::string& out, const std::string& text, const std::string& command) {
  const bool fits = columns_of(text) + 1 + columns_of(command) <= kLineWidth;
  out += text + (fits ? " " : "\n  ") + printable(command) + "\n";
}

void header(std::string& out, const Plan& plan, Time now) {
  paragraph(out, "", fmt::format("plan for {} ({})", plan.sync, plan.file));
  paragraph(out, "  ", fmt::format("organisation {}, sandbox {}", plan.organization, plan.sandbox));
  if (plan.source_created) {
    fmt::format_to(std::back_inserter(out), "  as of export {} ({} old)\n", to_iso8601(*plan.source_created),
                   age_text(now - *plan.source_created));
  }
  fmt::format_to(std::back_inserter(out), "  digest {}\n", plan.digest().substr(0, 16));
}

void attention(std::string& out, const Plan& plan) {
  if (plan.findings.empty()) return;
  out += "\nattention\n";
  std::vector<Finding> findings = plan.findings;
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  for (const auto& finding : findings)
    paragraph(out, fmt::format("  {:<8}", to_string(finding.severity)), finding.text);
}

void resources(std::string& out, const char* title, const std::vector<Change>& changes) {
  if (changes.empty()) return;
  fmt::format_to(std::back_inserter(out), "\n{}\n", title);
  for (const auto& change : changes) {
    paragraph(out, fmt::format("  {:<7} ", to_string(change.action)),
              fmt::format("{}: {}", change.key.text(), change.reason));
  }
}

void memberships(std::string& out, const Plan& plan) {
  if (plan.audiences.empty()) return;
  fmt::format_to(std::back_inserter(out), "\nmemberships\n  {} {:>9}  {:>9} {:>9} {:>9}\n",
                 column("audience", kNameWidth), "before", "after", "+entered", "-left");
  for (const auto& audience : plan.audiences) {
    fmt::format_to(std::back_inserter(out), "  {} {:>9}  {:>9} {:>9} {:>9}\n", column(audience.name, kNameWidth),
                   audience.before, audience.after, fmt::format("+{}", audience.entered),
                   fmt::format("-{}", audience.left));
  }
}

std::string people_text(const Plan& plan) {
  for (const auto& change : plan.changes) {
    if (!change.bulk) continue;
    const Bulk& bulk = *change.bulk;
    std::string text = fmt::format("{} people written ({} new, {} leave everything), {} bytes", bulk.people, bulk.added,
                                   bulk.removed, bulk.bytes);
    if (bulk.dropped.total() > 0) {
      text += fmt::format("; {} of {} exported rows unusable ({} without person id, {} over-long, {} not UTF-8)",
                          bulk.dropped.total(), bulk.dropped.read, bulk.dropped.without_person, bulk.dropped.over_long,
                          bulk.dropped.not_utf8);
    }
    return text;
  }
  return {};
}

}  // namespace

std::string age_text(Duration age) {
  const auto seconds = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(age).count());
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

std::string plan_text(const Plan& plan, Time now) {
  std::string out;
  const bool quiet = std::all_of(plan.findings.begin(), plan.findings.end(),
                                 [](const Finding& finding) { return finding.severity == Severity::Note; });
  if (plan.empty() && plan.known && quiet) {
    out = fmt::format("{}: nothing to do", plan.sync);
    if (plan.source_created) {
      out +=
          fmt::format(" as of export {} ({})", to_iso8601(*plan.source_created), age_text(now - *plan.source_created));
    }
    return out + "\n";
  }
  header(out, plan, now);
  attention(out, plan);
  resources(out, "refresh (our own staging, needs no approval)", plan.refresh);
  resources(out, "changes", plan.changes);
  memberships(out, plan);
  if (const auto people = people_text(plan); !people.empty()) {
    out += '\n';
    paragraph(out, "", people);
  }
  out += '\n';
  if (plan.refused()) {
    out += "refused: nothing is applied until what stands above is settled\n";
  } else if (!plan.known) {
    next_step(out, "memberships are known after the export; next:", "audiencesync apply " + plan.file);
  } else if (plan.empty()) {
    out += "nothing to do\n";
  } else {
    next_step(out, fmt::format("{} change{}; next:", plan.changes.size(), plan.changes.size() == 1 ? "" : "s"),
              "audiencesync apply " + plan.file);
  }
  return out;
}

}  // namespace audiencesync
