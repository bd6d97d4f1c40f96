#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/layering/rules.h"

namespace audiencesync::layering {
namespace {

std::vector<SourceFile> source_tree(const std::filesystem::path& root) {
  std::vector<SourceFile> files;
  for (const auto* top : {"daemon", "engine", "plugins", "emulator", "tests", "bench"}) {
    if (!std::filesystem::exists(root / top)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / top)) {
      const auto kind = entry.path().extension();
      if (!entry.is_regular_file() || (kind != ".h" && kind != ".cpp" && kind != ".hpp" && kind != ".cc")) continue;
      std::ifstream stream(entry.path(), std::ios::binary);
      files.push_back({entry.path().lexically_relative(root).generic_string(),
                       std::string(std::istreambuf_iterator<char>(stream), {})});
    }
  }
  std::sort(files.begin(), files.end(), [](const auto& left, const auto& right) { return left.path < right.path; });
  return files;
}

TEST(Layering, NoFileOfTheTreeBreaksARule) {
  const auto files = source_tree(AUDIENCESYNC_SOURCE_DIR);
  ASSERT_GT(files.size(), 40U) << "the tree was not found at " << AUDIENCESYNC_SOURCE_DIR;
  for (const auto& file : files) {
    for (const auto& violation : check(file)) ADD_FAILURE() << violation.text();
  }
}

struct MadeUp {
  const char* name;
  const char* path;
  const char* text;
  const char* expected;  // the only violation, "" for none
};

class LayeringRule : public testing::TestWithParam<MadeUp> {};

TEST_P(LayeringRule, IsEnforced) {
  const auto found = check({GetParam().path, GetParam().text});
  const std::string expected = GetParam().expected;
  ASSERT_EQ(found.size(), expected.empty() ? 0U : 1U) << (found.empty() ? "" : found.front().text());
  const auto said = found.empty() ? std::string() : found.front().text();
  EXPECT_EQ(said, expected);
}

INSTANTIATE_TEST_SUITE_P(
    Rules, LayeringRule,
    testing::Values(
        MadeUp{"base_below_model", "engine/base/x.cpp", "\n#include \"engine/model/change.h\"\n",
               "engine/base/x.cpp:2: engine/base may not include engine/model"},
        MadeUp{"model_may_use_base", "engine/model/x.h", "#include \"engine/base/value.h\"", ""},
        MadeUp{"ports_are_siblings", "engine/http/x.h", "#include \"engine/store/store.h\"",
               "engine/http/x.h:1: engine/http may not include engine/store"},
        MadeUp{"port_does_not_know_its_adapter", "engine/store/x.cpp", "#include \"engine/store/sqlite/s.h\"",
               "engine/store/x.cpp:1: engine/store may not include engine/store/sqlite"},
        MadeUp{"adapter_knows_its_port", "engine/store/sqlite/x.cpp", "#include \"engine/store/store.h\"", ""},
        MadeUp{"adapter_knows_no_other_port", "engine/store/sqlite/x.cpp", "#include \"engine/http/client.h\"",
               "engine/store/sqlite/x.cpp:1: engine/store/sqlite may not include engine/http"},
        MadeUp{"plugin_interface_knows_no_adapter", "engine/plugin/x.h", "#include \"engine/http/curl/curl.h\"",
               "engine/plugin/x.h:1: engine/plugin may not include engine/http/curl"},
        MadeUp{"plugin_interface_knows_ports", "engine/plugin/x.h", "#include \"engine/http/client.h\"", ""},
        MadeUp{"stages_are_strangers", "plugins/export/x.cpp", "#include \"plugins/dataset/stage.h\"",
               "plugins/export/x.cpp:1: plugins/export may not include plugins/dataset"},
        MadeUp{"stages_share_clients", "plugins/export/x.cpp", "#include \"plugins/platform/catalog.h\"", ""},
        MadeUp{"clients_know_no_stage", "plugins/platform/x.cpp", "#include \"plugins/export/stage.h\"",
               "plugins/platform/x.cpp:1: plugins/platform may not include plugins/export"},
        MadeUp{"stage_does_not_know_the_loop", "plugins/export/x.cpp", "#include \"engine/reconcile/reconcile.h\"",
               "plugins/export/x.cpp:1: plugins/export may not include engine/reconcile"},
        MadeUp{"loop_does_not_know_stages", "engine/reconcile/x.cpp", "#include \"plugins/export/stage.h\"",
               "engine/reconcile/x.cpp:1: engine/reconcile may not include plugins/export"},
        MadeUp{"daemon_composes_all", "daemon/cli/x.cpp",
               "#include \"engine/http/curl/curl.h\"\n#include \"plugins/export/s.h\"", ""},
        MadeUp{"nobody_knows_the_daemon", "engine/reconcile/x.cpp", "#include \"daemon/app.h\"",
               "engine/reconcile/x.cpp:1: engine/reconcile may not include daemon"},
        MadeUp{"emulator_stands_alone", "emulator/x.cpp", "#include \"engine/base/value.h\"",
               "emulator/x.cpp:1: emulator may not include engine/base"},
        MadeUp{"emulator_is_one_component", "emulator/http/x.cpp", "#include \"emulator/state/clock.h\"", ""},
        MadeUp{"nobody_knows_the_emulator", "daemon/x.cpp", "#include \"emulator/platform.h\"",
               "daemon/x.cpp:1: daemon may not include emulator"},
        MadeUp{"nobody_knows_tests", "engine/base/x.cpp", "#include \"tests/support/x.h\"",
               "engine/base/x.cpp:1: engine/base may not include tests"},
        MadeUp{"paths_start_at_the_root", "engine/base/x.cpp", "#include \"value.h\"",
               "engine/base/x.cpp:1: 'value.h' is written from no known folder of the tree"},
        MadeUp{"new_folders_need_a_rule", "engine/wizard/x.cpp", "",
               "engine/wizard/x.cpp:1: no rule knows this folder; add it to the table of layers"},
        MadeUp{"curl_has_a_place", "engine/http/x.cpp", "#include <curl/curl.h>",
               "engine/http/x.cpp:1: <curl/curl.h> belongs to engine/http/curl, tests/support"},
        MadeUp{"curl_at_its_place", "engine/http/curl/x.cpp", "#include <curl/curl.h>", ""},
        MadeUp{"sqlite_not_in_its_port", "engine/store/x.cpp", "  #  include   <sqlite3.h>",
               "engine/store/x.cpp:1: <sqlite3.h> belongs to engine/store/sqlite"},
        MadeUp{"options_only_in_mains", "emulator/http/x.cpp", "#include <boost/program_options.hpp>",
               "emulator/http/x.cpp:1: <boost/program_options.hpp> belongs to daemon, emulator/main.cpp"},
        MadeUp{"options_in_main", "emulator/main.cpp", "#include <boost/program_options.hpp>", ""},
        MadeUp{"boost_serves_the_emulator", "daemon/x.cpp", "#include <boost/beast/http/read.hpp>",
               "daemon/x.cpp:1: <boost/beast/http/read.hpp> belongs to emulator"},
        MadeUp{"tests_may_name_a_neighbour", "tests/http/x_test.cpp", "#include \"world.h\"", ""},
        MadeUp{"yaml_not_in_headers", "engine/manifest/x.h", "#include <yaml-cpp/yaml.h>",
               "engine/manifest/x.h:1: <yaml-cpp/> stays inside the .cpp files of engine/manifest"},
        MadeUp{"nlohmann_not_in_the_client", "plugins/export/x.cpp", "#include <nlohmann/json.hpp>",
               "plugins/export/x.cpp:1: <nlohmann/json.hpp> belongs to emulator, tests"},
        MadeUp{"ports_are_plain", "engine/membership/x.h", "#include <fmt/format.h>",
               "engine/membership/x.h:1: the port engine/membership may not include <fmt/format.h>"},
        MadeUp{"ports_may_use_the_standard", "engine/membership/x.h", "#include <string>\n#include <cstdint>", ""},
        MadeUp{"comments_are_no_includes", "engine/base/x.cpp", "// #include <curl/curl.h>", ""}),
    [](const auto& test) { return test.param.name; });

TEST(Layering, AFileHasAtMostSixHundredLines) {
  std::string text;
  for (int line = 0; line < 600; ++line) text += "\n";
  EXPECT_TRUE(check({"engine/base/x.cpp", text}).empty());
  ASSERT_EQ(check({"engine/base/x.cpp", text + "\n"}).size(), 1U);
}

TEST(Layering, TheLongestKnownFolderNamesTheComponent) {
  EXPECT_EQ(component_of("engine/http/curl/curl_transport.h"), "engine/http/curl");
  EXPECT_EQ(component_of("engine/http/client.h"), "engine/http");
  EXPECT_EQ(component_of("plugins/data-view/sub/x.h"), "plugins/data-view");
  EXPECT_EQ(component_of("tests/store/x.cpp"), "tests");
  EXPECT_EQ(component_of("plugins/x.h"), "");
  EXPECT_EQ(component_of("value.h"), "");
}

}  // namespace
}  // namespace audiencesync::layering
