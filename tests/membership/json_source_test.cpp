#include <fmt/format.h>

#include <random>

#include "engine/membership/json/json_person_source.h"
#include "tests/membership/collecting_sink.h"
#include "tests/membership/compress.h"
#include "tests/membership/fixture.h"

namespace audiencesync::testing {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  return out;
}

class JsonSourceTest : public ::testing::Test {
 protected:
  PosixFiles files;
  TestFolder folder;
  JsonPersonSource source{files};
  SourceColumns columns{"_demo.core.email", "Email"};
  NamedAudiences audiences{{"A1", "A2", "größe"}};

  Path put(const std::string& name, const std::string& bytes) {
    const auto path = folder.path() / name;
    put_file(path, bytes);
    return path;
  }
  Result<Collected> read(const std::string& bytes) {
    return collect(source, {put("x.json", bytes)}, columns, audiences);
  }
  std::string rows(const std::string& bytes) { return joined(must(read(bytes)).rows); }
  void expect_cut(const std::string& bytes, const std::string& part) {
    const auto result = read(bytes);
    ASSERT_FALSE(result.ok()) << bytes.substr(0, 200);
    EXPECT_EQ(result.error().code(), ErrorCode::Corrupt);
    EXPECT_NE(result.error().text().find("x.json"), std::string::npos) << result.error().text();
    EXPECT_NE(result.error().text().find(part), std::string::npos) << result.error().text();
  }
};

// A record as the platform writes it; `extra` goes in front.
std::string profile(const std::string& person, const std::string& memberships, const std::string& extra = "") {
  return fmt::format(R"({{{}"_demo":{{"core":{{"email":{}}}}},"segmentMembership":{{"ups":{{{}}}}}}})", extra, person,
                     memberships);
}

constexpr const char* kIn = R"({"lastQualificationTime":"2024-05-01T02:11:09Z","status":"realized"})";

TEST_F(JsonSourceTest, ReadsLinesAsThePlatformWritesThem) {
  EXPECT_EQ(rows(profile("\"a@x.io\"", fmt::format(R"("A1":{0},"A9":{0},"A2":{{"status":"exited"}})", kIn)) + "\n" +
                 profile("null", fmt::format(R"("A2":{})", kIn)) + "\n" + profile("\"b@x.io\"", "") + "\n"),
            ": A2\na@x.io: A1\nb@x.io:\n");
}

TEST_F(JsonSourceTest, ReadsEveryShapeThatOccurs) {
  EXPECT_EQ(rows(R"({"xdm:segmentMembership":{"UPS":{"A1":{"xdm:status":"existing"}}},"_demo":{"core":{"email":"pre"}}}
{"_demo":{"core":{"email":"bare"}},"segmentMembership":{"ups":{"A1":"realized","A2":null}}}
{"_demo":{"core":{"email":"list"}},"segmentMembership":[{"key":"ups","value":[{"key":"A2","value":{"status":"realized"}}]}]}
{"_demo.core":{"email":"dotted"},"segmentMembership":null}
{"_demo":{"core":{"email":42.50}},"segmentMembership":{"aam":{"A1":{"status":"realized"}}}}
{"_demo":{"core":{"email":true}},"segmentMembership":{}}
  { "_demo" : { "core" : { "email" : "spaced" } } , "segmentMembership" : { "ups" : { "A1" : { "status" : "realized" } } } }  )"
                 "\r\n\r\n  \n"),
            "42.50:\nbare: A1\ndotted:\nlist: A2\npre: A1\nspaced: A1\ntrue:\n");
}

TEST_F(JsonSourceTest, UnescapesWhatIsWrittenWithEscapes) {
  EXPECT_EQ(
      rows(
          R"({"_de\u006do":{"core":{"email":"gr\u00f6\u00dfe@x.io"}},"segmentMembership":{"\u0075ps":{"gr\u00f6\u00dfe":{"st\u0061tus":"reali\u007aed"}}}})"),
      "größe@x.io: größe\n");
}

