#include "plugins/audiences/resolution.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/platform/call.h"

namespace audiencesync {
namespace {

const char* const kPeopleSchema = "_xdm.context.profile";

std::string entry_text(const AudienceEntry& entry) {
  if (entry.name && entry.id) return fmt::format("audience '{}' ({})", *entry.name, *entry.id);
  if (entry.name) return fmt::format("audience '{}'", *entry.name);
  return fmt::format("audience {}", entry.id.value_or(""));
}

/// `manifest.yaml:9:5: audience 'X'`
std::string place_text(const AudienceEntry& entry) {
  const auto place = entry.place.text();
  return place.empty() ? entry_text(entry) : place + ": " + entry_text(entry);
}

bool is_published(const platform::Audience& audience) {
  return audience.lifecycle.empty() || audience.lifecycle == "published";
}

std::string listed(const std::vector<platform::Audience>& audiences) {
  std::vector<std::string> texts;
  for (const auto& audience : audiences)
    texts.push_back(fmt::format("{} ({}{})", audience.id, audience.origin.empty() ? "origin unknown" : audience.origin,
                                is_published(audience) ? "" : ", " + audience.lifecycle));
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// Resolves one manifest's entries; a class only to keep the shared inputs out of every signature.
class Resolver {
 public:
  Resolver(const AudienceKnowledge& knowledge, const std::string& merge_policy)
      : knowledge_(knowledge), merge_policy_(merge_policy) {}

  void add(const AudienceEntry& entry) {
    if (entry.id) return add_known(entry, *entry.id);
    if (const auto pin = knowledge_.pins.find(entry.name.value_or("")); pin != knowledge_.pins.end())
      return add_known(entry, pin->second);
    add_named(entry);
  }

  Resolution finish() && {
    std::sort(result_.audiences.begin(), result_.audiences.end(),
              [](const auto& left, const auto& right) { return left.id < right.id; });
    return std::move(result_);
  }

 private:
  void report(Severity severity, const char* code, std::string text) {
    result_.findings.push_back({severity, code, std::move(text)});
  }

  void add_known(const AudienceEntry& entry, const std::string& id) {
    const auto found = knowledge_.by_id.found.find(id);
    if (found == knowledge_.by_id.found.end()) {
      const auto missing = knowledge_.by_id.missing.find(id);
      const bool forbidden = missing != knowledge_.by_id.missing.end() && missing->second.status == 403;
      return hold(entry, id, forbidden ? "may not be read with this credential" : "does not exist");
    }
    if (!is_published(found->second)) return hold(entry, id, fmt::format("is {}", found->second.lifecycle));
    accept(entry, found->second);
  }

  void add_named(const AudienceEntry& entry) {
    const auto& name = *entry.name;
    std::vector<platform::Audience> matches;
    if (const auto found = knowledge_.named.find(name); found != knowledge_.named.end()) matches = found->second;
    std::vector<platform::Audience> usable = matches;
    std::erase_if(usable, [](const platform::Audience& audience) { return !is_published(audience); });
    if (usable.size() == 1) return accept(entry, usable.front());
    if (usable.size() > 1)
      return report(Severity::Refuse, "audience-ambiguous",
                    fmt::format("{}: {} audiences have exactly this name: {}; write the id of the one you mean",
                                place_text(entry), usable.size(), listed(usable)));
    if (!matches.empty())
      return report(Severity::Refuse, "audience-unpublished",
                    fmt::format("{}: no published audience has this name, only {}; publish it or declare another one",
                                place_text(entry), listed(matches)));
    std::string hint = "names are compared exactly; check the spelling, or write the id";
    if (const auto near = knowledge_.similar.find(name); near != knowledge_.similar.end() && !near->second.empty())
      hint = fmt::format("similar ones: '{}'; names are compared exactly", fmt::join(near->second, "', '"));
    report(Severity::Refuse, "audience-unknown",
           fmt::format("{}: no audience of this sandbox has this name; {}", place_text(entry), hint));
  }

  /// Unreadable upstream: one that was synced keeps its memberships, a new one cannot begin.
  void hold(const AudienceEntry& entry, const std::string& id, const std::string& why) {
    const auto label = knowledge_.labels.find(id);
    if (label == knowledge_.labels.end())
      return report(Severity::Refuse, "audience-unreadable",
                    fmt::format("{}: {} {}; check the id and the sandbox, or remove the entry", place_text(entry),
                                entry.id ? "it" : id, why));
    if (!claim(entry, id)) return;
    ResolvedAudience audience;
    audience.id = id;
    audience.label = entry.name.value_or(label->second);
    audience.membership_namespace = entry.membership_namespace;
    audience.held = true;
    std::string way_out = "its memberships stay as they are; remove the entry to withdraw them";
    if (const auto again = knowledge_.named.find(entry.name.value_or("")); again != knowledge_.named.end())
      for (const auto& other : again->second)
        if (other.id != id && is_published(other))
          way_out += fmt::format(", or write id {} to switch to the audience that has this name now", other.id);
    report(Severity::Warning, "audience-held",
           fmt::format("{}: {} {}; {}", place_text(entry), entry.id ? "it" : id, why, way_out));
    result_.audiences.push_back(std::move(audience));
  }

  void accept(const AudienceEntry& entry, const platform::Audience& found) {
    if (!found.schema.empty() && found.schema != kPeopleSchema)
      return report(Severity::Refuse, "audience-not-people",
                    fmt::format("{}: it is an audience of {}, not of people ({}); remove the entry", place_text(entry),
                                found.schema, kPeopleSchema));
    if (!found.merge_policy.empty() && found.merge_policy != merge_policy_)
      return report(Severity::Refuse, "audience-merge-policy",
                    fmt::format("{}: it is evaluated under merge policy {}, but this sync exports under {}; one export "
                                "uses one merge policy, so put it into a manifest with source.merge_policy: {}",
                                place_text(entry), found.merge_policy, merge_policy_, found.merge_policy));
    if (!claim(entry, found.id)) return;
    if (entry.name && found.name != *entry.name)
      report(Severity::Note, "audience-renamed",
             fmt::format("{}: upstream it is called '{}' now; the manifest's name is written until you change it there",
                         place_text(entry), found.name));
    suggest_namespace(entry, found);
    ResolvedAudience audience;
    audience.id = found.id;
    audience.label = entry.name.value_or(found.name);
    audience.membership_namespace = entry.membership_namespace;
    const auto evaluated = knowledge_.evaluated.find(found.id);
    audience.expected = found.people;
    if (!audience.expected && evaluated != knowledge_.evaluated.end()) audience.expected = evaluated->second;
    result_.audiences.push_back(std::move(audience));
    if (!entry.id) result_.pins[*entry.name] = found.id;
  }

  /// False, and reported, when an earlier entry is the same audience.
  bool claim(const AudienceEntry& entry, const std::string& id) {
    const auto [earlier, is_new] = claimed_.emplace(id, place_text(entry));
    if (!is_new)
      report(Severity::Refuse, "audience-twice",
             fmt::format("{}: it is the same audience ({}) as {}; remove one of the two", place_text(entry), id,
                         earlier->second));
    return is_new;
  }

  /// Audiences that the platform computes are under `ups`; imported ones presumably under a key of their own.
  void suggest_namespace(const AudienceEntry& entry, const platform::Audience& found) {
    const auto own = platform::ascii_lower(found.audience_namespace);
    if (own.empty() || own == "aepsegments" || own == "ups" || own == "ao") return;
    const auto key = platform::ascii_lower(entry.membership_namespace);
    if (key != "ups") return;
    report(Severity::Note, "audience-namespace",
           fmt::format("{}: it comes from namespace '{}', so its memberships may be exported under that key and not "
                       "under 'ups'; if nobody is in it after the export, add namespace: {} to the entry",
                       place_text(entry), found.audience_namespace, found.audience_namespace));
  }

  const AudienceKnowledge& knowledge_;
  const std::string& merge_policy_;
  Resolution result_;
  std::map<std::string, std::string> claimed_;
};

}  // namespace

Resolution resolve_audiences(const std::vector<AudienceEntry>& entries, const AudienceKnowledge& knowledge,
                             const std::string& merge_policy) {
  Resolver resolver(knowledge, merge_policy);
  for (const auto& entry : entries) resolver.add(entry);
  return std::move(resolver).finish();
}

}  // namespace audiencesync
