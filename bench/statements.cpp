// Prints the statements of engine query-service for the benchmark's population, as JSON: `base` and `keep` make the
// target out of the old generation, `compare` and `write` are what is measured.
//
// usage: bench_statements
#include <fmt/format.h>

#include <string>
#include <utility>

#include "bench/wanted.h"
#include "engine/base/json.h"
#include "engine/membership/query/refresh_sql.h"

int main() {
  using namespace audiencesync;
  const auto spec = bench::wanted_relation();
  const std::pair<const char*, std::string> statements[] = {
      {"base", create_changeset("base", changeset_select(spec, {"old_profiles", ""}, Extent::Everyone), "base")},
      {"keep", insert_changeset(spec, "records", "base", 1, "keep")},
      {"compare",
       create_changeset("changeset", changeset_select(spec, {"new_profiles", "records"}, Extent::Changes), "compare")},
      {"write", insert_changeset(spec, "written", "changeset", 2, "write")},
  };
  std::string out;
  for (const auto& [name, sql] : statements) {
    out += fmt::format("{}\"{}\":", out.empty() ? "{" : ",\n", name);
    append_json_string(out, sql);
  }
  fmt::print("{}}}\n", out);
  return 0;
}