TEST_F(JsonSourceTest, FallsBackToTheIdentityMapOfARecordWithoutTheField) {
  EXPECT_EQ(
      rows(
          R"({"identityMap":{"ECID":[{"id":"1","primary":true}],"email":[{"id":"no","primary":false},{"id":"yes","primary":true}]}}
{"identityMap":{"EMAIL":[{"id":"only"}]},"segmentMembership":{"ups":{"A1":"realized"}}}
{"identityMap":{"Email":[{"id":"one"},{"id":"two"}]}}
{"identityMap":{"Email":[{"xdm:id":"pre","xdm:primary":true}]}}
{"_demo":{"core":{"email":null}},"identityMap":{"Email":[{"id":"not me","primary":true}]}}
{"identityMap":{"Email":[{"id":"nor me","primary":true}]},"_demo":{"core":{"email":"me"}}}
)"),
      ":\n:\nme:\nonly: A1\npre:\nyes:\n");
}

TEST_F(JsonSourceTest, CountsStatusesNobodyKnowsForWantedAudiencesOnly) {
  const auto read_back = must(read(profile(
      "\"a\"", R"("A1":{"status":"strange"},"A2":{"status":null},"A9":{"status":"strange"},"größe":{"other":1})")));
  EXPECT_EQ(read_back.unknown, 3U);
  EXPECT_EQ(joined(read_back.rows), "a:\n");
}

TEST_F(JsonSourceTest, CountsBrokenRecordsAndReadsTheOthers) {
  const std::vector<std::string> broken{"{\"_demo\":{\"core\":{\"email\":\"cut",
                                        "{\"_demo\":{\"core\":{\"email\":\"x\"}}",
                                        "[1,2]",
                                        "\"text\"",
                                        "17",
                                        "no json",
                                        "{}{}",
                                        "{\"_demo\":{\"core\":{\"email\":[\"a\"]}}}",
                                        "{\"segmentMembership\":{\"ups\":17}}",
                                        "{\"_demo\":{\"core\":{\"email\":\"\xFF\"}}}",
                                        "{\"a\":1,}",
                                        "}"};
  const auto good = profile("\"good@x.io\"", fmt::format(R"("A1":{})", kIn));
  for (const auto& line : broken) {
    const auto all = must(read(good + "\n" + line + "\n" + good + "\n"));
    EXPECT_EQ(joined(all.rows), "good@x.io: A1\ngood@x.io: A1\n") << line;
    ASSERT_EQ(all.broken.size(), 1U) << line;
    EXPECT_EQ(all.broken.front().find(fmt::format("x.json@{} ", good.size() + 1)), 0U) << all.broken.front();
  }
}

TEST_F(JsonSourceTest, NeverTakesACutFileForAShorterOne) {
  const auto line = profile("\"a@x.io\"", fmt::format(R"("A1":{})", kIn)) + "\n";
  std::string text;
  for (int i = 0; i < 20; ++i) text += line;
  expect_cut(text.substr(0, text.size() - 10), "ends in the middle of a record");
  EXPECT_EQ(must(read(text.substr(0, text.size() - 1))).rows.size(), 20U) << "the last end of line is not needed";
  for (const auto& whole : {gzip(text), zstd(text)}) {
    EXPECT_EQ(must(read(whole)).rows.size(), 20U);
    for (std::size_t size = 5; size < whole.size(); size += 7)
      expect_cut(whole.substr(0, size), "cannot be read as JSON");
    EXPECT_EQ(must(read(whole + whole)).rows.size(), 40U) << "two members are one content";
  }
  std::string array = "[";
  for (int i = 0; i < 20; ++i) array += (i == 0 ? "" : ",\n") + line;
  EXPECT_EQ(must(read(array + "]")).rows.size(), 20U);
  for (std::size_t size = 1; size < array.size(); size += 61)
    expect_cut(array.substr(0, size), "cannot be read as JSON");
  expect_cut(array + "] 1", "something follows");
  expect_cut("[" + line + line + "]", "no comma");
  expect_cut("[" + line + ",]", "missing");
}

TEST_F(JsonSourceTest, ReadsArraysOfAnyLayout) {
  const auto one = profile("\"a \\\" ] } \\\\\"", fmt::format(R"("A1":{})", kIn));
  EXPECT_EQ(rows("\xEF\xBB\xBF [\n" + one + "\n ,\n" + one + "]\n "), "a \" ] } \\: A1\na \" ] } \\: A1\n");
  EXPECT_EQ(rows("[]"), "");
  EXPECT_EQ(rows(""), "");
  EXPECT_EQ(rows("\n \n"), "");
  EXPECT_EQ(must(read("[1, " + one + ", null, {}]")).broken.size(), 2U);
}

