#include "engine/model/plan.h"

#include <algorithm>

#include "engine/base/digest.h"

namespace audiencesync {
namespace {

Value list(const std::vector<Change>& changes) {
  Value::Array out;
  for (const auto& change : changes) out.push_back(change.to_value());
  return out;
}

}  // namespace

bool Plan::refused() const {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.severity == Severity::Refuse; });
}

Digest Plan::digest() const {
  return digest_of(Value::Object{{"uid", uid},
                                 {"definition", definition},
                                 {"source", source},
                                 {"base", base},
                                 {"known", known},
                                 {"changes", list(changes)}});
}

Value Plan::to_value() const {
  Value::Array notes;
  for (const auto& finding : findings) notes.push_back(finding.to_value());
  Value::Array rows;
  for (const auto& delta : audiences) {
    rows.push_back(Value::Object{{"id", delta.id},
                                 {"name", delta.name},
                                 {"before", delta.before},
                                 {"after", delta.after},
                                 {"entered", delta.entered},
                                 {"left", delta.left}});
  }
  Value out = Value::Object{{"version", 1},
                            {"sync", sync},
                            {"uid", uid},
                            {"file", file},
                            {"organization", organization},
                            {"sandbox", sandbox},
                            {"digest", digest()},
                            {"definition", definition},
                            {"source", source},
                            {"base", base},
                            {"memberships_known", known},
                            {"refresh", list(refresh)},
                            {"changes", list(changes)},
                            {"findings", std::move(notes)},
                            {"memberships", std::move(rows)}};
  if (source_created) out["source_created"] = to_iso8601(*source_created);
  return out;
}

}  // namespace audiencesync
