#include "engine/manifest/static_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "engine/manifest/field_checks.h"
#include "engine/manifest/utf8.h"

namespace audiencesync {
namespace {

/// Reports the second and every further use of one value.
class Repetitions {
 public:
  Repetitions(std::string what, std::string advice, Problems& problems)
      : what_(std::move(what)), advice_(std::move(advice)), problems_(problems) {}

  void see(std::string_view scope, const std::string& value, const Place& place) {
    const auto [first, is_new] = seen_.emplace(std::pair(std::string(scope), value), place);
    if (is_new) return;
    problems_.invalid(place, fmt::format("{} {} is here a second time, first at {}; {}", what_, shown(value),
                                         first->second.text(), advice_));
  }

 private:
  std::string what_;
  std::string advice_;
  Problems& problems_;
  std::map<std::pair<std::string, std::string>, Place> seen_;
};

void check_audiences(const FieldReader& root, Problems& problems) {
  const auto items = root.items("audiences");
  if (items.size() > kMaxAudiences) {
    problems.invalid(
        root.place("audiences"),
        fmt::format("'audiences' has {} entries, but a sandbox holds at most {}; remove some, or split the "
                    "manifest",
                    items.size(), kMaxAudiences));
    return;
  }
  Repetitions ids("audiences.id", "keep one entry", problems);
  Repetitions names("audiences.name", "analysts could not tell the two apart, give one of them another name", problems);
  for (const auto* item : items) {
    const FieldReader map(item);
    const auto scope = map.text("namespace").value_or(AudienceEntry{}.membership_namespace);
    if (const auto id = map.text("id")) ids.see(scope, *id, map.place("id"));
    if (const auto name = map.text("name")) names.see("", *name, map.place("name"));
  }
}

void check_field_is_in_tenant(const Manifest& manifest, const FieldReader& root, Problems& problems) {
  // Roots with an underscore that belong to the platform's own schemas.
  static constexpr std::array<std::string_view, 4> kPlatformRoots{"_id", "_repo", "_experience", "_xdm"};
  const auto& field = manifest.identity.field;
  const auto first = std::string_view(field).substr(0, field.find('.'));
  const bool comparable = !check_tenant(manifest.tenant) && !check_field_path(field);
  if (!comparable || !first.starts_with('_') || first == manifest.tenant) return;
  if (std::find(kPlatformRoots.begin(), kPlatformRoots.end(), first) != kPlatformRoots.end()) return;
  problems.invalid(root.map("identity").place("field"),
                   fmt::format("identity.field {} starts with another tenant than {}; correct the field or 'tenant'",
                               shown(field), shown(manifest.tenant)));
}

void check_allowed(const Manifest& manifest, const FieldReader& root, const ManifestRules& rules, Problems& problems) {
  if (!rules.organizations) return;
  const auto found = rules.organizations->find(manifest.organization);
  if (found == rules.organizations->end()) {
    std::vector<std::string_view> known;
    for (const auto& [name, sandboxes] : *rules.organizations) known.push_back(name);
    problems.invalid(root.place("organization"),
                     fmt::format("organization {} is not in the settings; write one of: {}, or add it to "
                                 "'organizations' there",
                                 shown(manifest.organization), fmt::join(known, ", ")));
    return;
  }
  if (check_sandbox_name(manifest.sandbox)) return;  // reported already
  const auto& sandboxes = found->second;
  if (std::find(sandboxes.begin(), sandboxes.end(), manifest.sandbox) != sandboxes.end()) return;
  problems.invalid(
      root.place("sandbox"),
      fmt::format("sandbox {} is not allowed for organization {} in the settings; write one of: {}, or add "
                  "it to 'sandboxes' there",
                  shown(manifest.sandbox), shown(manifest.organization), fmt::join(sandboxes, ", ")));
}

void check_source(const Manifest& manifest, const FieldReader& root, const ManifestRules& rules, Problems& problems) {
  const auto map = root.map("source");
  const auto& path = manifest.source.path;
  if (manifest.source.from != SourceFrom::ExportJob && manifest.source.wait_for_evaluation > Duration(0)) {
    problems.invalid(map.place("wait_for_evaluation"),
                     fmt::format("source.wait_for_evaluation has no meaning with source.from '{}', which makes no "
                                 "export; remove it",
                                 to_string(manifest.source.from)));
  }
  if (manifest.source.from != SourceFrom::Files) {
    if (map.node("path") != nullptr) {
      problems.invalid(map.place("path"), fmt::format("source.path has no meaning with source.from '{}'; remove it, or "
                                                      "write from: files",
                                                      to_string(manifest.source.from)));
    }
    return;
  }
  if (path.empty()) {
    if (map.node("path") == nullptr) {
      problems.invalid(root.place("source"),
                       "source.from 'files' needs source.path; write where the files are, for "
                       "example path: /srv/landing/profiles/*.parquet");
    }
    return;
  }
  if (check_source_path(path) || !rules.source_folders) return;
  const Path wanted(path);
  const auto below = [&](const Path& folder) {
    const auto at = std::mismatch(folder.begin(), folder.end(), wanted.begin(), wanted.end());
    return at.first == folder.end() || (std::next(at.first) == folder.end() && at.first->empty());
  };
  const auto& folders = *rules.source_folders;
  if (std::any_of(folders.begin(), folders.end(), below)) return;
  std::vector<std::string> known;
  for (const auto& folder : folders) known.push_back(folder.string());
  problems.invalid(map.place("path"),
                   folders.empty()
                       ? fmt::format("source.path {} cannot be read: the settings allow no folder; list it in "
                                     "'source_folders' there",
                                     shown(path))
                       : fmt::format("source.path {} is in none of the folders that the settings allow ({}); "
                                     "use one of them, or add it to 'source_folders' there",
                                     shown(path), fmt::join(known, ", ")));
}

// A lookup joins whole values, and such a string is the ids of all audiences of a person.
void check_layout(const Manifest& manifest, const FieldReader& root, Problems& problems) {
  if (!manifest.target.name_lookup || manifest.target.layout != Layout::Delimited) return;
  problems.invalid(root.map("target").place("name_lookup"),
                   "target.name_lookup cannot find names by the string of layout 'delimited'; write layout: person, or "
                   "leave name_lookup out");
}

// What only the local engine can do, each with the key that asks for it.
void check_engine(const Manifest& manifest, const FieldReader& root, Problems& problems) {
  if (manifest.engine != Engine::QueryService) return;
  const auto refuse = [&](const Place& place, std::string_view what, std::string_view instead) {
    problems.invalid(place, fmt::format("{} is nothing that engine 'query-service' can do; write {}, or engine: local",
                                        what, instead));
  };
  const auto target = root.map("target");
  if (manifest.source.from != SourceFrom::ExportJob)
    refuse(root.map("source").place("from"), fmt::format("source.from '{}'", to_string(manifest.source.from)),
           "from: export-job");
  if (manifest.target.layout != Layout::Person)
    refuse(target.place("layout"), fmt::format("target.layout '{}'", to_string(manifest.target.layout)),
           "layout: person");
  if (manifest.target.name_lookup) refuse(target.place("name_lookup"), "target.name_lookup", "name_lookup: false");
  if (manifest.target.upload != UploadFiles::Json)
    refuse(target.place("upload"), "target.upload, which is about files that are sent,", "nothing there");
}

}  // namespace

void check_static_rules(const Manifest& manifest, const FieldReader& root, const ManifestRules& rules,
                        Problems& problems) {
  check_audiences(root, problems);
  check_field_is_in_tenant(manifest, root, problems);
  check_source(manifest, root, rules, problems);
  check_layout(manifest, root, problems);
  check_engine(manifest, root, problems);
  check_allowed(manifest, root, rules, problems);
}

}  // namespace audiencesync
