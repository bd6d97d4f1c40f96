#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/manifest/yaml_document.h"
#include "tests/manifest/manifest_world.h"

namespace audiencesync {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// Bytes that are no usable YAML, and the one thing that is said about them.
struct BadYaml {
  const char* name;
  std::string text;
  std::string problem;
};

void PrintTo(const BadYaml& bad, std::ostream* out) { *out << bad.name; }

class BadYamlTest : public testing::TestWithParam<BadYaml> {};

TEST_P(BadYamlTest, EndsWithOneClearMessage) {
  EXPECT_THAT(texts(load_text(GetParam().text).problems), ElementsAre(GetParam().problem));
}

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

std::string numbered_keys(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += "k" + std::to_string(i) + ": 1\n";
  return out;
}

const std::string kOneDocument =
    "a second document starts here; keep one document in a file, and check the indentation if you see only one";
const std::string kAnchors =
    "anchors (&name) are not supported; repeat the value, or put shared parts into a file for 'extends'";

INSTANTIATE_TEST_SUITE_P(
    Bytes, BadYamlTest,
    testing::Values(
        BadYaml{"ten_megabytes", std::string(10'485'760, '#'),
                "m.yaml: the file has 10485760 bytes, at most 1048576 are read; check that it is the right file, or "
                "split it"},
        BadYaml{"latin_1", "version: 1\nname: caf\xe9\n",
                "m.yaml:2:10: byte 0xe9 at offset 20 is not UTF-8; save the file as UTF-8"},
        BadYaml{"column_counts_characters", "version: 1\nname: \xc3\xa9\xc3\xa9\xff\n",
                "m.yaml:2:9: byte 0xff at offset 21 is not UTF-8; save the file as UTF-8"},
        BadYaml{"utf_16", "\xff\xfev\0e\0"s, "m.yaml:1:1: byte 0xff at offset 0 is not UTF-8; save the file as UTF-8"},
        BadYaml{"overlong", "a: \xc0\xaf\n", "m.yaml:1:4: byte 0xc0 at offset 3 is not UTF-8; save the file as UTF-8"},
        BadYaml{"surrogate", "a: \xed\xa0\x80\n",
                "m.yaml:1:4: byte 0xed at offset 3 is not UTF-8; save the file as UTF-8"},
        BadYaml{"nul", "version: 1\0\n"s, "m.yaml:1:11: control character 0x00 at offset 10; remove it"},
        BadYaml{"escape", "name: \x1b[31mred\n", "m.yaml:1:7: control character 0x1b at offset 6; remove it"},
        BadYaml{"tab", "identity:\n\tfield: x\n", "m.yaml:2:1: tab used for indentation; use blanks"},
        BadYaml{"tab_after_blanks", "identity:\n  \tfield: x\n", "m.yaml:2:3: tab used for indentation; use blanks"}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Limits, BadYamlTest,
    testing::Values(
        BadYaml{"bomb", "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n", "m.yaml:1:4: " + kAnchors},
        BadYaml{"alias", "a: 1\nb: *x\n",
                "m.yaml:2:4: '*' at the start of a value means an alias; put the value in quotes, for example "
                "\"* * * * *\""},
        BadYaml{"tag", "a: !!python/object x\n",
                "m.yaml:1:4: tags (!name) are not supported; remove the tag, and put the text in quotes if it starts "
                "with '!'"},
        BadYaml{"deep_lists", "a: " + repeated("[", 40) + repeated("]", 40) + "\n",
                "m.yaml:1:35: nested more than 32 levels deep; remove the nesting"},
        BadYaml{"deep_blocks", repeated("- ", 200'000),
                "m.yaml:1:65: nested more than 32 levels deep; remove the nesting"},
        BadYaml{"half_a_million_brackets", repeated("[", 500'000),
                "m.yaml:1:1001: more than 1000 open brackets; remove the nesting"},
        BadYaml{"wide", "a: [" + repeated("x,", 120'000) + "x]\n",
                "m.yaml:1:199999: more than 100000 nodes; split the file"},
        BadYaml{"many_keys", numbered_keys(60'000), "m.yaml:1001:1: more than 1000 keys in one map; split it"}),
    [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Syntax, BadYamlTest,
    testing::Values(
        BadYaml{"empty", "", "m.yaml: the file is empty; start with 'version: 1'"},
        BadYaml{"only_a_comment", "# nothing\n", "m.yaml: the file is empty; start with 'version: 1'"},
        BadYaml{"list", "- a\n", "m.yaml:1:1: the file must be a map of keys and values; start with 'version: 1'"},
        BadYaml{"two_documents", "a: 1\n---\nb: 2\n", "m.yaml:2:1: " + kOneDocument},
        BadYaml{"first_key_indented", " a: 1\nb: 2\n", "m.yaml:2:1: " + kOneDocument},
        BadYaml{"colon_in_text", "name: Luma: Gold\n",
                "m.yaml:1:11: not YAML here: a ':' where no key can be; check the indentation, and put values that "
                "contain ': ' in quotes"},
        BadYaml{"quote_never_ends", "a: 1\nb: \"x\nc: 2\n",
                "m.yaml:2:4: the quoted text that starts here never ends; add the closing quote"},
        BadYaml{"single_quote_never_ends", "b: 'it''s\n",
                "m.yaml:1:4: the quoted text that starts here never ends; add the closing quote"},
        BadYaml{"bracket_never_closes", "a: { b: 1\n",
                "m.yaml:2:1: not YAML here: a '[' or '{' before this place is not closed; close it"},
        BadYaml{"at_sign", "schedule: @daily\n", "m.yaml:1:11: a value must not start with '@'; put it in quotes"},
        BadYaml{"list_as_key", "? [a]\n: 1\n",
                "m.yaml:1:3: a key must be a text; if a value was meant to start here, put it in quotes"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(YamlTest, AFileThatIsTooBigIsNotRead) {
  const MemoryFiles files{{"m.yaml", std::string(kMaxYamlBytes + 1, '#')}};
  EXPECT_FALSE(load_manifest(files, "m.yaml", {}).ok());
  EXPECT_EQ(files.reads(), 0);
}

TEST(YamlTest, TheLargestFileIsRead) {
  std::string text(kMinimal);
  text += "#" + std::string(kMaxYamlBytes - text.size() - 2, 'x') + "\n";
  EXPECT_TRUE(load_text(text).ok());
}

TEST(YamlTest, EveryNodeKnowsItsPlace) {
  Problems problems;
  const auto root =
      parse_yaml("\xC3\xA4: { b: \"\xC3\xB6\", c: d }\nlist:\n  - e\n  - f: 1\n    g:\n", "p.yaml", problems);
  ASSERT_TRUE(root.has_value());
  ASSERT_TRUE(problems.empty());
  EXPECT_EQ(root->entries[0].place.text(), "p.yaml:1:1");
  EXPECT_EQ(root->find_path({"\xC3\xA4", "b"})->place.text(), "p.yaml:1:9");
  EXPECT_EQ(root->find_path({"\xC3\xA4", "c"})->place.text(), "p.yaml:1:17");
  const auto& list = *root->find_path({"list"});
  EXPECT_EQ(list.place.text(), "p.yaml:3:3");
  EXPECT_EQ(list.items[0].place.text(), "p.yaml:3:5");
  EXPECT_EQ(list.items[1].entries[1].place.text(), "p.yaml:5:5");
  EXPECT_EQ(list.items[1].entries[1].value.place.text(), "p.yaml:5:5") << "an empty value is where its key is";
}

TEST(YamlTest, OtherSystemsWriteByteOrderMarksAndCarriageReturns) {
  std::string text = "\xEF\xBB\xBF";
  for (const char character : kMinimal) text += character == '\n' ? std::string("\r\n") : std::string(1, character);
  const auto loaded = load_text(text);
  ASSERT_THAT(texts(loaded.problems), IsEmpty());
  EXPECT_EQ(loaded.value->audiences[1].name, "Luma - Platinum");
  EXPECT_EQ(loaded.value->audiences[1].place.text(), "m.yaml:8:5");
}

TEST(YamlTest, TabsAreFineWhereTheyIndentNothing) {
  Problems problems;
  EXPECT_TRUE(parse_yaml("a: 1\t# tab before a comment\n\t\n\t# comment\nb: 2\n", "p.yaml", problems).has_value());
  EXPECT_TRUE(problems.empty());
}

}  // namespace
}  // namespace audiencesync
