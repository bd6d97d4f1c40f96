#include <gtest/gtest.h>

#include <cstdlib>

#include "daemon/completion_script.h"
#include "tests/docs/man_pages.h"
#include "tests/support/process.h"

namespace audiencesync::docs {
namespace {

/// A file that packages install and that is made of the tables of the program.
struct ShippedFile {
  const char* name;
  const char* file;
  std::string (*made)();
};

class ShippedFileTest : public ::testing::TestWithParam<ShippedFile> {};

// With AUDIENCESYNC_WRITE_DOCS set the file is mended instead.
TEST_P(ShippedFileTest, IsWhatTheTablesSay) {
  const auto path = std::filesystem::path(AUDIENCESYNC_SOURCE_DIR) / GetParam().file;
  const auto made = GetParam().made();
  ASSERT_FALSE(made.empty());
  const auto shown = testing::read_file(path);
  if (std::getenv("AUDIENCESYNC_WRITE_DOCS") != nullptr && shown != made) {
    testing::write_file(path, made);
    return;
  }
  EXPECT_EQ(shown, made) << "run: AUDIENCESYNC_WRITE_DOCS=1 docs_test";
}

INSTANTIATE_TEST_SUITE_P(
    Docs, ShippedFileTest,
    ::testing::Values(ShippedFile{"man_program", "docs/man/audiencesync.1", man_of_program},
                      ShippedFile{"man_settings", "docs/man/audiencesync.yaml.5", man_of_settings},
                      ShippedFile{"man_manifest", "docs/man/audiencesync-manifest.5", man_of_manifest},
                      ShippedFile{"man_emulator", "docs/man/audiencesync-emulator.1", man_of_emulator},
                      ShippedFile{"bash", "etc/completions/audiencesync.bash", bash_completion},
                      ShippedFile{"zsh", "etc/completions/_audiencesync", zsh_completion},
                      ShippedFile{"fish", "etc/completions/audiencesync.fish", fish_completion}),
    [](const auto& each) { return std::string(each.param.name); });

// The pages must be roff that man-db and groff read without a complaint; what they say is compared above.
TEST(ManPages, NoLineIsARequestByAccident) {
  for (const auto& page : {man_of_program(), man_of_settings(), man_of_manifest(), man_of_emulator()}) {
    std::size_t at = 0;
    while (at < page.size()) {
      const auto end = page.find('\n', at);
      const auto line = page.substr(at, end - at);
      const auto request = line.substr(0, line.find(' '));
      const bool known = request == ".TH" || request == ".SH" || request == ".SS" || request == ".TP" ||
                         request == ".PP" || request == ".RS" || request == ".RE" || request == ".nf" ||
                         request == ".fi" || request == ".\\\"";
      EXPECT_TRUE(!line.starts_with('.') || known) << line;
      EXPECT_FALSE(line.starts_with('\'')) << line;
      at = end + 1;
    }
  }
}

}  // namespace
}  // namespace audiencesync::docs
