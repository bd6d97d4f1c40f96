#include "emulator/data/world.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "emulator/data/errors.h"
#include "emulator/state/mixed.h"

namespace emulator {
namespace {

constexpr unsigned kRealized = 0;
constexpr unsigned kExisting = 1;
constexpr unsigned kExited = 2;
// People of a new world qualified during the month after this moment: 2025-06-01T00:00:00Z.
constexpr const char* kBeginning = "TIMESTAMP '2025-06-01'";

const char* const kTables = R"(
  CREATE TABLE IF NOT EXISTS membership_keys(number USMALLINT, space VARCHAR, audience VARCHAR);
  CREATE TABLE IF NOT EXISTS statuses(number UTINYINT, word VARCHAR);
  CREATE TABLE IF NOT EXISTS counters(name VARCHAR, value UBIGINT);
  CREATE TABLE IF NOT EXISTS profiles(
    profile_id UBIGINT, person VARCHAR, ecid VARCHAR, phone VARCHAR, tier VARCHAR, first_name VARCHAR,
    last_name VARCHAR, memberships STRUCT(a USMALLINT, s UTINYINT, t TIMESTAMP)[], identities VARCHAR,
    updated TIMESTAMP);
)";

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// How many of 1000 people are in the audience of that key: 20 to 520, small ones more often than large ones.
std::uint64_t per_mille(unsigned key, std::uint64_t seed) {
  const double draw = static_cast<double>(mixed(seed ^ (std::uint64_t{key} << 32)) >> 11) / 9007199254740992.0;
  return 20 + static_cast<std::uint64_t>(500 * draw * draw);
}

template <typename Values>
std::string joined(const Values& values) {
  std::string out;
  for (const auto& value : values) {
    if (!out.empty()) out += ", ";
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>) {
      out += std::to_string(value);
    } else {
      out += value;
    }
  }
  return out;
}

HttpError bad_profile(const std::string& what) { return control_failure(what); }

std::string text_or_null(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return "NULL";
  if (!found->is_string()) throw bad_profile(std::string("profiles: ") + name + " must be a string or null");
  return sql_text(found->get<std::string>());
}

/// A transaction that is undone unless it is committed.
class Transaction {
 public:
  explicit Transaction(Connection& connection) : connection_(connection) { connection_.run("BEGIN TRANSACTION"); }
  ~Transaction() {
    if (!done_) try {
        connection_.run("ROLLBACK");
      } catch (const DatabaseError&) {  // NOLINT: a failed statement has already ended it
      }
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    connection_.run("COMMIT");
    done_ = true;
  }

 private:
  Connection& connection_;
  bool done_ = false;
};

}  // namespace

World::World(Platform& platform, const std::filesystem::path& file) : platform_(platform), database_(file) {
  Connection connection(database_);
  connection.run(kTables);
  if (connection.number("SELECT count(*) FROM statuses") == 0) {
    connection.run(
        "INSERT INTO statuses VALUES (0, 'realized'), (1, 'existing'), (2, 'exited');"
        "INSERT INTO counters VALUES ('next_profile', 0), ('evolutions', 0)");
  }
  for (Row& row : connection.rows("SELECT space, audience FROM membership_keys ORDER BY number"))
    vocabulary_.keys.push_back({row[0].value_or(""), row[1].value_or("")});
  for (Row& row : connection.rows("SELECT word FROM statuses ORDER BY number"))
    vocabulary_.statuses.push_back(row[0].value_or(""));
}

