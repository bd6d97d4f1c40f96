// A Parquet export: footer, pages, levels, dictionaries, values.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "bench/pieces/memory_files.h"
#include "engine/membership/parquet/parquet_person_source.h"
#include "tests/fuzz/target.h"
#include "tests/membership/collecting_sink.h"
#include "tests/membership/duck.h"

namespace audiencesync::testing {
namespace {

class NoFallback final : public PersonSource {
 public:
  Result<std::uint64_t> read(const std::vector<Path>&, const SourceColumns&,
                             const std::function<Result<void>(const SourceRow&)>&) override {
    return Error(ErrorCode::Corrupt, "not for our reader");
  }
};

std::string written(Duck& duck, const std::string& select, const std::string& options) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("audiencesync-fuzz-{}.parquet", ::getpid());
  duck.write(select, path, options);
  std::ifstream in(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(in), {});
  std::filesystem::remove(path);
  return bytes;
}

}  // namespace

void fuzz_parquet(std::string_view bytes) {
  bench::MemoryFiles files;
  files.content["export.parquet"] = std::string(bytes);
  const NamedAudiences audiences({"A0", "A1", "A2"});
  NoFallback none;
  ParquetPersonSource source(files, none);
  CollectingSink sink(audiences);
  PersonSink* const sinks[] = {&sink};
  const auto read = source.read_batches({"export.parquet"}, {"_demo.email", ""}, audiences, sinks);
  if (!read.ok()) fuzz_expect(!read.error().message().empty(), "an error says what is wrong");
}

std::vector<std::string> parquet_seeds() {
  Duck duck;
  const auto rows = [](int count) {
    return fmt::format(
        "SELECT {{'email': CASE WHEN i % 7 = 0 THEN NULL ELSE 'p' || (i % 40) || '@x.io' END}} AS _demo, "
        "CASE WHEN i % 11 = 0 THEN NULL ELSE MAP {{'ups': map_from_entries(list_transform(range(i % 4), x -> "
        "{{'key': 'A' || x, 'value': {{'lastQualificationTime': TIMESTAMP '2024-05-06', 'status': CASE WHEN (i + x) % "
        "3 = 0 THEN 'exited' ELSE 'realized' END}}}})), 'aam': map_from_entries(list_transform(range(i % 2), x -> "
        "{{'key': 'A' || x, 'value': {{'lastQualificationTime': TIMESTAMP '2024-05-06', 'status': "
        "NULL::VARCHAR}}}}))}} "
        "END AS \"segmentMembership\" FROM range({}) t(i)",
        count);
  };
  std::vector<std::string> seeds;
  for (const char* const options : {", COMPRESSION snappy", ", COMPRESSION zstd", ", COMPRESSION gzip",
                                    ", COMPRESSION uncompressed", ", COMPRESSION uncompressed, PARQUET_VERSION v2"}) {
    seeds.push_back(written(duck, rows(60), options));
  }
  seeds.push_back(written(duck, rows(3), ", COMPRESSION uncompressed"));
  seeds.push_back(written(duck, rows(5000), ", COMPRESSION snappy, ROW_GROUP_SIZE 2048"));
  return seeds;
}

}  // namespace audiencesync::testing
