#include "engine/membership/query/refresh_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

namespace audiencesync {
namespace {

constexpr std::size_t kBitsOfByte = 8;

std::string lower_letters(std::string text) {
  for (auto& character : text) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  return text;
}

// Spark's trim takes blanks only, its lower all of Unicode: a person must be the same one whichever engine looks.
std::string trimmed(const std::string& value) {
  return fmt::format("trim(BOTH concat(' ', chr(9), chr(10), chr(11), chr(12), chr(13)) FROM {})", value);
}

std::string ascii_lowered(const std::string& value) {
  return fmt::format("translate({}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')", value);
}

std::string normalised(PersonRule rule, const std::string& raw) {
  switch (rule) {
    case PersonRule::AsIs:
    case PersonRule::Trim:
      return raw;
    case PersonRule::Lower:
      return ascii_lowered(raw);
    case PersonRule::Sha256Lower:
      return fmt::format("sha2({}, 256)", ascii_lowered(raw));
  }
  return raw;
}

std::string text_list(const std::set<std::string>& texts) {
  std::vector<std::string> literals;
  for (const auto& text : texts) literals.push_back(spark_text(text));
  return fmt::format("{}", fmt::join(literals, ", "));
}

// `entered` is in no document of the platform, only in older examples, where it means `realized`.
std::set<std::string> member_words(const RelationSpec& spec) {
  std::set<std::string> words;
  for (const auto& status : spec.statuses) words.insert(lower_letters(status));
  if (words.contains("entered") || words.contains("realized")) words.insert({"entered", "realized"});
  return words;
}

std::set<std::string> known_words(const RelationSpec& spec) {
  auto words = member_words(spec);
  words.insert({"realized", "exited", "existing", "entered"});
  return words;
}

// A WITH clause needs rows, so a sync whose audiences are all held has one that nothing can match.
std::string audience_rows(const RelationSpec& spec) {
  auto audiences = spec.audiences;
  std::sort(audiences.begin(), audiences.end(),
            [](const RelationAudience& left, const RelationAudience& right) { return left.id < right.id; });
  std::vector<std::string> rows;
  for (const auto& audience : audiences) {
    rows.push_back(fmt::format("SELECT {} AS audience, {} AS space, {} AS name, {} AS held", spark_text(audience.id),
                               spark_text(lower_letters(audience.membership_namespace)), spark_text(audience.name),
                               audience.held ? 1 : 0));
  }
  return fmt::format("{}", fmt::join(rows, "\n  UNION ALL "));
}

// Of the records of a person, the one of the highest generation.
std::string target_rows(const RelationSpec& spec, const std::string& target) {
  if (target.empty()) {
    // Nothing Spark 3.5 could see to be empty: it folds that away, and then counts no membership of anybody.
    return "newest AS (\n"
           "  SELECT person, bit_length(person) AS generation FROM people WHERE bit_length(person) < 0\n"
           "),\n"
           "known AS (\n"
           "  SELECT person, person AS audience, person AS name FROM people WHERE bit_length(person) < 0\n"
           "),\n";
  }
  const auto tenant = spark_name(spec.tenant);
  return fmt::format(
      "ranked AS (\n"
      "  SELECT personID AS person, {0}.audienceMembership AS memberships,\n"
      "         {0}.audienceSyncGeneration AS generation,\n"
      "         row_number() OVER (PARTITION BY personID ORDER BY {0}.audienceSyncGeneration DESC, _id) AS place\n"
      "  FROM {1}\n"
      "  WHERE personID IS NOT NULL AND {0}.audienceSyncGeneration IS NOT NULL\n"
      "),\n"
      "newest AS (\n"
      "  SELECT person, memberships, generation FROM ranked WHERE place = 1\n"
      "),\n"
      "known AS (\n"
      "  SELECT person, audience, min(name) AS name\n"
      "  FROM (SELECT person, one.audienceMembershipId AS audience, one.audienceMembershipName AS name\n"
      "        FROM newest LATERAL VIEW explode(memberships) each_one AS one) written\n"
      "  WHERE audience IS NOT NULL\n"
      "  GROUP BY person, audience\n"
      "),\n",
      tenant, target);
}

std::string wanted_of_export(const RelationSpec& spec) {
  return fmt::format(
      "wanted AS (\n"
      "  SELECT DISTINCT person, audience, name FROM meant WHERE person IS NOT NULL AND status IN ({})\n"
      "  UNION ALL\n"
      "  SELECT k.person, k.audience, k.name FROM known k JOIN audiences h ON h.audience = k.audience\n"
      "  WHERE h.held = 1\n"
      "),\n",
      text_list(member_words(spec)));
}

// Of the past comes back who still is in the export, under the names of today; of audiences that are held, or joined
// the sync later, memberships stay.
std::string wanted_of_past(const RelationSpec& spec, const std::string& target, const Restore& restore) {
  const auto named =
      restore.audiences.empty() ? std::string() : fmt::format(" OR a.audience IN ({})", text_list(restore.audiences));
  return fmt::format(
      "once_ranked AS (\n"
      "  SELECT personID AS person, {0}.audienceMembership AS memberships,\n"
      "         row_number() OVER (PARTITION BY personID ORDER BY {0}.audienceSyncGeneration DESC, _id) AS place\n"
      "  FROM {1}\n"
      "  WHERE personID IS NOT NULL AND {0}.audienceSyncGeneration <= {2}\n"
      "),\n"
      "past AS (\n"
      "  SELECT person, audience, min(name) AS name\n"
      "  FROM (SELECT person, one.audienceMembershipId AS audience, one.audienceMembershipName AS name\n"
      "        FROM once_ranked LATERAL VIEW explode(memberships) each_one AS one WHERE place = 1) written\n"
      "  WHERE audience IS NOT NULL\n"
      "  GROUP BY person, audience\n"
      "),\n"
      "past_audiences AS (\n"
      "  SELECT audience, max(name) AS name, count(1) AS total FROM past GROUP BY audience\n"
      "),\n"
      "back AS (\n"
      "  SELECT a.audience AS audience, a.name AS name\n"
      "  FROM audiences a LEFT JOIN past_audiences t ON t.audience = a.audience\n"
      "  WHERE a.held = 0 AND (t.audience IS NOT NULL{3})\n"
      "),\n"
      "still_there AS (\n"
      "  SELECT DISTINCT person AS person FROM people\n"
      "),\n"
      "coming AS (\n"
      "  SELECT p.person AS person, b.audience AS audience, b.name AS name,\n"
      "         CASE WHEN s.person IS NULL THEN 1 ELSE 0 END AS gone\n"
      "  FROM past p JOIN back b ON b.audience = p.audience LEFT JOIN still_there s ON s.person = p.person\n"
      "),\n"
      "wanted AS (\n"
      "  SELECT person, audience, name FROM coming WHERE gone = 0\n"
      "  UNION ALL\n"
      "  SELECT k.person, k.audience, k.name\n"
      "  FROM known k JOIN audiences h ON h.audience = k.audience LEFT JOIN back b ON b.audience = k.audience\n"
      "  WHERE b.audience IS NULL\n"
      "),\n",
      spark_name(spec.tenant), target, restore.generation, named);
}

// Two more parts of the answer.
std::string rows_of_past() {
  return "\nUNION ALL\n"
         "SELECT 'past', NULL, NULL, NULL, NULL, NULL, NULL, NULL, audience, name, NULL, total, 0, 0, 0, 0\n"
         "FROM past_audiences\n"
         "UNION ALL\n"
         "SELECT 'left_out', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,\n"
         "       l.people, l.memberships, o.people, 0, 0\n"
         "FROM (SELECT count(DISTINCT person) AS people, count(1) AS memberships FROM coming WHERE gone = 1) l\n"
         "CROSS JOIN (SELECT count(DISTINCT person) AS people FROM past) o";
}

std::string comment(std::string_view marker) { return fmt::format("-- {}\n", marker); }

}  // namespace

std::string spark_text(std::string_view text) {
  std::string out = "'";
  for (const char character : text) {
    if (character == '\'' || character == '\\') out += '\\';
    if (character == '$') {
      // Before a statement is read, ${env:...}, $parameter and $$ are looked for in it, also inside of literals.
      out += "\\u0024";
    } else if (character == '\n') {
      out += "\\n";
    } else {
      out += character;
    }
  }
  return out + '\'';
}

std::string spark_name(std::string_view path) {
  std::string out = "`";
  for (const char character : path) {
    if (character == '.') {
      out += "`.`";
    } else {
      out += character;
      if (character == '`') out += '`';
    }
  }
  return out + '`';
}

std::string changeset_select(const RelationSpec& spec, const RefreshRelations& relations, Extent extent,
                             const std::optional<Restore>& restore) {
  const auto field = spark_name(spec.identity_field);
  const auto raw = spec.person == PersonRule::Trim ? trimmed(field) : field;
  std::string sql = fmt::format(
      "WITH audiences AS (\n"
      "  {audiences}\n"
      "),\n"
      "profiles AS (\n"
      "  SELECT {raw} AS raw, segmentMembership AS memberships FROM {source}\n"
      "),\n"
      "people AS (\n"
      "  SELECT CASE WHEN raw <> '' AND bit_length(raw) <= {longest} AND instr(raw, chr(0)) = 0\n"
      "              THEN {person} END AS person, memberships\n"
      "  FROM profiles\n"
      "),\n"
      "by_space AS (\n"
      "  SELECT person, space, entries FROM people LATERAL VIEW explode(memberships) spaces AS space, entries\n"
      "),\n"
      "entries AS (\n"
      "  SELECT person, space, audience, entry.status AS status\n"
      "  FROM by_space LATERAL VIEW explode(entries) each_one AS audience, entry\n"
      "),\n"
      "meant AS (\n"
      "  SELECT e.person AS person, a.audience AS audience, a.name AS name, lower(e.status) AS status\n"
      "  FROM entries e JOIN audiences a ON a.audience = e.audience AND a.space = lower(e.space)\n"
      "  WHERE a.held = 0\n"
      "),\n",
      fmt::arg("audiences", audience_rows(spec)), fmt::arg("raw", raw), fmt::arg("source", relations.source),
      fmt::arg("person", normalised(spec.person, "raw")), fmt::arg("longest", kLongestPersonId * kBitsOfByte));
  sql += target_rows(spec, relations.target);
  sql += restore ? wanted_of_past(spec, relations.target, *restore) : wanted_of_export(spec);
  sql +=
      "pairs AS (\n"
      "  SELECT coalesce(w.person, k.person) AS person, coalesce(w.audience, k.audience) AS audience,\n"
      "         w.name AS name, k.name AS name_before,\n"
      "         CASE WHEN k.person IS NULL THEN 0 ELSE 1 END AS is_in,\n"
      "         CASE WHEN w.person IS NULL THEN 0 ELSE 1 END AS shall_be\n"
      "  FROM wanted w FULL OUTER JOIN known k ON k.person = w.person AND k.audience = w.audience\n"
      "),\n";
  sql += extent == Extent::Everyone
             ? "written AS (\n"
               "  SELECT person FROM pairs UNION SELECT person FROM newest\n"
               "),\n"
             : "written AS (\n"
               "  SELECT DISTINCT person FROM pairs WHERE is_in <> shall_be OR NOT (name <=> name_before)\n"
               "),\n";
  sql += fmt::format(
      "lists AS (\n"
      "  SELECT c.person AS person,\n"
      "         sort_array(collect_list(CASE WHEN p.shall_be = 1 THEN struct(p.audience AS audienceMembershipId,\n"
      "           p.name AS audienceMembershipName) END)) AS memberships,\n"
      "         count(CASE WHEN p.shall_be = 1 THEN 1 END) AS total,\n"
      "         concat_ws(',', sort_array(collect_list(CASE WHEN p.shall_be > p.is_in THEN p.audience END))) AS "
      "entered,\n"
      "         concat_ws(',', sort_array(collect_list(CASE WHEN p.shall_be < p.is_in THEN p.audience END))) AS gone\n"
      "  FROM written c LEFT JOIN pairs p ON p.person = c.person\n"
      "  GROUP BY c.person\n"
      ")\n"
      "SELECT 'person' AS part, sha2(concat({uid}, chr(31), l.person), 256) AS record_id, l.person AS person,\n"
      "       l.memberships AS memberships, l.total AS total, CASE WHEN n.person IS NULL THEN 0 ELSE 1 END AS known,\n"
      "       l.entered AS entered, l.gone AS gone, NULL AS audience, NULL AS name, NULL AS name_before, NULL AS was,\n"
      "       NULL AS will_be, NULL AS came, NULL AS went, NULL AS renamed\n"
      "FROM lists l LEFT JOIN newest n ON n.person = l.person\n"
      "UNION ALL\n"
      "SELECT 'audience', NULL, NULL, NULL, NULL, NULL, NULL, NULL, audience,\n"
      "       coalesce(max(name), max(name_before)),\n"
      "       max(CASE WHEN is_in = shall_be AND NOT (name <=> name_before) THEN name_before END),\n"
      "       count(CASE WHEN is_in = 1 THEN 1 END), count(CASE WHEN shall_be = 1 THEN 1 END),\n"
      "       count(CASE WHEN shall_be > is_in THEN 1 END), count(CASE WHEN shall_be < is_in THEN 1 END),\n"
      "       count(CASE WHEN is_in = shall_be AND NOT (name <=> name_before) THEN 1 END)\n"
      "FROM pairs GROUP BY audience\n"
      "UNION ALL\n"
      "SELECT 'everyone', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,\n"
      "       e.before, e.after, g.newest, 0, 0\n"
      "FROM (SELECT count(DISTINCT CASE WHEN is_in = 1 THEN person END) AS before,\n"
      "             count(DISTINCT CASE WHEN shall_be = 1 THEN person END) AS after FROM pairs) e\n"
      "CROSS JOIN (SELECT coalesce(max(generation), 0) AS newest FROM newest) g\n"
      "UNION ALL\n"
      "SELECT 'rows', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,\n"
      "       r.total, r.nobody, r.long_ids, s.strange, r.unwritable\n"
      "FROM (SELECT count(1) AS total, count(CASE WHEN raw IS NULL OR raw = '' THEN 1 END) AS nobody,\n"
      "             count(CASE WHEN bit_length(raw) > {longest} THEN 1 END) AS long_ids,\n"
      "             count(CASE WHEN bit_length(raw) <= {longest} AND instr(raw, chr(0)) > 0 THEN 1 END) AS unwritable\n"
      "      FROM profiles) r\n"
      "CROSS JOIN (SELECT count(1) AS strange FROM meant WHERE status IS NULL OR status NOT IN ({known})) s",
      fmt::arg("uid", spark_text(spec.uid)), fmt::arg("longest", kLongestPersonId * kBitsOfByte),
      fmt::arg("known", text_list(known_words(spec))));
  if (restore) sql += rows_of_past();
  return sql;
}

std::string create_changeset(const std::string& table, std::string_view select, std::string_view marker) {
  return fmt::format("{}CREATE TABLE {} AS\n{}", comment(marker), table, select);
}

std::string insert_changeset(const RelationSpec& spec, const std::string& target, const std::string& changeset,
                             std::int64_t generation, std::string_view marker) {
  return fmt::format(
      "{}INSERT INTO {}\n"
      "SELECT record_id AS _id, person AS personID,\n"
      "       struct(memberships AS audienceMembership, total AS audienceMembershipCount,\n"
      "              CAST({} AS BIGINT) AS audienceSyncGeneration) AS {}\n"
      "FROM {}\n"
      "WHERE part = 'person'",
      comment(marker), target, generation, spark_name(spec.tenant), changeset);
}

std::string count_changeset(const std::string& changeset) {
  return fmt::format(
      "SELECT part, audience, name, name_before, was, will_be, came, went, renamed FROM {0}\n"
      "WHERE part <> 'person'\n"
      "UNION ALL\n"
      "SELECT 'people', NULL, NULL, NULL, count(1), count(CASE WHEN known = 0 THEN 1 END),\n"
      "       count(CASE WHEN total = 0 THEN 1 END), 0, 0 FROM {0} WHERE part = 'person'",
      changeset);
}

std::string sample_changeset(const std::string& changeset, SampleKind kind, std::size_t most) {
  const char* which = "known = 1 AND total > 0";
  if (kind == SampleKind::New) which = "known = 0";
  if (kind == SampleKind::Leaves) which = "known = 1 AND total = 0";
  return fmt::format(
      "SELECT person, entered, gone, total FROM {} WHERE part = 'person' AND {} AND (entered <> '' OR gone <> '')\n"
      "ORDER BY record_id LIMIT {}",
      changeset, which, most);
}

}  // namespace audiencesync
