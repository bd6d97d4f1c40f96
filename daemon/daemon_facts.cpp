#include "daemon/daemon_facts.h"

#include <fmt/format.h>

#include "engine/report/figures.h"
#include "engine/report/text_layout.h"

namespace audiencesync {

const Value::Object& known_syncs(const Value& facts) {
  static const Value::Object none;
  const auto* syncs = facts.find("syncs");
  return syncs == nullptr || syncs->object_if() == nullptr ? none : *syncs->object_if();
}

std::string facts_text(const Value& facts, const std::string& uid, Time now) {
  const auto found = known_syncs(facts).find(uid);
  if (found == known_syncs(facts).end()) return {};
  const auto& sync = found->second;
  std::string out;
  if (const auto* running = sync.find("running")) {
    const auto since = parse_time(running->text("since")).value_or(now);
    auto text = fmt::format("since {} ({}), pid {}", second_text(since), running->text("cause"),
                            running->number("pid").value_or(0));
    if (const auto progress = running->text("progress"); !progress.empty()) text += ": " + progress;
    out += paragraph("  at work    ", text);
  }
  if (const auto* failed = sync.find("failed")) {
    const auto at = parse_time(failed->text("at")).value_or(now);
    out += paragraph("  failed     ", fmt::format("{}: {}", second_text(at), failed->text("error")));
  }
  std::string times;
  for (const auto& time : sync.items("next")) {
    const auto at = time.string_if() == nullptr ? std::nullopt : parse_time(*time.string_if());
    if (at) times += (times.empty() ? "" : ", ") + second_text(*at);
  }
  out += paragraph("  next runs  ", times.empty() ? "none by itself; audiencesync run-now starts one" : times);
  if (const auto until = parse_time(sync.text("not_before"))) {
    const auto failures = sync.number("failures").value_or(0);
    const auto why = failures > 0 ? fmt::format(" after {} in a row",
                                                counted(static_cast<std::uint64_t>(failures), "failure", "failures"))
                                  : std::string();
    out += paragraph("  pauses     ", fmt::format("until {}{}", second_text(*until), why));
  }
  return out;
}

std::string not_accepted_text(const Value& facts) {
  std::string out;
  for (const auto& complaint : facts.items("not_accepted")) {
    if (complaint.string_if() != nullptr) out += paragraph("not accepted  ", *complaint.string_if());
  }
  return out;
}

}  // namespace audiencesync
