// A JSON export. Beside surviving it, the short cut through ordinary records and the complete reader must agree.
#include <fmt/format.h>

#include "bench/pieces/memory_files.h"
#include "engine/membership/json/json_person_source.h"
#include "tests/fuzz/target.h"
#include "tests/membership/collecting_sink.h"
#include "tests/membership/compress.h"

namespace audiencesync::testing {
namespace {

struct Reading {
  bool ok = false;
  std::vector<std::string> rows;
  std::vector<std::string> broken;
  std::uint64_t unknown = 0;
};

Reading read_json(const std::string& text) {
  bench::MemoryFiles files;
  files.content["export.json"] = text;
  const NamedAudiences audiences({"A1", "A2", "größe"});
  JsonPersonSource source(files);
  CollectingSink sink(audiences);
  PersonSink* const sinks[] = {&sink};
  Reading reading;
  reading.ok = source.read_batches({"export.json"}, {"_demo.email", "Email"}, audiences, sinks).ok();
  reading.rows = std::move(sink.rows);
  reading.broken = std::move(sink.broken);
  reading.unknown = sink.unknown;
  return reading;
}

bool is_lines(std::string_view text) {
  if (text.starts_with("\x1F\x8B") || text.starts_with("\x28\xB5\x2F\xFD")) return false;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] != '[';
}

}  // namespace

void fuzz_json(std::string_view bytes) {
  std::string text(bytes);
  const auto as_it_is = read_json(text);
  if (!is_lines(text)) return;
  if (text.back() != '\n') text += '\n';
  const auto fast = read_json(text);
  // A string without an end keeps the short cut from the whole block.
  auto slow = read_json(text + "{\"broken\n");
  fuzz_expect(fast.ok && slow.ok, "lines are rows, or counted as broken");
  fuzz_expect(!slow.broken.empty(), "a line that is cut is broken");
  slow.broken.pop_back();
  fuzz_expect(fast.rows == slow.rows && fast.broken == slow.broken && fast.unknown == slow.unknown,
              "both ways through JSON give the same rows");
  if (as_it_is.ok) fuzz_expect(as_it_is.rows == fast.rows, "an end of line at the end means nothing");
}

std::vector<std::string> json_seeds() {
  const std::string in = R"({"lastQualificationTime":"2024-05-06T07:08:09Z","status":"realized"})";
  const auto profile = [](std::string_view person, std::string_view members) {
    return fmt::format(R"({{"_demo":{{"email":{}}},"segmentMembership":{{"ups":{{{}}}}}}})", person, members);
  };
  const auto plain = profile("\"anna@x.io\"", fmt::format(R"("A1":{},"A9":{},"größe":{})", in, in, in));
  const auto strange =
      profile("\"a\\u0041\\n\"", R"("A1":{"status":"strange","x":[{},[]]},"A2":"realized","A9":{"y":"}"})");
  const auto mapped = R"({"identityMap":{"Email":[{"id":"b@x.io","primary":true}]},"xdm:segmentMembership":{"UPS":[)"
                      R"({"key":"A1","value":{"xdm:status":"existing"}}]}})";
  const std::string lines = fmt::format("{}\n{}\n\n {} \r\n{}\n", plain, strange, mapped, profile("17", ""));
  const auto array = fmt::format("[{} ,\n{},{}]\n", plain, strange, mapped);
  return {
      lines, plain + "\n" + plain + "\n" + plain + "\n", array, gzip(lines), zstd(array), "\xEF\xBB\xBF" + lines, "{",
      "[]"};
}

}  // namespace audiencesync::testing