std::string World::invented(std::uint64_t first, std::uint64_t count, std::uint64_t seed, const std::string& time,
                            const std::vector<unsigned>& keys) const {
  std::vector<std::uint64_t> shares;
  shares.reserve(keys.size());
  for (const unsigned key : keys) shares.push_back(per_mille(key, platform_.identity.seed));
  const std::string s = std::to_string(seed) + "::UBIGINT";
  const auto pick = [&](const std::string& list, int salt) {
    return list + "[(hash(i, " + s + ", " + std::to_string(salt) + ") % len(" + list + ") + 1)::BIGINT]";
  };
  const std::string first_name = pick(
      "['Ada','Bela','Cora','Dario','Edda','Finn','Greta','Hugo','Ines','Jonas','Kira','Levi','Mara','Nils','Oda','"
      "Piet',"
      "'Runa','Sven','Tara','Uwe','Vera','Wim','Yara','Zeno']",
      1);
  const std::string last_name = pick(
      "['Abel','Brook','Castor','Dorn','Ekberg','Falk','Grove','Holm','Ivers','Jarl','Keller','Lund','Marsh','Noor',"
      "'Olsen','Perch','Quist','Rhode','Stern','Thorn','Ulm','Voss','Wald','Yorke']",
      2);
  std::string memberships = "[]::STRUCT(a USMALLINT, s UTINYINT, t TIMESTAMP)[]";
  if (!keys.empty()) {
    // Times spread over the 30 days after `time`; the order of the list is the order of the keys.
    memberships = "list_transform(list_filter(list_zip([" + joined(keys) + "]::USMALLINT[], [" + joined(shares) +
                  "]::USMALLINT[]), k -> hash(i, k[1], " + s +
                  ") % 1000 < k[2]), k -> {'a': k[1], 's': " + "CASE hash(i, k[1], " + s +
                  ", 3) % 10 WHEN 0 THEN 2 WHEN 1 THEN 1 WHEN 2 THEN 1 WHEN 3 THEN 1 " +
                  "ELSE 0 END::UTINYINT, 't': " + time + " + to_seconds((hash(i, k[1], " + s +
                  ", 4) % 2592000)::BIGINT)})";
  }
  return "SELECT i::UBIGINT AS profile_id, lower(first_name || '.' || last_name) || i || '@example.' || " +
         pick("['com','org','net']", 5) + " AS person, lpad((hash(i, " + s +
         ", 6) % 10000000000000000000)::VARCHAR, 19, '0') || lpad((hash(i, " + s +
         ", 7) % 10000000000000000000)::VARCHAR, 19, '0') AS ecid, '+1555' || lpad((hash(i, " + s +
         ", 8) % 10000000)::VARCHAR, 7, '0') AS phone, " + pick("['none','blue','silver','gold','platinum']", 9) +
         " AS tier, first_name, last_name, " + memberships + " AS memberships, NULL AS identities, " + time +
         " AS updated FROM (SELECT i, " + first_name + " AS first_name, " + last_name + " AS last_name FROM range(" +
         std::to_string(first) + ", " + std::to_string(first + count) + ") people(i))";
}

void World::generate(std::uint64_t profiles, std::uint64_t seed, const std::vector<std::string>& audiences) {
  const std::lock_guard guard(writing_);
  Connection connection(database_);
  std::vector<unsigned> keys;
  keys.reserve(audiences.size());
  for (const std::string& audience : audiences) keys.push_back(key_of(connection, "ups", audience));
  Transaction transaction(connection);
  connection.run("DELETE FROM profiles");
  connection.run("INSERT INTO profiles " + invented(0, profiles, seed, kBeginning, keys));
  connection.run("UPDATE counters SET value = " + std::to_string(profiles) + " WHERE name = 'next_profile'");
  transaction.commit();
}

