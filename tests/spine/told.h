#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/world.h"

namespace audiencesync::testing {

/// All that a run said, with line breaks and indentation as single blanks: plans are wrapped at 80 columns.
inline std::string told(const ProcessResult& result) {
  std::string text;
  for (const char character : result.out + "\n" + result.err) {
    const bool blank = character == ' ' || character == '\n';
    if (!blank) {
      text += character;
    } else if (!text.empty() && text.back() != ' ') {
      text += ' ';
    }
  }
  return text;
}

/// Expects an exit code and every one of the texts in what was said.
inline void expect_told(const ProcessResult& result, int code, const std::vector<std::string>& texts) {
  EXPECT_EQ(result.code, code) << result.out << result.err;
  const auto said = told(result);
  for (const auto& text : texts)
    EXPECT_NE(said.find(text), std::string::npos) << "missing: " << text << "\nin: " << said;
}

/// Calls that changed something: reading calls that are sent as POST do not count.
inline std::vector<std::string> changes_made(Emulator& emulator) { return emulator.writes(); }

/// Changes outside of our staging dataset: what a refusal after the export must not have done. Taking back an older
/// export belongs to the refresh, too.
inline std::vector<std::string> changes_beyond_refresh(Emulator& emulator) {
  auto writes = changes_made(emulator);
  std::vector<std::string> refresh{"POST /data/core/ups/export/jobs"};
  for (const auto& staging : emulator.datasets_tagged("role:export")) {
    for (const auto& [batch, about] : emulator.batches(staging)) {
      refresh.push_back("POST /data/foundation/import/batches/" + batch);
    }
  }
  std::erase_if(writes,
                [&](const auto& call) { return std::find(refresh.begin(), refresh.end(), call) != refresh.end(); });
  return writes;
}

inline void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// Cases that write before or while they go wrong; each has a world of its own.
struct OwnWorld {
  World world{Emulator::Options{.profiles = 150, .audiences = 3}};
  Emulator& emulator = world.emulator();

  void audience(const std::string& id, const std::string& action) {
    emulator.control("POST", "/_emulator/audiences", fmt::format(R"({{"do":"{}","id":"{}"}})", action, id));
  }
};

}  // namespace audiencesync::testing