// Whatever falls onto the border between two threads, everybody is read once.
TEST_F(JsonSourceTest, ReadsEveryRecordOnceWhereverBlocksEnd) {
  for (const std::size_t length : {200U, 1021U, 65'537U, 262'143U, 262'144U, 262'145U, 700'001U}) {
    std::string lines;
    std::string array = "[";
    std::string expected;
    for (int i = 0; lines.size() < 3'000'000; ++i) {
      const auto person = fmt::format("{:05}", i);
      auto line = profile("\"" + person + "\"", fmt::format(R"("A1":{})", kIn), "\"pad\":\"\",");
      line.insert(line.find("\"\",") + 1, std::string(length - std::min(length, line.size() + 1), '-'));
      lines += line + "\n";
      array += (i == 0 ? "" : ",") + line;
      expected += person + ": A1\n";
    }
    array += "]";
    EXPECT_TRUE(rows(lines) == expected) << length;
    EXPECT_TRUE(rows(gzip(lines)) == expected) << length;
    EXPECT_TRUE(rows(zstd(lines)) == expected) << length;
    EXPECT_TRUE(rows(array) == expected) << length;
    EXPECT_TRUE(rows(gzip(array)) == expected) << length;
  }
}

TEST_F(JsonSourceTest, CountsARecordThatIsTooLong) {
  const auto good = profile("\"good\"", "") + "\n";
  const auto text = good + "{\"pad\":\"" + std::string(6 << 20, 'x') + "\"}\n" + good;
  for (const auto& bytes : {text, gzip(text)}) {
    const auto all = must(read(bytes));
    EXPECT_EQ(joined(all.rows), "good:\ngood:\n");
    ASSERT_EQ(all.broken.size(), 1U);
    EXPECT_NE(all.broken.front().find("longer than 4 MiB"), std::string::npos);
  }
}

// Ordinary records take a short cut when their whole block is ordinary; one escape or error takes it away from some.
TEST_F(JsonSourceTest, TheShortCutGivesTheSameRows) {
  std::mt19937_64 random(11);
  const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
  static const char* const kStatuses[] = {R"({"status":"realized"})",
                                          R"({"x":[1,{"y":[]}],"status":"existing","status":"exited"})",
                                          R"({"at":"2024-05-06","status":"realized"})",
                                          R"({"at":"}{","status":"exited"})",
                                          R"("realized")",
                                          R"({"status":"what"})",
                                          R"({"xdm:status":"realized","z":"}"})",
                                          R"({})"};
  for (int round = 0; round < 60; ++round) {
    std::string text;
    for (int i = 0; i < 40; ++i) {
      std::string memberships;
      for (const char* id : {"A1", "A2", "größe", "A9"}) {
        if (chance(40)) continue;
        memberships += fmt::format("{}\"{}\":{}", memberships.empty() ? "" : ",", id, kStatuses[random() % 8]);
      }
      // Records begin alike for a while, then one has another space before or behind, or another field at the end.
      const auto space = fmt::format(R"("{}":{{"A1":{},"A9":{}}})", chance(50) ? "aam" : "UPS", kStatuses[random() % 8],
                                     kStatuses[random() % 8]);
      std::string extra = chance(20) ? R"("deep":{"a":[{"b":[[]]},"]"],"c":-1.5e3},)" : "";
      if (chance(10)) extra += R"("identityMap":{"Email":[{"id":"mapped","primary":true}]},)";
      auto line = profile(fmt::format("\"p{}\"", i), memberships, extra);
      if (chance(10)) line.replace(line.find("\"email\""), 7, "\"phone\"");
      if (chance(10)) line.insert(line.find(':') + 1, "  ");
      if (chance(10)) line.insert(line.find("\"ups\""), space + ",");
      if (chance(10)) line.insert(line.size() - 2, "," + space);
      if (chance(10)) line.insert(line.size() - 1, R"(,"_demo":{"email":"other"},"segmentMembership":{"ups":{}})");
      text += line + "\n";
    }
    const auto fast = must(read(text));
    // A record that nobody takes short, and that closes the block to it: same rows beside it.
    auto slow = must(read(text + "{\"broken\n"));
    ASSERT_EQ(slow.broken.size(), 1U);
    slow.broken.clear();
    EXPECT_EQ(fast, slow) << text;
  }
}

