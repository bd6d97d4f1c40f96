#include "tests/fuzz/target.h"

#include <cstdio>
#include <cstdlib>

namespace audiencesync::testing {

std::span<const FuzzTarget> fuzz_targets() {
  static const FuzzTarget kTargets[] = {
      {"json", fuzz_json, json_seeds, 4000},
      {"parquet", fuzz_parquet, parquet_seeds, 4000},
      {"snapshot_file", fuzz_snapshot_file, snapshot_file_seeds, 2000},
      {"snapshot_rows", fuzz_snapshot_rows, row_seeds, 6000},
      {"changeset_rows", fuzz_changeset_rows, row_seeds, 6000},
      {"manifest", fuzz_manifest, manifest_seeds, 3000},
  };
  return kTargets;
}

void fuzz_expect(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

}  // namespace audiencesync::testing
