#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/json.h"
#include "engine/manifest/field_table.h"
#include "engine/manifest/manifest_fields.h"
#include "engine/manifest/settings.h"
#include "tests/manifest/manifest_world.h"

namespace audiencesync {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Path kExamples = Path(AUDIENCESYNC_SOURCE_DIR) / "etc";

/// Keys of the table that the example does not show.
std::vector<std::string> missing_keys(const YamlNode& map, const FieldTable& table) {
  std::vector<std::string> missing;
  for (const auto& field : table) {
    if (field.availability == Availability::Later || field.name == "extends") continue;
    const auto* entry = map.find(field.name);
    if (entry == nullptr) {
      missing.emplace_back(field.name);
      continue;
    }
    const YamlNode* nested = &entry->value;
    if (nested->kind == YamlNode::Kind::List && nested->items.empty()) continue;  // the default, shown as such
    if (nested->kind == YamlNode::Kind::Null && field.fallback == "null") continue;
    if (field.type == FieldType::MapList) nested = &nested->items.front();
    if (field.type == FieldType::NamedMaps) nested = &nested->entries.front().value;
    for (const auto& key : missing_keys(*nested, field.fields)) missing.push_back(std::string(field.name) + "." + key);
  }
  return missing;
}

YamlNode tree_of(const Path& path) {
  Problems problems;
  const auto text = read_yaml_file(PosixFiles(), path);
  auto tree = parse_yaml(*text, path.string(), problems);
  return std::move(*tree);
}

TEST(ExamplesTest, SettingsShowEveryKeyWithItsDefault) {
  const auto path = kExamples / "audiencesync.yaml";
  const auto loaded = load_settings(PosixFiles(), path);
  ASSERT_THAT(texts(loaded.problems), IsEmpty());
  const auto& settings = *loaded.value;
  EXPECT_EQ(settings.state, Settings{}.state);
  EXPECT_EQ(settings.manifests_folder, Settings{}.manifests_folder);
  EXPECT_EQ(settings.organizations.at("default").endpoints, Endpoints{});
  EXPECT_EQ(settings.organizations.at("default").sandboxes, Organization{}.sandboxes);
  EXPECT_EQ(settings.timing, Timing{});
  EXPECT_EQ(settings.limits, Limits{});
  EXPECT_EQ(settings.retry, CallRetry{});
  EXPECT_EQ(settings.organizations.at("default").ca_file, "");
  EXPECT_EQ(settings.organizations.at("default").query_service, QueryAccess{});
  EXPECT_THAT(settings.variables, IsEmpty());
  EXPECT_THAT(missing_keys(tree_of(path), settings_fields()), IsEmpty());
}

TEST(ExamplesTest, ManifestsAreValidUnderTheExampleSettings) {
  const auto settings = load_settings(PosixFiles(), kExamples / "audiencesync.yaml");
  ASSERT_TRUE(settings.ok());
  const auto rules = manifest_rules(*settings.value, process_environment());
  const auto minimal = load_manifest(PosixFiles(), kExamples / "manifests" / "minimal.yaml", rules);
  ASSERT_THAT(texts(minimal.problems), IsEmpty());
  EXPECT_EQ(to_json(minimal.value->canonical()), to_json(load_text(std::string(kMinimal)).value->canonical()));
  const auto full = load_manifest(PosixFiles(), kExamples / "manifests" / "full.yaml", rules);
  ASSERT_THAT(texts(full.problems), IsEmpty());
  // The one block that has no defaults as a whole.
  auto without_analytics = full.value->canonical();
  EXPECT_EQ(without_analytics.object_if()->erase("analytics"), 1U);
  EXPECT_EQ(to_json(without_analytics), to_json(minimal.value->canonical()));
  EXPECT_EQ(full.value->schedule, minimal.value->schedule);
  // What has a meaning with another source only is shown by the example of that one.
  EXPECT_THAT(missing_keys(tree_of(kExamples / "manifests" / "full.yaml"), manifest_fields()),
              ElementsAre("source.path"));
}

TEST(ExamplesTest, TheLandingZoneNeedsAFolderThatTheSettingsList) {
  const auto path = kExamples / "manifests" / "landing.yaml";
  ManifestRules rules;
  rules.source_folders = {Path("/srv/landing")};
  const auto landing = load_manifest(PosixFiles(), path, rules);
  ASSERT_THAT(texts(landing.problems), IsEmpty());
  EXPECT_EQ(landing.value->source.from, SourceFrom::Files);
  EXPECT_EQ(landing.value->source.path, "/srv/landing/profiles/current/*.parquet");
  rules.source_folders = {Path("/srv/landing-2"), Path("/srv/land")};
  EXPECT_EQ(load_manifest(PosixFiles(), path, rules).problems.size(), 1U);
  rules.source_folders->clear();
  EXPECT_EQ(load_manifest(PosixFiles(), path, rules).problems.size(), 1U);
}

TEST(ExamplesTest, EveryLayoutHasAnExample) {
  const auto settings = load_settings(PosixFiles(), kExamples / "audiencesync.yaml");
  ASSERT_TRUE(settings.ok());
  const auto rules = manifest_rules(*settings.value, process_environment());
  const auto target_of = [&](const char* file) {
    const auto loaded = load_manifest(PosixFiles(), kExamples / "manifests" / file, rules);
    EXPECT_THAT(texts(loaded.problems), IsEmpty());
    return loaded.ok() ? loaded.value->target : Target{};
  };
  EXPECT_EQ(target_of("membership.yaml").layout, Layout::Membership);
  EXPECT_EQ(target_of("delimited.yaml").layout, Layout::Delimited);
  const auto names = target_of("names.yaml");
  EXPECT_EQ(names.layout, Layout::Person);
  EXPECT_TRUE(names.name_lookup);
  EXPECT_EQ(names.upload, UploadFiles::Parquet);
}

TEST(ExamplesTest, TheEngineOnThePlatformHasAnExample) {
  const auto loaded = load_manifest(PosixFiles(), kExamples / "manifests" / "query-service.yaml", {});
  ASSERT_THAT(texts(loaded.problems), IsEmpty());
  EXPECT_EQ(loaded.value->engine, Engine::QueryService);
  EXPECT_NE(loaded.value->canonical().find("engine"), nullptr);
}

/// The defaults of the settings table, as a file that spells them out.
std::string settings_defaults(const FieldTable& table, const std::string& indentation, int& written) {
  std::string out;
  for (const auto& field : table) {
    if (field.availability == Availability::Later || field.type == FieldType::NamedMaps) continue;
    if (field.type == FieldType::Map && field.fallback.empty()) {
      out +=
          indentation + std::string(field.name) + ":\n" + settings_defaults(field.fields, indentation + "  ", written);
    } else if (!field.fallback.empty()) {
      out += indentation + std::string(field.name) + ": " + std::string(field.fallback) + "\n";
      ++written;
    }
  }
  return out;
}

TEST(ExamplesTest, EveryDefaultOfTheSettingsTableIsTheDefaultOfTheStruct) {
  int written = 0;
  std::string text = "version: 1\n" + settings_defaults(settings_fields(), "", written) +
                     "organizations:\n  default:\n    organization_id: A@AdobeOrg\n    credential: a\n";
  for (const auto& field : settings_fields()) {
    if (field.name == "organizations") text += settings_defaults(field.fields, "    ", written);
  }
  EXPECT_EQ(written, 38) << text;
  const MemoryFiles files{{"s.yaml", text}};
  const auto loaded = load_settings(files, "s.yaml");
  ASSERT_THAT(texts(loaded.problems), IsEmpty()) << text;
  EXPECT_EQ(loaded.value->timing, Timing{});
  EXPECT_EQ(loaded.value->limits, Limits{});
  EXPECT_EQ(loaded.value->state, Settings{}.state);
  EXPECT_EQ(loaded.value->manifests_folder, Settings{}.manifests_folder);
  EXPECT_EQ(loaded.value->organizations.at("default").endpoints, Endpoints{});
  EXPECT_EQ(loaded.value->organizations.at("default").sandboxes, Organization{}.sandboxes);
  EXPECT_EQ(loaded.value->organizations.at("default").query_service, QueryAccess{});
}

}  // namespace
}  // namespace audiencesync