// Most memberships are passed by with a look at a few of their bytes: where one differs in any of them, or is written
// with an escape, it must be read.
TEST_F(JsonSourceTest, TheShortCutMissesNoMembershipThatLooksAlmostUsual) {
  audiences = NamedAudiences{{"aud-00000001", "aud-00000002", "short"}};
  std::mt19937_64 random(29);
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  const std::string_view changes = "{}[],: \"x\t";
  for (int round = 0; round < 150; ++round) {
    std::string text;
    for (int i = 0; i < 30; ++i) {
      std::string memberships;
      for (std::size_t j = 0; j < 6; ++j) {
        const auto id = below(12) == 0 ? std::string("short") : fmt::format("aud-{:08}", below(20));
        memberships += fmt::format(R"({}"{}":{{"lastQualificationTime":"2024-05-01T02:11:0{}Z","status":"{}"}})",
                                   memberships.empty() ? "" : ",", id, j, below(3) == 0 ? "exited" : "realized");
      }
      auto line = profile(fmt::format("\"person{}\"", i), memberships);
      if (below(2) == 0) {
        const auto at = below(line.size());
        if (std::isalnum(static_cast<unsigned char>(line[at])) != 0) {
          line.replace(at, 1, fmt::format("\\u{:04x}", static_cast<unsigned char>(line[at])));
        } else if (line[at] != '"') {
          line[at] = changes[below(changes.size())];
        }
      }
      text += line + "\n";
    }
    const auto fast = must(read(text));
    auto slow = must(read(text + "{\"broken\n"));
    const auto added = fmt::format("x.json@{} ", text.size());
    ASSERT_EQ(std::erase_if(slow.broken, [&](const std::string& one) { return one.starts_with(added); }), 1U);
    EXPECT_EQ(fast, slow) << text;
  }
}

TEST(AudienceFilterTest, NeverMissesAWantedAudience) {
  std::mt19937_64 random(3);
  AudienceFilter filter;
  std::vector<std::string> ids;
  for (std::size_t length = 0; length < 60; ++length) {
    std::string id(length, 'a');
    for (auto& character : id) character = static_cast<char>('a' + random() % 26);
    ids.push_back(std::move(id));
    filter.add(ids.back());
  }
  for (const auto& id : ids) EXPECT_TRUE(filter.may_have(id)) << id;
  int passed = 0;
  for (int i = 0; i < 10'000; ++i) passed += filter.may_have(fmt::format("{:016x}", random())) ? 1 : 0;
  EXPECT_LT(passed, 500) << "most strangers end here";
}

TEST_F(JsonSourceTest, ReadsManyFilesAndNamesTheOneThatIsDamaged) {
  std::vector<Path> paths;
  std::string expected;
  for (int i = 0; i < 30; ++i) {
    const auto text = profile(fmt::format("\"p{:02}\"", i), "") + "\n";
    paths.push_back(put(fmt::format("{}.json", i), i % 3 == 0 ? gzip(text) : i % 3 == 1 ? zstd(text) : text));
    expected += fmt::format("p{:02}:\n", i);
  }
  EXPECT_EQ(joined(must(collect(source, paths, columns, audiences)).rows), expected);
  put("17.json", "{\"cut\":");
  const auto result = collect(source, paths, columns, audiences);
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().text().find("17.json"), std::string::npos) << result.error().text();
  paths.push_back(folder.path() / "missing.json");
  EXPECT_EQ(collect(source, paths, columns, audiences).error().code(), ErrorCode::NotFound);
}

TEST_F(JsonSourceTest, GivesRowsUnfilteredToo) {
  const auto path = put("x.json", profile("\"a\"", R"("A1":{"status":"realized"},"Z":"exited","Y":null)") + "\n");
  std::string seen;
  const auto each = [&](const SourceRow& row) -> Result<void> {
    seen += std::string(row.person) + ":";
    for (const auto& one : *row.memberships)
      seen += fmt::format(" {}/{}={}", one.membership_namespace, one.audience, one.status);
    return {};
  };
  EXPECT_EQ(must(source.read({path}, columns, each)), 1U);
  EXPECT_EQ(seen, "a: ups/A1=realized ups/Z=exited");
}

}  // namespace
}  // namespace audiencesync::testing
