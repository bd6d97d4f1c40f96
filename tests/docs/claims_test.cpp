#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "tests/docs/document.h"
#include "tests/support/process.h"

namespace audiencesync::docs {
namespace {

const std::filesystem::path kClaimsRoot = AUDIENCESYNC_SOURCE_DIR;

std::vector<std::string> all_of(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) found.push_back((*at)[1]);
  return found;
}

/// Codes of the findings that stages and the engine make.
std::set<std::string> findings_in_code() {
  static const std::vector<std::string> kPatterns{R"rx(Severity::\w+,\s*"([a-z-]+[a-z])")rx",
                                                  R"rx(\bprecondition\(\s*"([a-z-]+)")rx",
                                                  R"rx(\bnote\("([a-z-]+)")rx"};
  std::set<std::string> codes;
  for (const auto* folder : {"plugins", "engine/reconcile"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(kClaimsRoot / folder)) {
      if (entry.path().extension() != ".cpp") continue;
      const auto text = testing::read_file(entry.path());
      for (const auto& pattern : kPatterns) {
        for (const auto& code : all_of(text, pattern)) codes.insert(code);
      }
    }
  }
  // Made of a word and a state of a held plan.
  codes.insert({"held-plan-lapsed", "held-plan-stale"});
  return codes;
}

TEST(ClaimsInDocs, EveryFindingIsListedWithWhatToDo) {
  std::set<std::string> listed;
  std::istringstream lines(document("docs/findings.md").text);
  for (std::string line; std::getline(lines, line);) {
    const auto codes = all_of(line, R"(^\| `([a-z-]+)` \| \w+ \| .+ \| .+ \|$)");
    listed.insert(codes.begin(), codes.end());
  }
  const auto made = findings_in_code();
  for (const auto& code : made) EXPECT_TRUE(listed.contains(code)) << "docs/findings.md lacks " << code;
  for (const auto& code : listed)
    EXPECT_TRUE(made.contains(code)) << "docs/findings.md lists " << code << ", which nothing makes";
}

TEST(ClaimsInDocs, EveryFindingThatIsNamedExists) {
  const auto known = findings_in_code();
  int seen = 0;
  for (const auto& manual : manuals()) {
    for (const auto& code : all_of(manual.text, R"(finding\s+`([a-z-]+)`)")) {
      EXPECT_TRUE(known.contains(code)) << manual.name << " names the finding " << code;
      ++seen;
    }
  }
  EXPECT_GE(seen, 20);
}

TEST(ClaimsInDocs, EveryPromiseNamesTestsThatAreThere) {
  std::istringstream lines(document("README.md").text);
  int promises = 0;
  for (std::string line; std::getline(lines, line);) {
    if (all_of(line, R"(^\| (P\d) \|)").empty()) continue;
    ++promises;
    std::string source;
    int tests = 0;
    for (const auto& code : all_of(line.substr(line.rfind(" | ")), "`([^`]+)`")) {
      if (code.starts_with("tests/")) {
        source = testing::read_file(kClaimsRoot / code);
        continue;
      }
      EXPECT_NE(source.find(", " + code + ")"), std::string::npos) << line << "\nhas no test " << code;
      ++tests;
    }
    EXPECT_GT(tests, 0) << line;
  }
  EXPECT_EQ(promises, 9);
}

}  // namespace
}  // namespace audiencesync::docs
