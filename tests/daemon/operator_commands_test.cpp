// The commands that read the state folder, through the whole program, on a state that a store made.
#include <gmock/gmock.h>

#include <sstream>

#include "daemon/program.h"
#include "engine/base/json.h"
#include "engine/http/curl/curl_transport.h"
#include "engine/report/memory_events.h"
#include "engine/store/sqlite/sqlite_store.h"
#include "tests/support/process.h"

namespace audiencesync {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const Time kStarted = *parse_time("2026-01-02T04:00:00Z");

struct Answer {
  ExitCode code;
  std::string out;
  std::string err;
};

class OperatorCommands : public ::testing::Test {
 protected:
  OperatorCommands() {
    testing::write_file(folder_.path() / "settings.yaml",
                        "version: 1\nstate: " + state().string() +
                            "\norganizations:\n  default: { organization_id: X@AdobeOrg, credential: adobe }\n");
  }

  std::filesystem::path state() const { return folder_.path() / "state"; }

  // A run of the sync "luma-loyalty" (uid luma) that converged.
  void ran() {
    const auto store = open_sqlite_store(state() / "state.db", OpenMode::ReadWrite);
    ASSERT_TRUE(store.ok()) << store.error().text();
    const Value manifest = *parse_json(R"({"name":"luma-loyalty","uid":"luma","organization":"default",
      "sandbox":"prod","identity":{"field":"_t.email","namespace":"Email","normalize":"lower"},
      "source":{"statuses":["realized"]},"audiences":[{"id":"A1","name":"Gold","namespace":"ups"}]})");
    const auto run = (*store)->begin_run("luma", "definition-1", manifest, kStarted);
    ASSERT_TRUE(run.ok());
    const Value summary = Value::Object{{"applied", 2}, {"source", "E1"}, {"entered", 7}};
    ASSERT_TRUE((*store)->end_run(run->id, "converged", summary, kStarted + std::chrono::minutes(2)).ok());
  }

  Answer tell(std::vector<std::string> words, const std::string& input = {}) {
    words.insert(words.end(), {"--config", (folder_.path() / "settings.yaml").string()});
    const Environment empty = [](std::string_view) { return std::nullopt; };
    const Adapters adapters{files_, clock_, transport_, events_, empty, open_sqlite_store, {}, {}};
    std::ostringstream out;
    std::ostringstream err;
    std::istringstream in(input);
    const Console console{out, err, {}, {}, &in};
    const auto code = run_program(words, adapters, console, {});
    return {code, out.str(), err.str()};
  }

  testing::TemporaryFolder folder_;
  PosixFiles files_;
  SystemClock clock_;
  http::CurlTransport transport_;
  MemoryEvents events_;
};

TEST_F(OperatorCommands, NothingRanYetIsNoError) {
  for (const char* command : {"status", "history"}) {
    const auto answer = tell({command});
    EXPECT_EQ(answer.code, ExitCode::Converged) << answer.err;
    EXPECT_EQ(answer.out, "no sync ran yet\n");
    EXPECT_EQ(parse_json(tell({command, "--format", "json"}).out)->items("syncs").size(), 0U);
  }
}

TEST_F(OperatorCommands, ASyncIsKnownByItsNameAndByItsUid) {
  ran();
  for (const char* word : {"luma", "luma-loyalty"}) {
    EXPECT_THAT(tell({"status", word}).out, HasSubstr("luma-loyalty (uid luma): in sync\n"));
    EXPECT_THAT(tell({"history", word}).out, HasSubstr("2026-01-02T04:02:00Z converged"));
  }
  const auto unknown = tell({"history", "nike"});
  EXPECT_EQ(unknown.code, ExitCode::Failed);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("sync 'nike' never ran"), HasSubstr("known: luma-loyalty")));
}

TEST_F(OperatorCommands, HistoryShowsAsManyRunsAsAskedFor) {
  for (int run = 0; run < 3; ++run) ran();
  EXPECT_EQ(parse_json(tell({"history", "--format", "json"}).out)->items("syncs")[0].items("runs").size(), 3U);
  const auto two = parse_json(tell({"history", "--format", "json", "--limit", "2"}).out);
  ASSERT_EQ(two->items("syncs")[0].items("runs").size(), 2U);
  EXPECT_EQ(two->items("syncs")[0].items("runs")[0].number("id"), 3);
}

TEST_F(OperatorCommands, ExplainTellsWhatIsKnownWithoutThePlatform) {
  ran();
  const auto answer = tell({"explain", "luma", "-"}, "Ada.Lovelace@example.com\r\n");
  EXPECT_EQ(answer.code, ExitCode::Converged) << answer.err;
  EXPECT_THAT(answer.out, AllOf(HasSubstr("luma-loyalty: A***@e***.com\n"), HasSubstr("identity.normalize: lower"),
                                HasSubstr("  export     not looked at: "), HasSubstr("nothing is proven yet"),
                                HasSubstr("  Gold: not in it\n")));
  EXPECT_THAT(answer.out + answer.err, AllOf(Not(HasSubstr("ovelace")), Not(HasSubstr("example"))));
}

TEST_F(OperatorCommands, ExplainNeedsSomebodyToExplain) {
  ran();
  EXPECT_THAT(tell({"explain", "luma", "-"}).err, HasSubstr("there is no line on stdin"));
  EXPECT_THAT(tell({"explain", "luma", "-"}, "\n").err, HasSubstr("the person's id is empty"));
  const auto asked = tell({"explain", "luma"}, "ada@example.com\n");
  EXPECT_EQ(asked.code, ExitCode::Usage);
  EXPECT_THAT(asked.err, HasSubstr("no terminal to ask"));
}

}  // namespace
}  // namespace audiencesync