World::Evolution World::evolve(double churn, std::uint64_t seed, const std::vector<std::string>& audiences) {
  const std::lock_guard guard(writing_);
  Connection connection(database_);
  std::vector<unsigned> keys;
  for (const std::string& audience : audiences) keys.push_back(key_of(connection, "ups", audience));
  const std::uint64_t people = connection.number("SELECT count(*) FROM profiles");
  if (churn <= 0 || people == 0) return {};
  const auto share = static_cast<std::uint64_t>(std::llround(churn * static_cast<double>(people)));
  const std::uint64_t affected = std::clamp<std::uint64_t>(share, 1, people);

  Evolution evolution;
  evolution.disappeared = affected / 10;
  evolution.appeared = affected / 10;
  evolution.changed = keys.empty() ? 0 : affected - evolution.disappeared - evolution.appeared;
  const std::uint64_t picked = affected - evolution.appeared;

  const std::uint64_t round = connection.number("SELECT value FROM counters WHERE name = 'evolutions'") + 1;
  const std::uint64_t next = connection.number("SELECT value FROM counters WHERE name = 'next_profile'");
  const std::uint64_t dice = mixed(seed ^ mixed(round));
  const std::string d = std::to_string(dice) + "::UBIGINT";
  const std::string now = "epoch_ms(" + std::to_string(platform_.clock.now_ms()) + ")";

  Transaction transaction(connection);
  const std::string list = "([" + joined(keys) + "]::USMALLINT[])";
  const std::string mine =
      "list_filter(memberships, x -> x.s <= " + std::to_string(kExisting) + " AND list_contains(" + list + ", x.a))";
  // Half of those who can leave do, so that audiences keep their size.
  connection.run(
      "CREATE OR REPLACE TEMP TABLE picked AS SELECT profile_id, row_number() OVER (ORDER BY draw, "
      "profile_id) AS rank, draw, hash(draw, 5) % 2 = 0 AND len(" +
      mine + ") > 0 AS leaves FROM (SELECT profile_id, memberships, hash(profile_id, " + d +
      ") AS draw FROM profiles ORDER BY draw, profile_id LIMIT " + std::to_string(picked) + ")");
  connection.run("DELETE FROM profiles WHERE profile_id IN (SELECT profile_id FROM picked WHERE rank <= " +
                 std::to_string(evolution.disappeared) + ")");
  if (evolution.changed > 0) {
    // The first turn reaches everyone picked, so that each of them really changes: who is to leave leaves an audience
    // of theirs, the others look at any audience, and half of them at another one in the second turn. Who is in leaves,
    // as `exited` or without a trace; who is not enters.
    for (const unsigned turn : {0U, 1U}) {
      if (turn == 1 && keys.size() < 2) break;
      const std::string any = list + "[((hash(draw, 1) % len(" + list + ") + " + std::to_string(turn) + ") % len(" +
                              list + ") + 1)::BIGINT]";
      const std::string own = mine + "[(hash(draw, 1) % len(" + mine + ") + 1)::BIGINT].a";
      const std::string chosen = turn == 0 ? "CASE WHEN leaves THEN " + own + " ELSE " + any + " END" : any;
      connection.run("UPDATE profiles SET updated = " + now +
                     ", memberships = CASE "
                     "WHEN len(list_filter(memberships, x -> x.a = p.a AND x.s <= " +
                     std::to_string(kExisting) +
                     ")) = 0 THEN "
                     "list_append(list_filter(memberships, x -> x.a <> p.a), {'a': p.a, 's': 0::UTINYINT, 't': " +
                     now +
                     "}) "
                     "WHEN hash(draw, 2) % 3 = 0 THEN list_filter(memberships, x -> x.a <> p.a) "
                     "ELSE list_transform(memberships, x -> CASE WHEN x.a = p.a THEN {'a': x.a, 's': " +
                     std::to_string(kExited) + "::UTINYINT, 't': " + now + "} WHEN x.s = " + std::to_string(kRealized) +
                     " AND hash(draw, 4) % 2 = 0 THEN " + "{'a': x.a, 's': " + std::to_string(kExisting) +
                     "::UTINYINT, 't': x.t} ELSE x END) END "
                     "FROM (SELECT profile_id, draw, " +
                     chosen + " AS a FROM picked JOIN profiles USING (profile_id) WHERE rank > " +
                     std::to_string(evolution.disappeared) +
                     (turn == 1 ? " AND hash(draw, 3) % 2 = 0 AND NOT leaves" : "") +
                     ") p WHERE profiles.profile_id = p.profile_id");
    }
  }
  connection.run("INSERT INTO profiles " + invented(next, evolution.appeared, dice, now + " - INTERVAL 31 DAYS", keys));
  connection.run("UPDATE counters SET value = value + " + std::to_string(evolution.appeared) +
                 " WHERE name = 'next_profile'; UPDATE counters SET value = value + 1 WHERE name = 'evolutions'; "
                 "DROP TABLE picked");
  transaction.commit();
  return evolution;
}

