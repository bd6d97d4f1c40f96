#include <gtest/gtest.h>

#include "engine/manifest/field_checks.h"
#include "engine/manifest/field_table.h"
#include "engine/manifest/scalar_values.h"
#include "engine/manifest/secret_scan.h"
#include "engine/manifest/utf8.h"

namespace audiencesync {
namespace {

using namespace std::chrono_literals;

TEST(WordsTest, Durations) {
  EXPECT_EQ(parse_duration("50ms"), 50ms);
  EXPECT_EQ(parse_duration("60s"), 60s);
  EXPECT_EQ(parse_duration("90m"), 90min);
  EXPECT_EQ(parse_duration("36h"), 36h);
  EXPECT_EQ(parse_duration("7d"), 168h);
  EXPECT_EQ(parse_duration("3650d"), 87600h);
  for (const auto* bad : {"", "7", "d", "7 d", "-7d", "1.5h", "7w", "3651d", "7dd", "+7d"}) {
    EXPECT_FALSE(parse_duration(bad).has_value()) << bad;
  }
  for (const auto* text : {"50ms", "61s", "90m", "36h", "7d"}) EXPECT_EQ(duration_text(*parse_duration(text)), text);
  EXPECT_EQ(duration_text(*parse_duration("24h")), "1d");
}

TEST(WordsTest, Sizes) {
  EXPECT_EQ(parse_bytes("10GB"), 10'000'000'000u);
  EXPECT_EQ(parse_bytes("1KiB"), 1024u);
  EXPECT_EQ(parse_bytes("0B"), 0u);
  for (const auto* bad : {"", "10", "GB", "10gb", "1.5GB", "-1GB", "99999999TB"}) {
    EXPECT_FALSE(parse_bytes(bad).has_value()) << bad;
  }
}

TEST(WordsTest, Limits) {
  EXPECT_EQ(parse_limit("10%"), (Limit{0.1, std::nullopt}));
  EXPECT_EQ(parse_limit("0.1%"), (Limit{0.001, std::nullopt}));
  EXPECT_EQ(parse_limit("0"), (Limit{std::nullopt, 0}));
  for (const auto* bad : {"", "%", "1e3%", "-1%", "nan%", "inf%", "0x1%", "1..2%", "10 %", "1.5"}) {
    EXPECT_FALSE(parse_limit(bad).has_value()) << bad;
  }
  for (const auto* text : {"10%", "0.1%", "33.3%", "200%", "500"}) EXPECT_EQ(parse_limit(text)->text(), text);
}

TEST(WordsTest, Schedules) {
  for (const auto* good : {"0 4 * * *", "*/15 0-6,22-23 1,15 jan-mar MON", "0 0 29 2 *", "0 0 31 1,4 *", "5 4 * * 7",
                           "@hourly", "@daily", "@weekly", "@monthly", "@yearly", "0  4 * * *", "0 4 * * fri-SUN"}) {
    EXPECT_EQ(check_cron(good), std::nullopt) << good;
  }
  for (const auto* bad : {"", "0 4 * *", "0 4 * * * *", "60 4 * * *", "0 24 * * *", "0 4 0 * *", "0 4 * 13 *",
                          "0 4 * * 8", "0 4-2 * * *", "*/0 4 * * *", "5/2 4 * * *", "0,, 4 * * *", "0 4 * foo *",
                          "0 4 31 4,jun *", "@annually", "@DAILY", "0\t4 * * *", "-1 4 * * *", "1-2-3 4 * * *"}) {
    EXPECT_TRUE(check_cron(bad).has_value()) << bad;
  }
}

TEST(WordsTest, NearestIsWhatWasMeant) {
  const std::vector<std::string_view> known{"tenant", "target", "name", "max_removals", "schedule"};
  EXPECT_EQ(nearest_word("tennant", known), "tenant");
  EXPECT_EQ(nearest_word("traget", known), "target");
  EXPECT_EQ(nearest_word("maxRemovals", known), "max_removals");
  EXPECT_EQ(nearest_word("Schedule", known), "schedule");
  EXPECT_EQ(nearest_word("colour", known), std::nullopt);
  EXPECT_EQ(nearest_word("x", known), std::nullopt);
  EXPECT_EQ(nearest_word(std::string(10'000, 't'), known), std::nullopt);
}

TEST(WordsTest, SecretsAreRecognised) {
  for (const auto* secret :
       {"p8e-AbCdEfGhIjKl", "x p8e-AbCdEfGhIjKl y", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "Bearer abcdefghijklmnopqrst",
        "bearer ABCDEFGHIJKLMNOPQRST", "-----BEGIN RSA PRIVATE KEY-----", "AKIAIOSFODNN7EXAMPLE1",
        "https://user:password@example.com/x"}) {
    EXPECT_TRUE(looks_like_secret(secret)) << secret;
  }
  for (const auto* harmless :
       {"9e3779b1-1111-4222-8333-00004189374b", "Luma - Blue+ Members", "_demoemea.identification.core.email",
        "0 4 * * *", "https://platform.adobe.io", "Bearer of good news", "Top8e-commerce-customers", "Eyjafjallajokull",
        "audiencesync membership: luma-loyalty", "mail@example.com", "http://[::1]:80"}) {
    EXPECT_FALSE(looks_like_secret(harmless)) << harmless;
  }
}

TEST(WordsTest, NamesOfSecretsAreRecognised) {
  for (const auto* name : {"client_secret", "clientSecret", "CLIENT-SECRET", "password", "db_password", "token",
                           "accessToken", "api_key", "apiKey", "apikey", "private_key"}) {
    EXPECT_TRUE(names_a_secret(name)) << name;
  }
  for (const auto* name : {"secretary", "tokenizer", "key", "keys", "monkey", "credential", "namespace", "compass"}) {
    EXPECT_FALSE(names_a_secret(name)) << name;
  }
}

TEST(WordsTest, ShownTextIsShortPrintableAndNoSecret) {
  EXPECT_EQ(shown("a\nb\x1b[31m"), "'a?b?[31m'");
  EXPECT_EQ(shown(std::string(61, 'x')), "'" + std::string(60, 'x') + "...'");
  EXPECT_EQ(shown("\xC3\xA4\xFF"), "'\xC3\xA4?'");
  EXPECT_EQ(shown("p8e-AbCdEfGhIjKl"), "(not shown: it looks like a credential)");
}

}  // namespace
}  // namespace audiencesync
