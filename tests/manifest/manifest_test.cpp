#include "engine/manifest/manifest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "engine/base/digest.h"
#include "engine/base/json.h"
#include "engine/manifest/field_table.h"
#include "engine/manifest/manifest_fields.h"
#include "engine/manifest/settings.h"
#include "tests/manifest/manifest_world.h"

namespace audiencesync {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(ManifestTest, MinimalManifestMeansWhatTheDesignSays) {
  const auto loaded = load_text(std::string(kMinimal));
  ASSERT_THAT(texts(loaded.problems), IsEmpty());
  ASSERT_TRUE(loaded.ok());
  const auto& manifest = *loaded.value;
  EXPECT_EQ(manifest.file, "m.yaml");
  EXPECT_EQ(manifest.name, "luma-loyalty");
  EXPECT_EQ(manifest.uid, "luma-loyalty");
  EXPECT_EQ(manifest.organization, "default");
  EXPECT_EQ(manifest.sandbox, "prod");
  EXPECT_EQ(manifest.tenant, "_demoemea");
  EXPECT_EQ(manifest.identity, (Identity{"_demoemea.identification.core.email", "Email", Normalize::None}));
  EXPECT_EQ(manifest.schedule, (CronSchedule{"0 4 * * *", "UTC"}));
  EXPECT_THAT(manifest.audiences,
              ElementsAre(AudienceEntry{"9e3779b1-1111-4222-8333-00004189374b", "Luma - Blue+ Members", "ups",
                                        Place{"m.yaml", 7, 5}},
                          AudienceEntry{std::nullopt, "Luma - Platinum", "ups", Place{"m.yaml", 8, 5}}));
  EXPECT_EQ(manifest.source, Source{});
  EXPECT_EQ(manifest.target.dataset, "audiencesync membership: luma-loyalty");
  EXPECT_EQ(manifest.guard, Guard{});
  EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST(ManifestTest, MinimalManifestHasThisCanonicalForm) {
  const auto loaded = load_text(std::string(kMinimal));
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(to_json(loaded.value->canonical()),
            R"({"audiences":[{"id":null,"name":"Luma - Platinum","namespace":"ups"},)"
            R"({"id":"9e3779b1-1111-4222-8333-00004189374b","name":"Luma - Blue+ Members","namespace":"ups"}],)"
            R"("guard":{"allow_empty_audience":false,"max_audience_growth":"200%","max_audience_shrink":"50%",)"
            R"("max_bad_rows":"0.1%","max_removals":"10%","min_people":100},)"
            R"("identity":{"field":"_demoemea.identification.core.email","namespace":"Email","normalize":"none"},)"
            R"("name":"luma-loyalty","organization":"default","sandbox":"prod",)"
            R"("source":{"from":"export-job","max_age_ms":129600000,"merge_policy":"default",)"
            R"("statuses":["realized","existing"]},)"
            R"("target":{"dataset":"audiencesync membership: luma-loyalty","dataset_id":null,"layout":"person",)"
            R"("row_rule":"unknown"},"tenant":"_demoemea","uid":"luma-loyalty","version":1})");
}

TEST(ManifestTest, ReadsEveryKey) {
  const auto loaded = load_text(R"(version: 1
name: renamed
uid: luma-loyalty
mode: auto
organization: emea
sandbox: stage
tenant: _demoemea
identity:
  field: _demoemea.identification.core.crmId
  namespace: CRMID
  normalize: sha256_lower
schedule: { cron: "*/15 6-20 * * mon-fri", timezone: Europe/Berlin }
audiences:
  - id: A1
    namespace: aam
source:
  from: export-job
  merge_policy: Web only
  statuses: [existing]
  max_age: 90m
target:
  layout: person
  dataset: Loyalty audiences
  dataset_id: 64f0c1d2e3a4b5c6d7e8f901
  row_rule: replace
  upload: parquet
  accept_one_row_per_person: true
engine: local
guard:
  max_removals: [5%, 5000]
  max_audience_shrink: 400
  max_audience_growth: 12.5%
  min_people: 0
  allow_empty_audience: true
  max_bad_rows: 3
)");
  ASSERT_THAT(texts(loaded.problems), IsEmpty());
  const auto& manifest = *loaded.value;
  EXPECT_EQ(manifest.name, "renamed");
  EXPECT_EQ(manifest.uid, "luma-loyalty");
  EXPECT_EQ(manifest.organization, "emea");
  EXPECT_EQ(manifest.sandbox, "stage");
  EXPECT_EQ(manifest.identity, (Identity{"_demoemea.identification.core.crmId", "CRMID", Normalize::Sha256Lower}));
  EXPECT_EQ(manifest.schedule, (CronSchedule{"*/15 6-20 * * mon-fri", "Europe/Berlin"}));
  EXPECT_THAT(manifest.audiences, ElementsAre(AudienceEntry{"A1", std::nullopt, "aam", Place{"m.yaml", 14, 5}}));
  EXPECT_EQ(manifest.source, (Source{SourceFrom::ExportJob, "", "Web only", {Status::Existing}, 90min}));
  Target target{Layout::Person, "Loyalty audiences", "64f0c1d2e3a4b5c6d7e8f901", RowRule::Replace};
  target.upload = UploadFiles::Parquet;
  target.accept_one_row_per_person = true;
  EXPECT_EQ(manifest.target, target);
  EXPECT_EQ(manifest.guard.max_removals, (Limit{0.05, 5000}));
  EXPECT_EQ(manifest.guard.max_removals.text(), "5%, 5000");
  EXPECT_EQ(manifest.guard.max_audience_shrink, (Limit{std::nullopt, 400}));
  EXPECT_EQ(manifest.guard.max_audience_growth, (Limit{0.125, std::nullopt}));
  EXPECT_EQ(manifest.guard.min_people, 0u);
  EXPECT_TRUE(manifest.guard.allow_empty_audience);
  EXPECT_EQ(manifest.guard.max_bad_rows, (Limit{std::nullopt, 3}));
}

TEST(ManifestTest, EveryLayoutIsAnotherDefinition) {
  std::set<std::string> forms;
  for (const auto* layout : {"person", "membership", "delimited"}) {
    const auto loaded = load_text(minimal_plus(fmt::format("target: {{ layout: {} }}\n", layout)));
    ASSERT_THAT(texts(loaded.problems), IsEmpty());
    EXPECT_EQ(to_string(loaded.value->target.layout), std::string(layout));
    forms.insert(to_json(loaded.value->canonical()));
  }
  EXPECT_EQ(forms.size(), 3U);
}

TEST(ManifestTest, EnteredIsReadAsRealizedWithAWarning) {
  const auto loaded = load_text(minimal_plus("source: { statuses: [existing, entered, realized] }\n"));
  ASSERT_TRUE(loaded.ok());
  EXPECT_THAT(loaded.value->source.statuses, ElementsAre(Status::Realized, Status::Existing));
  EXPECT_THAT(texts(loaded.warnings),
              ElementsAre("m.yaml:9:32: source.statuses 'entered' is not a status of the platform and is read as "
                          "realized; write realized"));
}

TEST(ManifestTest, WindowsTakeTheTimeZoneOfTheSchedule) {
  const auto loaded = load_text(minimal_with("schedule: \"0 4 * * *\"\n", R"(schedule:
  cron: "@hourly"
  timezone: Europe/Berlin
  jitter: 90s
  window:
    allow: [{ cron: "0 20 * * mon-fri", duration: 10h }]
    deny:
      - { cron: "0 0 1 * *", duration: 1d, timezone: UTC }
      - { cron: "@yearly", duration: 36h }
)"));
  ASSERT_THAT(texts(loaded.problems), IsEmpty());
  EXPECT_EQ(loaded.value->schedule, (CronSchedule{"@hourly",
                                                  "Europe/Berlin",
                                                  90s,
                                                  {{"0 20 * * mon-fri", 10h, "Europe/Berlin"}},
                                                  {{"0 0 1 * *", 24h, "UTC"}, {"@yearly", 36h, "Europe/Berlin"}}}));
}

TEST(ManifestTest, AScheduleIsOptional) {
  const auto loaded = load_text(minimal_with("schedule: \"0 4 * * *\"\n", ""));
  ASSERT_TRUE(loaded.ok());
  EXPECT_FALSE(loaded.value->schedule.has_value());
}

TEST(ManifestTest, CanonicalFormIgnoresOrderScheduleAndFileName) {
  const auto digest = [](const std::string& file, const std::string& text) {
    const MemoryFiles files{{file, text}};
    const auto loaded = load_manifest(files, file, {});
    return loaded.ok() ? digest_of(loaded.value->canonical()) : "refused: " + texts(loaded.problems).front();
  };
  const auto usual = digest("m.yaml", std::string(kMinimal));
  EXPECT_EQ(digest("other.yaml", std::string(kMinimal)), usual);
  EXPECT_EQ(digest("m.yaml", minimal_with("\"0 4 * * *\"", "\"0 5 * * *\"")), usual);
  EXPECT_EQ(digest("m.yaml", minimal_with("\"0 4 * * *\"",
                                          "{ cron: \"0 4 * * *\", jitter: 0s, window: { deny: [{ cron: \"@daily\", "
                                          "duration: 1h }] } }")),
            usual);
  EXPECT_EQ(digest("m.yaml", R"(audiences:
  - name: Luma - Platinum
  - name: Luma - Blue+ Members
    id: 9e3779b1-1111-4222-8333-00004189374b
identity: { namespace: Email, field: _demoemea.identification.core.email }
tenant: _demoemea
name: luma-loyalty
version: 1
)"),
            usual);
  EXPECT_NE(digest("m.yaml", minimal_plus("guard: { max_removals: 11% }\n")), usual);
  EXPECT_NE(digest("m.yaml", minimal_plus("  - id: A1\n")), usual);
  EXPECT_NE(digest("m.yaml", minimal_plus("uid: other\n")), usual);
}

/// Writes every default of the table out, section by section, as a person would.
std::string written_defaults(const FieldTable& table, const std::string& indentation, int& written) {
  std::string out;
  for (const auto& field : table) {
    if (field.availability == Availability::Later) continue;
    const bool bare = std::none_of(field.fields.begin(), field.fields.end(),
                                   [](const Field& nested) { return nested.presence == Presence::Required; });
    if (field.type == FieldType::Map && field.presence == Presence::Optional && bare) {
      out +=
          indentation + std::string(field.name) + ":\n" + written_defaults(field.fields, indentation + "  ", written);
    } else if (!field.fallback.empty()) {
      out += indentation + std::string(field.name) + ": " + std::string(field.fallback) + "\n";
      ++written;
    }
  }
  return out;
}

TEST(ManifestTest, EveryDefaultOfTheTableIsTheDefaultOfTheStruct) {
  int written = 0;
  const auto text = minimal_plus(written_defaults(manifest_fields(), "", written));
  const auto loaded = load_text(text);
  ASSERT_THAT(texts(loaded.problems), IsEmpty()) << text;
  EXPECT_EQ(to_json(loaded.value->canonical()), to_json(load_text(std::string(kMinimal)).value->canonical())) << text;
  EXPECT_EQ(written, 25) << text;  // a default that is no longer written is no longer tested
  // Defaults inside the two sections that cannot be left out.
  const auto spelled = load_text(minimal_with("namespace: Email }", "namespace: Email, normalize: none }"));
  EXPECT_EQ(spelled.value->identity, load_text(std::string(kMinimal)).value->identity);
}

TEST(ManifestTest, EveryWordOfTheTableIsUnderstood) {
  for (const auto* word : {"none", "trim", "lower", "sha256_lower"}) {
    const auto loaded =
        load_text(minimal_with("namespace: Email }", "namespace: Email, normalize: " + std::string(word) + " }"));
    ASSERT_TRUE(loaded.ok()) << word;
    EXPECT_STREQ(to_string(loaded.value->identity.normalize), word);
  }
  for (const auto* word : {"unknown", "replace"}) {
    const auto loaded = load_text(minimal_plus("target: { row_rule: " + std::string(word) + " }\n"));
    ASSERT_TRUE(loaded.ok()) << word;
    EXPECT_STREQ(to_string(loaded.value->target.row_rule), word);
  }
}

TEST(ManifestTest, SchemaDescribesWhatIsPossibleNow) {
  const auto schema = manifest_json_schema();
  EXPECT_EQ(schema.text("$schema"), "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(to_json(*schema.find("required")), R"(["version","name","tenant","identity","audiences"])");
  EXPECT_FALSE(schema.flag("additionalProperties", true));
  EXPECT_EQ(schema.find_path({"properties", "publish"}), nullptr);
  EXPECT_EQ(to_json(*schema.find_path({"properties", "mode"})),
            R"({"default":"auto","description":"What waits for an approval when nobody is asked: in auto the first )"
            R"(plan and changed definitions, in plan-only every plan.","enum":["auto","plan-only"]})");
  EXPECT_EQ(to_json(*schema.find_path({"properties", "source", "properties", "statuses", "default"})),
            R"(["realized","existing"])");
  // The windows are below the second of two ways to write a schedule.
  const auto& schedule = schema.find_path({"properties", "schedule", "anyOf"})->array_if()->at(1);
  const auto* deny = schedule.find_path({"properties", "window", "properties", "deny"});
  ASSERT_NE(deny, nullptr);
  EXPECT_EQ(to_json(*deny->find("default")), "[]");
  EXPECT_EQ(deny->find("minItems"), nullptr);
  EXPECT_EQ(to_json(*deny->find_path({"items", "required"})), R"(["cron","duration"])");
  EXPECT_EQ(schedule.find_path({"properties", "jitter"})->text("default"), "5m");
  EXPECT_EQ(to_json(*schema.find_path({"properties", "audiences", "items", "anyOf"})),
            R"([{"required":["id"]},{"required":["name"]}])");
  EXPECT_EQ(to_json(*schema.find_path({"properties", "guard", "properties", "min_people", "default"})), "100");
}

TEST(ManifestTest, EveryKeyHasHelp) {
  const auto check = [](const auto& self, const FieldTable& table) -> void {
    for (const auto& field : table) {
      if (field.availability == Availability::Later) continue;
      EXPECT_FALSE(field.help.empty()) << field.name;
      // Messages end with an example.
      EXPECT_FALSE(field.example.empty() && field.fallback.empty()) << field.name;
      self(self, field.fields);
    }
  };
  check(check, manifest_fields());
  check(check, settings_fields());
}

}  // namespace
}  // namespace audiencesync