void World::add(const Json& profile) {
  if (!profile.is_object()) throw bad_profile("profiles: each one must be an object");
  const std::lock_guard guard(writing_);
  Connection connection(database_);
  const std::string space = profile.value("namespace", "ups");
  const std::string now = "epoch_ms(" + std::to_string(platform_.clock.now_ms()) + ")";
  std::vector<std::string> entries;
  const Json memberships = profile.value("memberships", Json::object());
  if (!memberships.is_object()) throw bad_profile("profiles: memberships must be an object of audience id and status");
  for (const auto& [audience, status] : memberships.items()) {
    if (!status.is_string()) throw bad_profile("profiles: the status of audience '" + audience + "' must be a string");
    entries.push_back("{'a': " + std::to_string(key_of(connection, space, audience)) +
                      "::USMALLINT, 's': " + std::to_string(status_of(connection, status.get<std::string>())) +
                      "::UTINYINT, 't': " + now + "}");
  }
  const auto identities = profile.find("identity_map");
  const std::string next = "(SELECT value FROM counters WHERE name = 'next_profile')";
  Transaction transaction(connection);
  connection.run("INSERT INTO profiles VALUES (" + next + ", " + text_or_null(profile, "person_id") + ", " +
                 text_or_null(profile, "ecid") + ", " + text_or_null(profile, "phone") + ", " +
                 text_or_null(profile, "tier") + ", " + text_or_null(profile, "first_name") + ", " +
                 text_or_null(profile, "last_name") + ", [" + joined(entries) + "]" + ", " +
                 (identities == profile.end() ? "NULL" : sql_text(identities->dump())) + ", " + now + ")");
  connection.run("UPDATE counters SET value = value + 1 WHERE name = 'next_profile'");
  transaction.commit();
}

std::uint64_t World::remove(const std::string& person) {
  const std::lock_guard guard(writing_);
  Connection connection(database_);
  return connection.number("DELETE FROM profiles WHERE person = " + sql_text(person));
}

std::uint64_t World::forget(const std::string& space, const std::string& id) {
  const std::lock_guard guard(writing_);
  Connection connection(database_);
  std::string condition =
      "coalesce(list_contains(flatten(list_transform(map_entries(identities::JSON::MAP(VARCHAR, JSON[])), e -> "
      "list_transform(e.value, x -> lower(e.key) || chr(31) || (x ->> 'id')))), " +
      sql_text(lower(space)) + " || chr(31) || " + sql_text(id) + "), false)";
  // An identity map that a test wrote stands instead of the columns.
  if (lower(space) == "email") condition += " OR (identities IS NULL AND person = " + sql_text(id) + ")";
  if (lower(space) == "ecid") condition += " OR (identities IS NULL AND ecid = " + sql_text(id) + ")";
  return connection.number("DELETE FROM profiles WHERE " + condition);
}

void World::empty(const std::string& audience) {
  const std::lock_guard guard(writing_);
  Connection connection(database_);
  const std::string key = std::to_string(key_of(connection, "ups", audience));
  connection.run("UPDATE profiles SET memberships = list_filter(memberships, x -> x.a <> " + key +
                 "), updated = epoch_ms(" + std::to_string(platform_.clock.now_ms()) +
                 ") WHERE len(list_filter(memberships, x -> x.a = " + key + ")) > 0");
}

