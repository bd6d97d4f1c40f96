#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "daemon/commands.h"
#include "engine/base/json.h"
#include "tests/support/process.h"

namespace audiencesync {
namespace {

const std::filesystem::path kRoot = AUDIENCESYNC_SOURCE_DIR;

std::string printed(const std::string& word) {
  Options options;
  options.command = Command::Schema;
  options.arguments = {word};
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(schema_command(options, Console{out, err, {}}), ExitCode::Converged);
  EXPECT_EQ(err.str(), "");
  return out.str();
}

class ShippedSchema : public ::testing::TestWithParam<const char*> {};

// With AUDIENCESYNC_WRITE_SCHEMAS set the file is mended instead.
TEST_P(ShippedSchema, IsWhatTheProgramPrints) {
  const auto file = kRoot / "etc" / "schemas" / (std::string(GetParam()) + ".schema.json");
  const auto now = printed(GetParam());
  if (std::getenv("AUDIENCESYNC_WRITE_SCHEMAS") != nullptr) testing::write_file(file, now);
  ASSERT_TRUE(std::filesystem::exists(file)) << file;
  EXPECT_EQ(testing::read_file(file), now) << "run: AUDIENCESYNC_WRITE_SCHEMAS=1 daemon_test";
}

TEST_P(ShippedSchema, IsASchemaWithATitle) {
  const auto schema = parse_json(printed(GetParam()));
  ASSERT_TRUE(schema.ok());
  EXPECT_EQ(schema->text("$schema"), "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema->text("title"), std::string("audiencesync ") + GetParam());
  EXPECT_EQ(schema->text("type"), "object");
}

INSTANTIATE_TEST_SUITE_P(Table, ShippedSchema, ::testing::Values("manifest", "settings", "plan"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace audiencesync
