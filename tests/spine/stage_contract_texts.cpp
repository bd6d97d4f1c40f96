#include "tests/spine/stage_contract_texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/base/json.h"
#include "tests/spine/told.h"

namespace audiencesync::testing {
namespace {

std::string text_of(const Fields& fields) {
  std::string text;
  for (const auto& [name, field] : fields) {
    const auto* value = std::get_if<Value>(&field);
    text += name + "=" + (value == nullptr ? "?" : to_json(*value)) + " ";
  }
  return text;
}

}  // namespace

std::string text_of(const Outputs& outputs) {
  std::string text;
  for (const auto& [name, value] : outputs) text += name + "=" + to_json(value) + " ";
  return text;
}

std::string text_of(const Observed& observed) {
  std::string text;
  for (const auto& resource : observed.resources) {
    text += fmt::format("{} {} v{}", resource.key.text(), text_of(resource.fields), resource.version);
    if (resource.pending) text += " " + to_json(resource.pending->to_value());
    text += "\n";
  }
  text += text_of(observed.outputs) + "\n";
  for (const auto& finding : observed.findings) text += to_json(finding.to_value()) + "\n";
  for (const auto& [key, value] : observed.remember) text += key + "=" + to_json(value) + "\n";
  return text;
}

std::string text_of(const Change& change) { return fmt::format("{} {}", to_string(change.action), change.key.text()); }

std::string standing(World& world, const std::string& stage) {
  auto& emulator = world.emulator();
  std::string text;
  const auto jobs = emulator.api("GET", "/data/core/ups/export/jobs?limit=100");
  std::multiset<std::string> lines;
  for (const auto& id : emulator.datasets_tagged("uid:" + world.uid)) {
    const auto answer = emulator.api("GET", "/data/foundation/catalog/dataSets/" + id);
    const auto* dataset = answer.find(id);
    std::string line = dataset->text("name");
    for (const auto& tag : dataset->find("tags")->items("audiencesync")) line += " " + *tag.string_if();
    std::map<std::string, int> batches;
    for (const auto& [batch, about] : emulator.batches(id)) ++batches[about.text("status")];
    for (const auto& [status, count] : batches) line += fmt::format(" {} {}", count, status);
    std::map<std::string, int> exports;
    for (const auto& job : jobs.items("records")) {
      if (job.find("destination")->text("datasetId") == id) ++exports[job.text("status")];
    }
    for (const auto& [status, count] : exports) line += fmt::format(" {} {}", count, status);
    replace_all(line, world.uid, "UID");
    lines.insert(line);
  }
  for (const auto& line : lines) text += line + "\n";
  const auto ledger = emulator.control("GET", "/_emulator/ledger");
  std::map<std::string, int> queries;
  const auto asked = emulator.api("GET", "/data/foundation/query/queries?limit=100&orderby=-created");
  for (const auto& query : asked.items("queries")) {
    const auto sql = query.text("effectiveSQL");
    const auto marker = "audiencesync uid:" + world.uid + " ";
    if (sql.find(marker) == std::string::npos) continue;
    ++queries[(query.flag("isCTAS") ? "comparison " : "write ") + query.text("state")];
  }
  for (const auto& [query, count] : queries) text += fmt::format("{} {}\n", count, query);
  for (const auto* kind : {"schema_resources", "descriptors"}) {
    // Every query that makes a table makes a schema of its own, which stays behind.
    const auto& made = ledger.find(kind)->items("created");
    const auto count = std::count_if(made.begin(), made.end(), [](const Value& one) {
      return one.text("title").find(" (ad hoc ") == std::string::npos;
    });
    text += fmt::format("{} {}, {} twice\n", count, kind, ledger.find(kind)->items("duplicates").size());
  }
  if (stage == "membership") text += world.difference();
  const auto views = emulator.api("GET", "/data/dataviews?cached=false&limit=1000&expansion=name,externalData");
  for (const auto& view : views.items("content")) {
    if (view.find("externalData")->text("externalId") != "audiencesync_" + world.uid) continue;
    std::string line = "data view " + view.text("name");
    replace_all(line, world.uid, "UID");
    text += line + "\n";
  }
  return text;
}

}  // namespace audiencesync::testing
