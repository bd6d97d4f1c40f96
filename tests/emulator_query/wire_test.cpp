#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <thread>

#include "emulator/emulator.h"

namespace emulator {
namespace {

struct Closing {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using Session = std::unique_ptr<PGconn, Closing>;
using Answer = std::unique_ptr<PGresult, Closing>;

/// A whole emulator in this process, and libpq as its client.
class QueryWire : public testing::Test {
 protected:
  QueryWire() {
    std::string name = (std::filesystem::temp_directory_path() / "emulator-query-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    EmulatorOptions options;
    options.data = folder_ / "data";
    options.pg_listen = ServerOptions{};
    options.profiles = 20;
    options.audiences = 2;
    world_ = std::make_unique<Emulator>(options);
    pg_ = world_->ready()["pg"];
  }
  ~QueryWire() override {
    world_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string terms(const std::string& more = "") const {
    return "host=127.0.0.1 port=" + std::to_string(pg_["port"].get<int>()) +
           " dbname=" + pg_["dbname"].get<std::string>() + " user=" + pg_["user"].get<std::string>() +
           " password=" + pg_["password"].get<std::string>() +
           " sslmode=verify-full sslrootcert=" + (folder_ / "data/tls/ca.pem").string() + " " + more;
  }
  Session open(const std::string& more = "") const {
    Session session(PQconnectdb(terms(more).c_str()));
    EXPECT_EQ(PQstatus(session.get()), CONNECTION_OK) << PQerrorMessage(session.get());
    return session;
  }
  /// Why a session is refused.
  std::string refused(const std::string& more) const {
    const Session session(PQconnectdb(terms(more).c_str()));
    return PQstatus(session.get()) == CONNECTION_OK ? "nothing" : PQerrorMessage(session.get());
  }
  static std::string text(PGresult* result) {
    const auto status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_SINGLE_TUPLE)
      return std::string(
          PQresultErrorField(result, PG_DIAG_SQLSTATE) == nullptr ? "?" : PQresultErrorField(result, PG_DIAG_SQLSTATE));
    if (status == PGRES_COMMAND_OK) return PQcmdStatus(result);
    std::string out;
    for (int y = 0; y < PQntuples(result); ++y) {
      out += y == 0 ? "" : " ";
      for (int x = 0; x < PQnfields(result); ++x)
        out += std::string(x == 0 ? "" : ",") + (PQgetisnull(result, y, x) != 0 ? "~" : PQgetvalue(result, y, x));
    }
    return out;
  }
  /// Cells by commas and rows by blanks, a command's tag, or an SQLSTATE.
  static std::string run(const Session& session, const std::string& sql) {
    const Answer answer(PQexec(session.get(), sql.c_str()));
    return text(answer.get());
  }
  static int rows(const Session& session, const std::string& sql) {
    const Answer answer(PQexec(session.get(), sql.c_str()));
    return PQntuples(answer.get());
  }
  template <class Value>
  void set(Value Settings::*member, Value value) {
    const auto lock = world_->platform().objects.lock();
    world_->platform().settings.*member = value;
  }

  std::filesystem::path folder_;
  std::unique_ptr<Emulator> world_;
  Json pg_;
};

constexpr const char* kMany =
    "SELECT a.x FROM (SELECT explode(split(repeat('x,', 999), ',')) AS x) a, "
    "(SELECT explode(split(repeat('y,', 99), ',')) AS y) b";  // 100,000 rows
constexpr const char* kEndless =
    "SELECT sum(length(concat(a.x, b.x, c.x, d.x))) FROM (SELECT explode(split(repeat('x,', 9999), ',')) AS x) a, "
    "(SELECT explode(split(repeat('x,', 9999), ',')) AS x) b, (SELECT explode(split(repeat('x,', 9999), ',')) AS x) c, "
    "(SELECT explode(split(repeat('x,', 9999), ',')) AS x) d";

TEST_F(QueryWire, LetsInWhoComesByTlsWithTheRightWords) {
  const Session session = open();
  EXPECT_STREQ(PQparameterStatus(session.get(), "server_version"), "0.1.0");
  EXPECT_NE(PQsslInUse(session.get()), 0);
  EXPECT_NE(refused("sslmode=disable").find("TLS"), std::string::npos);
  EXPECT_NE(refused("password=wrong").find("password"), std::string::npos);
  EXPECT_NE(refused("user=someone").find("organisation"), std::string::npos);
  EXPECT_NE(refused("dbname=other:all").find("there is no database 'other:all'"), std::string::npos);
  set(&Settings::query_plain, true);
  EXPECT_EQ(run(open("sslmode=disable"), "SELECT 1"), "1");
}

TEST_F(QueryWire, AnswersStatementsAndGoesOnAfterErrors) {
  const Session session = open();
  EXPECT_EQ(run(session, "SELECT 1 AS a, NULL, 'x', 1 = 1"), "1,~,x,t");
  EXPECT_EQ(run(session, "SELECT nothing"), "42703");
  EXPECT_EQ(run(session, "UPDATE t SET a = 1"), "0A000");
  EXPECT_EQ(run(session, "SELECT 1; SELECT 2"), "2");
  EXPECT_EQ(run(session, ""), "?");  // an empty query has no state
  const Answer wrong(PQexec(session.get(), "SELECT 'ä', sorry(1)"));
  EXPECT_STREQ(PQresultErrorField(wrong.get(), PG_DIAG_STATEMENT_POSITION), "13");
  EXPECT_EQ(run(session, "SHOW server_version"), "0.1.0");
}

TEST_F(QueryWire, TakesParametersByTheExtendedProtocol) {
  const Session session = open();
  const char* values[] = {"it's \\ one", nullptr};
  const Answer answer(
      PQexecParams(session.get(), "SELECT $1 AS a, nvl($2, 'none') AS b", 2, nullptr, values, nullptr, nullptr, 0));
  EXPECT_EQ(text(answer.get()), "it's \\ one,none");
  const Answer prepared(PQprepare(session.get(), "p", "SELECT $1::int + 1 AS next", 1, nullptr));
  const char* four[] = {"4"};
  const Answer five(PQexecPrepared(session.get(), "p", 1, four, nullptr, nullptr, 0));
  EXPECT_EQ(text(five.get()), "5");
  const Answer binary(PQexecParams(session.get(), "SELECT 1", 0, nullptr, nullptr, nullptr, nullptr, 1));
  EXPECT_EQ(text(binary.get()), "0A000");
}

TEST_F(QueryWire, MakesTablesInTheCatalogAndInsertsIntoThem) {
  const Session session = open();
  const std::string dataset =
      run(session, "CREATE TABLE made AS SELECT 'a' AS id, struct(1 AS n, 'x' AS t) AS inner_one");
  {
    const auto lock = world_->platform().objects.lock();
    ASSERT_NE(world_->platform().objects.find("dataset", dataset), nullptr) << dataset;
  }
  EXPECT_EQ(run(session, "INSERT INTO made SELECT 'b' AS id, struct(2 AS n, 'y' AS t) AS inner_one"), "INSERT 0 1");
  EXPECT_EQ(run(session, "SELECT id, inner_one.t FROM made ORDER BY id"), "a,x b,y");
  EXPECT_EQ(run(session, "INSERT INTO made SELECT 'c' AS other"), "42804");
  EXPECT_EQ(run(session, "INSERT INTO made SELECT 'c' AS id, struct(2 AS wrong) AS inner_one"), "42804");
  EXPECT_EQ(run(session, "CREATE TABLE made AS SELECT 1 AS a"), "42P07");
  EXPECT_EQ(run(session, "DROP TABLE luma_web_events"), "42501");
  EXPECT_EQ(run(session, "ALTER TABLE luma_web_events ADD CONSTRAINT PRIMARY IDENTITY (_id) NAMESPACE 'Email'"),
            "42501");
  EXPECT_EQ(run(session, "$$ BEGIN SET @id = SELECT 'z'; INSERT INTO made SELECT @id AS id; END $$;"), "BLOCK");
  EXPECT_EQ(run(session, "SELECT id FROM made WHERE id = 'z'"), "z");
  set(&Settings::query_batch, false);
  EXPECT_EQ(run(session, "INSERT INTO made SELECT 'd' AS id"), "42501");
  EXPECT_EQ(run(session, "DROP TABLE made"), "DROP TABLE");
  EXPECT_EQ(run(session, "SELECT 1 FROM made"), "42P01");
}

TEST_F(QueryWire, ReadsATableAtItsSnapshots) {
  const Session session = open();
  run(session, "CREATE TABLE made AS SELECT 1 AS n");
  run(session, "INSERT INTO made SELECT 2 AS n");
  const std::string first =
      run(session, "SELECT snapshot_id FROM (SELECT history_meta('made')) WHERE parent_id IS NULL");
  EXPECT_EQ(run(session, "SELECT n FROM made SNAPSHOT AS OF " + first), "1");
  EXPECT_EQ(run(session, "SELECT n FROM made SNAPSHOT SINCE " + first), "2");
  EXPECT_EQ(run(session, "SELECT n FROM made SNAPSHOT BETWEEN HEAD AND " + first), "1");
  EXPECT_EQ(run(session, "SELECT n FROM made SNAPSHOT AS OF 77"), "42704");
  world_->platform().clock.advance(std::chrono::hours(49));
  EXPECT_EQ(run(session, "SELECT n FROM made SNAPSHOT AS OF " + first), "42704");
  EXPECT_EQ(run(session, "SET resolve_fallback_snapshot_on_failure=true"), "SET");
  EXPECT_EQ(run(session, "SELECT n FROM made SNAPSHOT AS OF " + first + " ORDER BY n"), "1 2");
}

TEST_F(QueryWire, CutsSilentlyWhatHasNoLimit) {
  const Session session = open();
  EXPECT_EQ(rows(session, kMany), 50'000);
  EXPECT_EQ(rows(session, std::string(kMany) + " LIMIT 60000"), 60'000);
  EXPECT_EQ(rows(session, std::string(kMany) + " LIMIT 0"), 100'000);
  EXPECT_EQ(run(session, std::string(kMany) + " LIMIT 100001"), "53400");
}

TEST_F(QueryWire, GivesRowsByCursors) {
  const Session session = open();
  EXPECT_EQ(run(session, "BEGIN"), "BEGIN");
  EXPECT_EQ(run(session, "DECLARE c CURSOR FOR SELECT explode(array(1, 2, 3)) AS n"), "DECLARE CURSOR");
  EXPECT_EQ(run(session, "FETCH 2 FROM c"), "1 2");
  EXPECT_EQ(run(session, "FETCH ALL FROM c"), "3");
  EXPECT_EQ(rows(session, "FETCH 5 FROM c"), 0);
  EXPECT_EQ(run(session, "CLOSE c"), "CLOSE CURSOR");
  EXPECT_EQ(run(session, "FETCH 1 FROM c"), "34000");
  EXPECT_EQ(run(session, "DECLARE held CURSOR WITH HOLD FOR SELECT explode(array(4, 5))"), "DECLARE CURSOR");
  EXPECT_EQ(run(session, "DECLARE gone CURSOR WITHOUT HOLD FOR SELECT 6"), "DECLARE CURSOR");
  EXPECT_EQ(run(session, "COMMIT"), "COMMIT");
  EXPECT_EQ(run(session, "FETCH 1 FROM held"), "4");
  EXPECT_EQ(run(session, "FETCH 1 FROM gone"), "34000");
}

TEST_F(QueryWire, KeepsSettingsTablesAndViewsInTheSession) {
  const Session session = open();
  EXPECT_EQ(run(session, "CREATE TEMP TABLE t AS SELECT struct(1 AS a) AS s"), "SELECT 1");
  EXPECT_EQ(run(session, "SELECT s FROM t"), "(1)");
  EXPECT_EQ(run(session, "SET auto_to_json=true"), "SET");
  EXPECT_EQ(run(session, "SELECT s FROM t"), "{\"a\":1}");
  EXPECT_EQ(run(open(), "SELECT s FROM t"), "42P01");
  EXPECT_EQ(run(session, "CREATE TEMP VIEW v AS SELECT s.a + 1 AS b FROM t"), "CREATE VIEW");
  EXPECT_EQ(run(session, "SELECT b FROM v"), "2");
}

TEST_F(QueryWire, RefusesMoreSessionsThanAreAllowed) {
  set<std::uint64_t>(&Settings::query_sessions, 1);
  const Session session = open();
  EXPECT_NE(refused("").find("Session Limit Reached"), std::string::npos);
}

TEST_F(QueryWire, EndsAStatementThatIsCancelled) {
  const Session session = open();
  const std::unique_ptr<PGcancel, void (*)(PGcancel*)> cancel(PQgetCancel(session.get()), PQfreeCancel);
  auto running = std::async(std::launch::async, [&] { return run(session, kEndless); });
  // A request that comes before the statement does is none, so it is repeated until it was heard.
  while (running.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
    char why[256];
    PQcancel(cancel.get(), why, sizeof why);
  }
  EXPECT_EQ(running.get(), "57014");
  EXPECT_EQ(run(session, "SELECT 1"), "1");
}

TEST_F(QueryWire, EndsAStatementWhenItsTimeIsOver) {
  const Session session = open();
  auto running = std::async(std::launch::async, [&] { return run(session, kEndless); });
  while (running.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready)
    world_->platform().clock.advance(std::chrono::minutes(11));
  EXPECT_EQ(running.get(), "53400");
  EXPECT_EQ(run(session, "SELECT 1"), "1");
}

TEST_F(QueryWire, EndsWithTheEmulatorWhateverRuns) {
  const Session session = open();
  auto running = std::async(std::launch::async, [&] { return run(session, kEndless); });
  world_->stop();
  EXPECT_NE(running.get(), "");
}

TEST_F(QueryWire, KeepsTheSessionOfPsqlWhenItAsksForTheCatalog) {
  ASSERT_EQ(std::system("command -v psql >/dev/null 2>&1"), 0) << "psql is missing: apt-get install postgresql-client";
  const std::filesystem::path script = folder_ / "script.sql";
  std::ofstream(script) << "\\d\n\\dt\nSELECT explode(array(1, 2, 3)) AS n;\n\\x\nSELECT 'still here' AS answer;\n";
  const std::string command = "psql -XAtq -v FETCH_COUNT=2 -f " + script.string() + " '" + terms() + "' 2>&1";
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string said;
  std::array<char, 4096> block{};
  while (std::fgets(block.data(), block.size(), pipe.get()) != nullptr) said += block.data();
  EXPECT_NE(said.find("the schema 'pg_catalog' is not supported"), std::string::npos) << said;
  EXPECT_NE(said.find("\n1\n2\n3\n"), std::string::npos) << said;
  EXPECT_NE(said.find("answer|still here"), std::string::npos) << said;
}

/// The statement of the recipe, out of its own file, so that nothing of it is repeated here.
TEST_F(QueryWire, RunsTheSqlOfTheRecipeAsItIs) {
  const char* given = std::getenv("AUDIENCESYNC_RECIPE");
  const std::filesystem::path folder = given != nullptr ? given : "";
  std::vector<std::string> statements;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(folder, absent)) {
    if (!entry.path().filename().string().starts_with("001_")) continue;
    std::ifstream in(entry.path());
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    for (std::size_t begin = text.find("```sql\n"); begin != std::string::npos;
         begin = text.find("```sql\n", begin + 7))
      statements.push_back(text.substr(begin + 7, text.find("```", begin + 7) - begin - 7));
  }
  if (statements.empty()) GTEST_SKIP() << "AUDIENCESYNC_RECIPE names no folder with the recipe";
  ASSERT_EQ(statements.size(), 1U) << "the recipe has more SQL than this test expects";
  std::string& sql = statements.front();
  const auto fill = [&](const std::string& place, const std::string& value) {
    for (std::size_t at = sql.find(place); at != std::string::npos; at = sql.find(place, at + value.size()))
      sql.replace(at, place.size(), value);
  };
  fill("{IDENTITY_TO_USE_AS_PERSON_ID}", "_acme.core.email");
  fill("{DATASET_TABLE_NAME}", "export");
  fill("{AUDIENCE_ID_1}", "a-1");
  fill("{AUDIENCE_ID_2}", "a-2");
  const Session session = open();
  run(session,
      "CREATE TABLE export AS SELECT struct(struct('ann' AS email) AS core) AS _acme, map('ups', map('a-1', "
      "struct('realized' AS status), 'a-3', struct('realized' AS status))) AS segmentMembership UNION ALL SELECT "
      "struct(struct('bob' AS email) AS core), map('ups', map('a-1', struct('exited' AS status)))");
  EXPECT_EQ(run(session, sql), "1,ann,a-1");
}

}  // namespace
}  // namespace emulator
