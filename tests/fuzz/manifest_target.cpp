// A manifest and a settings file, from anybody who may open a pull request.
#include "bench/pieces/memory_files.h"
#include "engine/base/json.h"
#include "engine/manifest/manifest.h"
#include "engine/manifest/settings.h"
#include "tests/fuzz/target.h"

namespace audiencesync::testing {

void fuzz_manifest(std::string_view bytes) {
  bench::MemoryFiles files;
  files.content["m.yaml"] = std::string(bytes);
  ManifestRules rules;
  rules.variables["STAGE"] = "dev";
  const auto manifest = load_manifest(files, "m.yaml", rules);
  fuzz_expect(manifest.ok() != !manifest.problems.empty(), "a manifest is good, or has a problem");
  for (const auto& problem : manifest.problems) fuzz_expect(!problem.text().empty(), "a problem says what is wrong");
  if (manifest.ok()) {
    fuzz_expect(!manifest.value->audiences.empty(), "a good manifest has audiences");
    fuzz_expect(to_json(manifest.value->canonical()) == to_json(manifest.value->canonical()), "its digest is its own");
  }
  const auto settings = load_settings(files, "m.yaml");
  fuzz_expect(settings.ok() != !settings.problems.empty(), "settings are good, or have a problem");
}

std::vector<std::string> manifest_seeds() {
  return {R"(version: 1
name: luma-loyalty
tenant: _demoemea
identity: { field: _demoemea.identification.core.email, namespace: Email, normalize: lower }
schedule: { cron: "0 4 * * *", timezone: Europe/Berlin, jitter: 5m }
audiences:
  - { id: 9e3779b1-1111-4222-8333-00004189374b, name: "Luma - Blue+ Members" }
  - name: Luma - Platinum   # looked up
source: { statuses: [realized, entered], max_age: 36h, merge_policy: ${STAGE} }
target: { layout: person, row_rule: replace, compact_every: 7d }
guard: { max_removals: [10%, 500], min_people: 100, allow_empty_audience: false }
analytics: { connection: Luma, tolerance: 2%, lookback: 30d }
)",
          "version: 1\nname: a\nextends: b.yaml\nx: &a [*a]\n",
          "version: 1\norganizations:\n  default: { organization_id: X@AdobeOrg, credential: adobe }\nlimits: { "
          "memory: 256MB }\ntiming: { settle: 90s }\n",
          "- {a: !!binary aGVsbG8=, ? [x] : |\n    text\n}\n", "\"\\u0000\": \xFF\n"};
}

}  // namespace audiencesync::testing