void World::enroll(const std::string& audience, double share) {
  const std::lock_guard guard(writing_);
  Connection connection(database_);
  const std::string key = std::to_string(key_of(connection, "ups", audience));
  if (share <= 0) return;
  const std::string now = "epoch_ms(" + std::to_string(platform_.clock.now_ms()) + ")";
  connection.run("UPDATE profiles SET updated = " + now +
                 ", memberships = list_append(list_filter(memberships, x -> x.a <> " + key + "), {'a': " + key +
                 "::USMALLINT, 's': 0::UTINYINT, 't': " + now + "}) WHERE hash(profile_id, " + key + ", " +
                 std::to_string(platform_.identity.seed) + "::UBIGINT) % 1000000 < " +
                 std::to_string(static_cast<std::uint64_t>(std::min(share, 1.0) * 1e6)));
}

std::map<std::string, World::Sizes> World::sizes() {
  Connection connection(database_);
  const Vocabulary words = vocabulary();
  std::map<std::string, Sizes> sizes;
  for (const MembershipKey& key : words.keys)
    if (key.space == "ups") sizes[key.audience];
  for (const Row& row :
       connection.rows("SELECT m.a, m.s, count(*) FROM (SELECT unnest(memberships) AS m FROM profiles) "
                       "GROUP BY ALL")) {
    const auto key = std::stoul(row[0].value_or("0"));
    const auto status = std::stoul(row[1].value_or("0"));
    if (key >= words.keys.size() || words.keys[key].space != "ups") continue;
    const std::uint64_t count = std::stoull(row[2].value_or("0"));
    Sizes& audience = sizes[words.keys[key].audience];
    if (status == kRealized) audience.realized = count;
    if (status == kExisting) audience.existing = count;
    if (status == kExited) audience.exited = count;
  }
  return sizes;
}

std::uint64_t World::profiles() { return Connection(database_).number("SELECT count(*) FROM profiles"); }

Vocabulary World::vocabulary() {
  const std::lock_guard guard(vocabulary_mutex_);
  return vocabulary_;
}

std::string World::member_of(const Vocabulary& vocabulary, const std::string& space,
                             const std::vector<std::string>& audiences, const std::vector<std::string>& statuses,
                             const std::string& also) {
  std::vector<std::size_t> keys;
  for (std::size_t i = 0; i < vocabulary.keys.size(); ++i) {
    const MembershipKey& key = vocabulary.keys[i];
    if (lower(key.space) == lower(space) &&
        std::find(audiences.begin(), audiences.end(), key.audience) != audiences.end())
      keys.push_back(i);
  }
  std::vector<std::size_t> allowed;
  for (std::size_t i = 0; i < vocabulary.statuses.size(); ++i)
    if (std::find(statuses.begin(), statuses.end(), vocabulary.statuses[i]) != statuses.end()) allowed.push_back(i);
  if (keys.empty() || allowed.empty()) return "false";
  return "len(list_filter(memberships, x -> x.a IN (" + joined(keys) + ") AND x.s IN (" + joined(allowed) + ")" + also +
         ")) > 0";
}

unsigned World::key_of(Connection& connection, const std::string& space, const std::string& audience) {
  const std::lock_guard guard(vocabulary_mutex_);
  std::vector<MembershipKey>& keys = vocabulary_.keys;
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (keys[i].space == space && keys[i].audience == audience) return static_cast<unsigned>(i);
  connection.run("INSERT INTO membership_keys VALUES (" + std::to_string(keys.size()) + ", " + sql_text(space) + ", " +
                 sql_text(audience) + ")");
  keys.push_back({space, audience});
  return static_cast<unsigned>(keys.size() - 1);
}

unsigned World::status_of(Connection& connection, const std::string& status) {
  const std::lock_guard guard(vocabulary_mutex_);
  std::vector<std::string>& statuses = vocabulary_.statuses;
  const auto found = std::find(statuses.begin(), statuses.end(), status);
  if (found != statuses.end()) return static_cast<unsigned>(found - statuses.begin());
  connection.run("INSERT INTO statuses VALUES (" + std::to_string(statuses.size()) + ", " + sql_text(status) + ")");
  statuses.push_back(status);
  return static_cast<unsigned>(statuses.size() - 1);
}

}  // namespace emulator
