#include <gtest/gtest.h>

#include "emulator/query/spark_hash.h"
#include "emulator/query/sql_tokens.h"
#include "sql_tables.h"

namespace emulator {
namespace {

struct QueryCase {
  const char* name;
  const char* sql;
  const char* rows;
};

class Dialect : public testing::TestWithParam<QueryCase> {};

TEST_P(Dialect, GivesTheRowsThatSparkGives) {
  SqlTables tables;
  EXPECT_EQ(tables.rows(GetParam().sql), GetParam().rows);
}

constexpr const char* kExploded = "SELECT _acme.core.email AS pid, explode(segmentMembership.ups) FROM people";

const QueryCase kQueries[] = {
    {"path_into_structs", "SELECT _acme.core.email FROM people WHERE score = 3", "ann@x.com"},
    {"path_behind_an_alias", "SELECT p._acme.core.email FROM people p WHERE p.score = 3", "ann@x.com"},
    {"map_by_bracket", "SELECT segmentMembership['ups']['a-1'].status FROM people ORDER BY score",
     "realized realized ~"},
    {"map_by_dot", "SELECT segmentMembership.ups.`a-2`.status FROM people ORDER BY score DESC", "~ exited ~"},
    {"array_from_zero", "SELECT tags[0], tags[5] FROM people WHERE score = 3", "x,~"},
    {"explode_map",
     "SELECT pid, key, value.since FROM (SELECT _acme.core.email AS pid, "
     "explode(segmentMembership['ups']) FROM people) ORDER BY value.since",
     "ann@x.com,a-1,1 ann@x.com,a-2,2 ~,a-1,5"},
    {"explode_map_named", "SELECT explode(segmentMembership.ups) AS (k, v) FROM people WHERE score = 3",
     "a-1,(realized,1) a-2,(exited,2)"},
    {"explode_array", "SELECT score, explode(tags) FROM people", "3,x 3,y"},
    {"explode_outer", "SELECT score, explode_outer(tags) AS tag FROM people ORDER BY score, tag", "~,~ 3,x 3,y 4,~"},
    {"inline_array", "SELECT inline(array(struct(1 AS a, 'u' AS b), struct(2 AS a, 'v' AS b)))", "1,u 2,v"},
    {"lateral_view",
     "SELECT score, k FROM people LATERAL VIEW explode(segmentMembership.ups) m AS k, v "
     "WHERE v.status = 'realized' ORDER BY score",
     "~,a-1 3,a-1"},
    {"lateral_view_outer", "SELECT score, tag FROM people LATERAL VIEW OUTER explode(tags) AS tag ORDER BY score, tag",
     "~,~ 3,x 3,y 4,~"},
    {"row_numbers_as_text", "SELECT ROW_NUMBER() OVER (ORDER BY id)::text AS n, id FROM names ORDER BY n",
     "1,a-1 2,a-2"},
    {"windows",
     "SELECT id, sum(1) OVER (PARTITION BY 1 ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) "
     "FROM names ORDER BY id",
     "a-1,1 a-2,2"},
    {"nulls_first_when_rising", "SELECT score FROM people ORDER BY score", "~ 3 4"},
    {"nulls_last_when_falling", "SELECT score FROM people ORDER BY score DESC", "4 3 ~"},
    {"sha2_is_lower_case_hex", "SELECT sha2(concat_ws('|', 'a', 'b'), 256)",
     "0eab8a0a3380abf4c7d1fb0b43b66aafbb64a4b953e4eb2dccca579461912d0c"},
    {"concat_is_null_when_a_part_is", "SELECT concat('a', NULL), concat('a', 1)", "~,a1"},
    {"concat_ws_skips_null", "SELECT concat_ws('-', 'a', NULL, array('b', 'c'))", "a-b-c"},
    {"texts_in_a_row_are_one", "SELECT 'it''s', 'it\\'s'", "its,it's"},
    {"lower_trim", "SELECT lower(trim(_acme.core.email)) FROM people WHERE score = 4", "bob@x.com"},
    {"division_by_nothing", "SELECT 1 / 0, 5 % 0, 7 DIV 2", "~,~,3"},
    {"pmod_is_never_negative", "SELECT pmod(-7, 5), -7 % 5", "3,-2"},
    {"hash_of_texts", "SELECT hash('ABC'), hash('ABC', 'DEF')", "-757602832,599895104"},
    {"collect_set",
     "SELECT concat_ws(',', sort_array(collect_set(status))) FROM (SELECT value.status AS status FROM "
     "(SELECT explode(segmentMembership.ups) FROM people))",
     "exited,realized"},
    {"size_of_null", "SELECT size(tags) FROM people ORDER BY score", "-1 2 0"},
    {"element_at", "SELECT element_at(segmentMembership.ups, 'a-1').since FROM people WHERE score = 3", "1"},
    {"structs_are_text_without_names", "SELECT struct(1 AS a, struct('x' AS c) AS b) s, named_struct('q', true)",
     "(1,(x)),(t)"},
    {"struct_names", "SELECT to_json(struct('v' AS a, 2, id)) FROM names WHERE id = 'a-1'",
     "{\"a\":\"v\",\"col2\":2,\"id\":\"a-1\"}"},
    {"maps_are_text", "SELECT map('k', struct(1 AS a))", "[k -> \"(1)\"]"},
    {"nothing_in_them_is_no_null", "SELECT tags FROM people ORDER BY score", "~ {x,y} {}"},
    {"trim_of_characters", "SELECT trim(BOTH concat(' ', chr(9)) FROM concat(chr(9), ' a b ', chr(9)))", "a b"},
    {"translate", "SELECT translate('AbÄ', 'ABÄ', 'ab'), bit_length('aÄ'), octet_length('aÄ')", "ab,24,3"},
    {"booleans", "SELECT 1 = 1, 1 = 2, NULL = 1", "t,f,~"},
    {"null_safe_equality", "SELECT NULL <=> NULL, 1 <=> NULL, 1 == 1", "t,f,t"},
    {"to_json_leaves_null_out", "SELECT to_json(struct(1 AS a, NULL AS b))", "{\"a\":1}"},
    {"get_json_object", "SELECT get_json_object('{\"a\":{\"b\":7}}', '$.a.b')", "7"},
    {"casts_that_fail_are_null", "SELECT 'x'::int, CAST('7' AS bigint), '1.5'::double precision", "~,7,1.5"},
    {"the_platforms_clock", "SELECT date_format(current_timestamp, 'yyyy-MM-dd HH:mm:ss'), current_date()",
     "2026-03-04 05:06:07,2026-03-04"},
    {"choices", "SELECT if(1 > 2, 'a', 'b'), nvl(NULL, 'c'), CASE 1 WHEN 1 THEN 'd' ELSE 'e' END", "b,c,d"},
    {"in_and_between", "SELECT id FROM names WHERE id IN ('a-1', 'z') AND name NOT LIKE 'S%' AND 2 BETWEEN 1 AND 3",
     "a-1"},
    {"anti_join", "SELECT n.id FROM names n LEFT ANTI JOIN (SELECT 'a-1' AS id) x ON n.id = x.id", "a-2"},
    {"left_join", "SELECT n.id FROM names n LEFT JOIN (SELECT 'a-1' AS id) x ON n.id = x.id WHERE x.id IS NULL", "a-2"},
    {"correlated_not_exists",
     "SELECT id FROM names n WHERE NOT EXISTS (SELECT 1 FROM people p WHERE "
     "p.segmentMembership.ups.`a-2`.status = 'exited' AND n.id = 'a-2')",
     "a-1"},
    {"with", "WITH t AS (SELECT id FROM names), u(x) AS (SELECT id FROM t) SELECT x FROM u ORDER BY x", "a-1 a-2"},
    {"union_and_values", "SELECT * FROM (SELECT 1 AS a UNION ALL SELECT 2 UNION SELECT 2) ORDER BY a", "1 2"},
    {"values", "SELECT t.x, y FROM VALUES (1, 'a'), (2, 'b') AS t(x, y) ORDER BY x DESC", "2,b 1,a"},
    {"group_by_alias", "SELECT lower(name) AS n, count(*) FROM names GROUP BY n HAVING count(*) > 0 ORDER BY n",
     "gold,1 silver,1"},
    {"distinct_from", "SELECT id IS DISTINCT FROM 'a-1' FROM names ORDER BY id", "f t"},
    {"using", "SELECT id, a.name FROM names a JOIN names b USING (id) ORDER BY id", "a-1,Gold a-2,Silver"},
    {"count_if_filter", "SELECT count(*) FILTER (WHERE score > 3), count(DISTINCT score) FROM people", "1,2"},
    {"exclamation_mark", "SELECT ! (1 = 2), 1 != 2", "t,t"},
    {"comments", "SELECT 1 -- one\n /* and\n */ + 1", "2"},
    {"history", "SELECT is_current FROM (SELECT history_meta('people'))", "t"},
};

INSTANTIATE_TEST_SUITE_P(Queries, Dialect, testing::ValuesIn(kQueries), [](const auto& one) { return one.param.name; });

class Refusals : public testing::TestWithParam<QueryCase> {};

TEST_P(Refusals, NameTheWordAndItsPlace) {
  SqlTables tables;
  EXPECT_EQ(tables.refused(GetParam().sql), GetParam().rows);
}

const QueryCase kRefusals[] = {
    {"unknown_function", "SELECT map_filter(segmentMembership, 1) FROM people",
     "0A000 at 7: the function 'map_filter' is not supported"},
    {"unknown_statement", "UPDATE names SET id = 1", "0A000 at 0: 'UPDATE' is not supported"},
    {"overwrite", "INSERT OVERWRITE names SELECT 1", "0A000 at 7: 'OVERWRITE' is not supported"},
    {"unknown_table", "SELECT 1 FROM nowhere", "42P01 at 14: there is no table 'nowhere'"},
    {"unknown_column", "SELECT nothing FROM names", "42703 at 7: there is no column 'nothing'"},
    {"unknown_field", "SELECT _acme.core.fax FROM people", "42703 at 18: there is no field 'fax'"},
    {"catalog", "SELECT 1 FROM pg_catalog.pg_class", "0A000 at 14: the schema 'pg_catalog' is not supported"},
    {"catalog_of_psql", "SELECT c.relname FROM pg_catalog.pg_class c WHERE c.relname !~ '^pg_'",
     "0A000 at 22: the schema 'pg_catalog' is not supported"},
    {"syntax", "SELECT 1 +", "42601 at 10: the statement ends where an expression is expected"},
    {"open_text", "SELECT 'a", "42601 at 7: a text is never closed"},
    {"wrapped_select", "INSERT INTO names (SELECT 1)", "42601 at 18: the SELECT must not be wrapped in parentheses"},
    {"two_generators", "SELECT explode(tags), explode(tags) FROM people",
     "42601 at 22: only one generator is allowed in a SELECT"},
    {"generator_inside", "SELECT upper(explode(tags)) FROM people",
     "0A000 at 13: the function 'explode' is not supported"},
    {"ambiguous", "SELECT id FROM names a, names b",
     "42702 at 7: the column 'id' is in more than one table; write the table before it"},
    {"odd_character", "SELECT 1 @ 2", "0A000 at 9: the character '@' is not supported"},
    {"block", "$$ BEGIN END $$", "0A000 at 0: the character '$' is not supported"},
    {"parameter", "SELECT $key", "42601 at 7: the parameter $key has no value"},
    {"sha_512", "SELECT sha2('a', 512)", "0A000 at 7: the function 'sha2' is not supported with 512 bits; write 256"},
    {"interval", "SELECT 1 + INTERVAL 1 DAY", "0A000 at 11: 'INTERVAL' is not supported"},
};

INSTANTIATE_TEST_SUITE_P(Words, Refusals, testing::ValuesIn(kRefusals), [](const auto& one) { return one.param.name; });

TEST(SqlStatements, TellTheirPartsApart) {
  SqlTables tables;
  const SqlStatement made = sql_statement(
      "CREATE TABLE IF NOT EXISTS fresh WITH (schema='A Title', rowvalidation='false') AS SELECT id FROM names",
      tables);
  EXPECT_EQ(made.kind, SqlStatement::Kind::CreateTable);
  EXPECT_EQ(made.name, "fresh");
  EXPECT_TRUE(made.if_exists);
  EXPECT_EQ(made.options.at("schema"), "A Title");
  EXPECT_EQ(made.query.datasets, std::vector<std::string>{"dataset of names"});
  EXPECT_EQ(made.text, "SELECT id FROM names");

  const SqlStatement fetch = sql_statement("FETCH FORWARD 100 FROM c", tables);
  EXPECT_EQ(fetch.kind, SqlStatement::Kind::Fetch);
  EXPECT_EQ(fetch.count, 100U);

  const SqlStatement setting = sql_statement("SET auto_to_json=true", tables);
  EXPECT_EQ(setting.name + "=" + setting.value, "auto_to_json=true");

  const std::string two = "SELECT 1; SHOW TABLES";
  const SqlStatement first = sql_statement(two, tables);
  EXPECT_EQ(first.end, 10U);
  EXPECT_EQ(sql_statement(two, tables, first.end).kind, SqlStatement::Kind::ShowTables);
}

TEST(SqlStatements, TellALimitAndWhatALimitOfNothingMeans) {
  SqlTables tables;
  EXPECT_FALSE(sql_statement("SELECT id FROM names", tables).query.limit);
  EXPECT_EQ(sql_statement("SELECT id FROM names LIMIT 1", tables).query.limit, 1U);
  EXPECT_EQ(sql_statement("SELECT id FROM names LIMIT 0", tables).query.limit, 0U);
  EXPECT_FALSE(sql_statement("SELECT id FROM (SELECT id FROM names LIMIT 1)", tables).query.limit);
  EXPECT_EQ(tables.rows("SELECT id FROM names ORDER BY id LIMIT 0"), "a-1 a-2");
}

TEST(SqlStatements, AskForTheSnapshotThatIsWritten) {
  SqlTables tables;
  tables.rows(
      "SELECT 1 FROM people SNAPSHOT SINCE 12 p, names SNAPSHOT AS OF '34', people SNAPSHOT BETWEEN HEAD AND TAIL");
  ASSERT_EQ(tables.asked.size(), 3U);
  EXPECT_EQ(tables.asked[0].after, "12");
  EXPECT_FALSE(tables.asked[0].until);
  EXPECT_EQ(tables.asked[1].until, "34");
  EXPECT_EQ(tables.asked[2].after.value_or("") + tables.asked[2].until.value_or(""), "HEADTAIL");
}

TEST(SqlColumns, HaveTheNamesOfSpark) {
  SqlTables tables;
  EXPECT_EQ(
      tables.columns("SELECT _acme.core.email, count(*), lower(name) AS n, name x, 'a', upper(name) FROM people, names "
                     "GROUP BY ALL"),
      "email,count(1),n,x,a,upper(name)");
  EXPECT_EQ(tables.columns(kExploded), "pid,key,value");
}

TEST(SparkHash, IsSparksOwn) {
  EXPECT_EQ(spark_hash_text("ABC", 42), -757602832);
  EXPECT_EQ(spark_hash_int(1, 42), -559580957);
  EXPECT_EQ(spark_hash_long(1, 42), -1712319331);
}

}  // namespace
}  // namespace emulator
