#include "engine/report/plan_schema.h"

#include <initializer_list>

#include "engine/model/change.h"
#include "engine/model/finding.h"
#include "engine/model/outcome.h"

namespace audiencesync {
namespace {

Value described(Value schema, const char* description) {
  if (*description != '\0') schema["description"] = description;
  return schema;
}

Value of_type(const char* type, const char* description = "") {
  return described(Value::Object{{"type", type}}, description);
}

Value text(const char* description = "") { return of_type("string", description); }

Value count(const char* description = "") {
  return described(Value::Object{{"type", "integer"}, {"minimum", 0}}, description);
}

Value time(const char* description) {
  return described(Value::Object{{"type", "string"},
                                 {"pattern", "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?Z$"}},
                   description);
}

Value digest(const char* description) {
  return described(Value::Object{{"type", "string"}, {"pattern", "^[0-9a-f]{64}$"}}, description);
}

Value list(Value items, const char* description = "") {
  return described(Value::Object{{"type", "array"}, {"items", std::move(items)}}, description);
}

Value one_of_words(Value::Array words, const char* description = "") {
  return described(Value::Object{{"enum", std::move(words)}}, description);
}

Value reference(const char* name) { return Value::Object{{"$ref", std::string("#/$defs/") + name}}; }

struct Member {
  const char* name;
  Value schema;
  bool required = true;
};

Value object(std::initializer_list<Member> members, const char* description = "") {
  Value schema = Value::Object{{"type", "object"}};
  Value::Array required;
  for (const auto& member : members) {
    schema["properties"][member.name] = member.schema;
    if (member.required) required.emplace_back(member.name);
  }
  schema["required"] = std::move(required);
  return described(std::move(schema), description);
}

Value audience_schema(bool with_history) {
  Value schema = object({{"id", text("of the audience, as the platform calls it")},
                         {"name", text("as it is written into the records")},
                         {"before", count("people in it as proven")},
                         {"after", count("people in it once the plan is applied")},
                         {"entered", count()},
                         {"left", count()},
                         {"renamed", count("of those who stay: written again under its new name"), false},
                         {"name_before", text("that they were written with"), false}});
  if (with_history) schema["properties"]["history"] = list(count(), "people after each of the last runs, oldest first");
  return schema;
}

Value field_schema() {
  Value known = object({{"value", Value::Object{}}}, "what will be written");
  Value later = object({{"output", text()}, {"stage", text()}, {"known", one_of_words({"after apply"})}},
                       "what another stage will have produced");
  return Value::Object{{"anyOf", Value::Array{std::move(known), std::move(later)}}};
}

Value bulk_schema() {
  return object(
      {{"relation", text()},
       {"source", text("export batches, separated by commas")},
       {"base", text("digest of the proven snapshot it starts from; empty when there is none")},
       {"content", text("digest of the changed rows")},
       {"candidate", text("digest of the snapshot that becomes current")},
       {"people", count("whose set of audiences changes")},
       {"added", count("of them: in no audience before")},
       {"removed", count("of them: in no audience afterwards")},
       {"records", count("to be written, where it is not one for each of these people"), false},
       {"bytes", count()},
       {"crowded", count("people in more audiences than analytics take from a record of the layout"), false},
       {"left_out",
        object({{"people", count()}, {"memberships", count()}},
               "whom a rollback does not bring back, because the newest export does not have them"),
        false},
       {"forgotten",
        object({{"people", count()}, {"memberships", count()}}, "of those removed: whom audiencesync forget keeps out"),
        false},
       {"audiences", list(audience_schema(false))},
       {"dropped", object({{"read", count()},
                           {"without_person", count()},
                           {"over_long", count()},
                           {"not_utf8", count()},
                           {"unknown_status", count()},
                           {"broken", count(), false},
                           {"samples",
                            list(object({{"file", text()},
                                         {"position", count()},
                                         {"unit", text("row or byte")},
                                         {"reason", text()},
                                         {"person", text("masked")}})),
                            false}},
                          "rows of the export that cannot be used")}},
      "a change of memberships: digests and counts, never rows");
}

Value change_schema() {
  Value::Array actions;
  for (const auto action :
       {Action::Create, Action::Update, Action::Delete, Action::Run, Action::Ingest, Action::Person}) {
    actions.emplace_back(to_string(action));
  }
  Value fields = Value::Object{{"type", "object"}, {"additionalProperties", field_schema()}};
  return object({{"stage", text()},
                 {"name", text("of the object within its stage")},
                 {"action", one_of_words(std::move(actions), "person: only a human can do it")},
                 {"after", std::move(fields)},
                 {"reason", text()},
                 {"expected_version", text("of the object when it was observed; empty when it did not exist")},
                 {"bulk", reference("bulk"), false},
                 {"steps", list(text(), "for a person: what to click, in this order"), false}});
}

Value finding_schema() {
  Value::Array severities;
  for (const auto severity :
       {Severity::Note, Severity::Warning, Severity::Wait, Severity::Approve, Severity::Guard, Severity::Refuse}) {
    severities.emplace_back(to_string(severity));
  }
  return object({{"severity", one_of_words(std::move(severities))},
                 {"code", text("constant, for searching")},
                 {"text", text("for a person")}});
}

Value cost_schema() {
  Value minutes = list(count(), "in Customer Journey Analytics from so many minutes after the apply until so many");
  minutes["minItems"] = 2;
  minutes["maxItems"] = 2;
  return object({{"records", count("rows to upload")},
                 {"bytes", count()},
                 {"write_calls", count("at least")},
                 {"quota_share", described(Value::Object{{"type", "number"}, {"minimum", 0}},
                                           "of what may be ingested in an hour; 1 is all of it")},
                 {"batches", count("the rows are sent in"), false},
                 {"ingest_hours", count("that sending takes at least, by the limit of an hour"), false},
                 {"visible_after_minutes", std::move(minutes)}});
}

Value sample_schema() {
  return object({{"kind", one_of_words({"new", "changed", "leaves"})},
                 {"person", text("masked")},
                 {"entered", list(text())},
                 {"left", list(text())}});
}

Value plan_schema() {
  return object(
      {{"version", Value::Object{{"const", 1}}},
       {"sync", text("name of the manifest")},
       {"uid", text("keys state and ownership")},
       {"file", text("of the manifest, as given")},
       {"commit", text("of the manifest; empty when it is not from git")},
       {"organization", text()},
       {"sandbox", text()},
       {"digest", digest("identifies what would be done: audiencesync approve takes it")},
       {"definition", text("digest of the manifest")},
       {"source", text("export batches the memberships come from; empty while unknown")},
       {"source_created", time("of the export"), false},
       {"base", text("digest of the proven snapshot it starts from; empty when there is none")},
       {"memberships_known", of_type("boolean", "false: they are known after the export")},
       {"refresh", list(reference("change"), "writes into our own staging, which need no approval")},
       {"changes", list(reference("change"), "in the order of their execution")},
       {"findings", list(finding_schema())},
       {"stages", list(object({{"stage", text()}, {"state", text()}}), "how each stage stands, in order")},
       {"memberships", list(audience_schema(true), "what is and will be in each audience")},
       {"samples", list(sample_schema(), "masked people of each kind of change")},
       {"cost", cost_schema()},
       {"rollback", object({{"run", of_type("integer", "whose memberships come back")}, {"reason", text()}}), false},
       {"hold",
        object({{"since", time("held from then on, with its export")},
                {"until", time("lapses then")},
                {"approved_by", text("empty while nobody approved it")},
                {"reason", text("given with the approval")}}),
        false}});
}

Value sync_schema() {
  Value::Array verdicts;
  for (const auto verdict : {Verdict::Converged, Verdict::Pending, Verdict::Waiting, Verdict::NotFinished,
                             Verdict::Refused, Verdict::Failed}) {
    verdicts.emplace_back(to_string(verdict));
  }
  return object({{"sync", text("name of the manifest")},
                 {"file", text("of the manifest")},
                 {"verdict", one_of_words(std::move(verdicts))},
                 {"applied", count("changes made real by this call")},
                 {"exit_code", of_type("integer", "of this sync; the process ends with the worst of all")},
                 {"plan", reference("plan"), false},
                 {"error", object({{"code", text()}, {"text", text()}}), false}});
}

}  // namespace

Value plan_json_schema() {
  Value schema =
      object({{"version", Value::Object{{"const", 1}}}, {"syncs", list(sync_schema(), "in the order given")}});
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "audiencesync plan";
  schema["description"] =
      "What audiencesync plan and apply print with --format json. Members may be added within version 1; none is "
      "taken away or changes its meaning.";
  schema["$defs"] = Value::Object{{"plan", plan_schema()}, {"change", change_schema()}, {"bulk", bulk_schema()}};
  return schema;
}

}  // namespace audiencesync
