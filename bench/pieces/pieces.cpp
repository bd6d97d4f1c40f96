// The inner pieces of the engine, each by itself on one thread and on data that are in memory: bench/run --pieces.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "bench/pieces/memory_files.h"
#include "bench/profiles.h"
#include "bench/sql.h"
#include "bench/wanted.h"
#include "engine/membership/audience_matcher.h"
#include "engine/membership/forgotten.h"
#include "engine/membership/json/json_file.h"
#include "engine/membership/json/json_person_source.h"
#include "engine/membership/json/record_reader.h"
#include "engine/membership/json/structural_reader.h"
#include "engine/membership/parquet/parquet_person_source.h"
#include "engine/membership/person_rule.h"
#include "engine/membership/record_encoder.h"
#include "engine/membership/row_buffer.h"
#include "engine/membership/row_sink.h"
#include "engine/membership/row_sorter.h"
#include "engine/membership/snapshot.h"

namespace audiencesync::bench {
namespace {

constexpr std::uint64_t kProfiles = 20'000;
constexpr const char* kJson = "part.json";
constexpr const char* kParquet = "part.parquet";

/// What all pieces share, made once.
struct Data {
  Data() {
    const Population population{kProfiles};
    std::vector<std::string> audiences;
    for (std::uint64_t i = 0; i < Population::kAudiences; ++i) audiences.push_back(audience_id(i));
    std::string text;
    for (std::uint64_t person = 0; person < kProfiles; ++person) {
      append_profile(text, population, person, Generation::New, audiences);
    }
    write_parquet(text);
    files.content[kJson] = std::move(text);
    std::vector<DictionaryEntry> entries;
    for (const auto& one : spec.audiences) {
      entries.push_back({one.id, one.name, static_cast<std::uint32_t>(entries.size())});
    }
    dictionary = must(Dictionary::make(std::move(entries)));
    for (const auto& one : spec.audiences) targets.push_back(*dictionary.find(one.id, one.name));
  }

  void write_parquet(const std::string& lines) {
    const auto folder = std::filesystem::temp_directory_path();
    const auto json = (folder / fmt::format("audiencesync-pieces-{}.json", ::getpid())).string();
    const auto parquet = json + ".parquet";
    std::ofstream(json, std::ios::binary) << lines;
    Sql().run(
        fmt::format("COPY (SELECT * FROM read_json('{}', format = 'newline_delimited', columns = {{"
                    "'_demoemea': 'STRUCT(identification STRUCT(core STRUCT(email VARCHAR)))', "
                    "'segmentMembership': 'MAP(VARCHAR, MAP(VARCHAR, STRUCT(\"lastQualificationTime\" TIMESTAMP, "
                    "status VARCHAR)))'}})) TO '{}' (FORMAT parquet, COMPRESSION snappy)",
                    json, parquet));
    std::ifstream in(parquet, std::ios::binary);
    files.content[kParquet] = std::string(std::istreambuf_iterator<char>(in), {});
    std::filesystem::remove(json);
    std::filesystem::remove(parquet);
  }

  MemoryFiles files;
  RelationSpec spec = wanted_relation();
  Dictionary dictionary;
  std::vector<Rank> targets;
};

Data& data() {
  static Data made;
  return made;
}

class CountingSink final : public PersonSink {
 public:
  Result<void> add(const PersonBatch& batch) override {
    rows += batch.rows.size();
    memberships += batch.audiences.size();
    return {};
  }
  std::uint64_t rows = 0;
  std::uint64_t memberships = 0;
};

class NoSource final : public PersonSource {
 public:
  Result<std::uint64_t> read(const std::vector<Path>&, const SourceColumns&,
                             const std::function<Result<void>(const SourceRow&)>&) override {
    return Error(ErrorCode::Internal, "this file should not need the fall-back");
  }
};

void set_rates(benchmark::State& state, std::uint64_t bytes) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kProfiles));
  if (bytes > 0) state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}

void read_source(benchmark::State& state, PersonSource& source, const char* file) {
  auto& in = data();
  const AudienceMatcher matcher(in.spec, in.targets);
  for (auto _ : state) {
    CountingSink sink;
    PersonSink* const sinks[] = {&sink};
    must(source.read_batches({file}, {in.spec.identity_field, ""}, matcher, sinks));
    if (sink.rows < kProfiles * 9 / 10) std::abort();
    benchmark::DoNotOptimize(sink.memberships);
  }
  set_rates(state, in.files.content.at(file).size());
}

void JsonSource(benchmark::State& state) {
  JsonPersonSource source(data().files);
  read_source(state, source, kJson);
}
BENCHMARK(JsonSource)->Unit(benchmark::kMillisecond);

void ParquetSource(benchmark::State& state) {
  NoSource none;
  ParquetPersonSource source(data().files, none);
  read_source(state, source, kParquet);
}
BENCHMARK(ParquetSource)->Unit(benchmark::kMillisecond);

// One block again and again: the short cut, or the complete reader, without reading the file.
void read_blocks(benchmark::State& state, bool short_cut) {
  auto& in = data();
  const AudienceMatcher matcher(in.spec, in.targets);
  const SourceColumns columns{in.spec.identity_field, ""};
  json::StructuralReader fast(columns, matcher);
  json::RecordReader complete(columns, &matcher);
  json::JsonFile file(in.files, kJson);
  json::RecordBlock block;
  if (!must(file.take(block))) std::abort();
  PersonBatch batch;
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  for (auto _ : state) {
    batch.clear();
    if (short_cut) fast.begin(block);
    for (const auto& record : block.records) {
      if (short_cut && fast.read(record, batch)) continue;
      const std::string_view text(block.bytes() + record.begin, record.size);
      if (complete.read(text, block.readable(record.begin), batch) != nullptr) std::abort();
    }
    bytes += block.size;
    rows += batch.rows.size();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.SetItemsProcessed(static_cast<std::int64_t>(rows));
}
void JsonShortCut(benchmark::State& state) { read_blocks(state, true); }
BENCHMARK(JsonShortCut)->Unit(benchmark::kMicrosecond);
void JsonCompleteReader(benchmark::State& state) { read_blocks(state, false); }
BENCHMARK(JsonCompleteReader)->Unit(benchmark::kMicrosecond);

struct Person {
  std::string id;
  std::uint64_t hash = 0;
  Ranks audiences;
};

std::vector<Person> people(std::size_t count) {
  std::vector<Person> out;
  for (std::size_t i = 0; i < count; ++i) {
    Person one{fmt::format("anna.almeida{}@mail.example.org", i), 0, {}};
    one.hash = person_hash(one.id);
    for (Rank rank = 0; rank < Population::kWanted; ++rank) {
      if ((one.hash >> rank) % 4 == 0) one.audiences.push_back(rank);
    }
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<Person> sorted_people(std::size_t count) {
  auto out = people(count);
  std::sort(out.begin(), out.end(), [](const auto& left, const auto& right) { return left.hash < right.hash; });
  return out;
}

void RowsIn(benchmark::State& state) {
  const auto rows = people(kProfiles * 10);
  for (auto _ : state) {
    RowBuffer buffer(32 << 20, Population::kWanted);
    for (const auto& one : rows) benchmark::DoNotOptimize(buffer.add(one.hash, one.id, one.audiences));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * rows.size()));
}
BENCHMARK(RowsIn)->Unit(benchmark::kMillisecond);

void RowsSorted(benchmark::State& state) {
  const auto rows = people(kProfiles * 10);
  RowSorter sorter(data().files, "tmp", "rows", {32 << 20}, Population::kWanted, person_hash);
  for (const auto& one : rows) must(sorter.add(one.hash, one.id, one.audiences));
  must(sorter.finish(2));
  RunScratch scratch;
  for (auto _ : state) {
    std::uint64_t bytes = 0;
    for (std::uint64_t section = 0; section < kSections; ++section) {
      const auto stream = sorter.stream(HashRange::section(section), scratch);
      while (must(stream->advance())) bytes += stream->row().person.size();
    }
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * rows.size()));
}
BENCHMARK(RowsSorted)->Unit(benchmark::kMillisecond);

void SnapshotPack(benchmark::State& state) {
  const auto rows = sorted_people(kProfiles);
  BlockCompressor compressor;
  for (auto _ : state) {
    SnapshotPart part(data().dictionary, compressor, false);
    for (const auto& one : rows) must(part.add(one.hash, one.id, one.audiences));
    must(part.end());
    benchmark::DoNotOptimize(part.packed());
  }
  set_rates(state, 0);
}
BENCHMARK(SnapshotPack)->Unit(benchmark::kMillisecond);

void SnapshotUnpack(benchmark::State& state) {
  auto& in = data();
  auto file = must(TempFile::create(in.files, "tmp/candidate"));
  auto writer = must(SnapshotWriter::create(std::move(file), {}, in.dictionary));
  BlockCompressor compressor;
  SnapshotPart part(in.dictionary, compressor, false);
  for (const auto& one : sorted_people(kProfiles)) must(part.add(one.hash, one.id, one.audiences));
  must(writer->close(part));
  const auto path = "snapshot-" + must(writer->publish("", std::vector<bool>(in.dictionary.size(), true)));
  const auto reader = must(SnapshotReader::open(in.files, path));
  for (auto _ : state) {
    reader->seek({});
    SnapshotRow row;
    std::uint64_t bytes = 0;
    while (must(reader->next(row))) bytes += row.person.size();
    benchmark::DoNotOptimize(bytes);
  }
  set_rates(state, 0);
}
BENCHMARK(SnapshotUnpack)->Unit(benchmark::kMillisecond);

// The way over the disk, of which there is none here: rows in, out in so many sorted runs.
void RunsOut(benchmark::State& state) {
  const auto rows = people(kProfiles * 10);
  for (auto _ : state) {
    RowSorter sorter(data().files, "tmp", "rows", {12'000'000 / static_cast<std::size_t>(state.range(0))},
                     Population::kWanted, person_hash);
    for (const auto& one : rows) must(sorter.add(one.hash, one.id, one.audiences));
    must(sorter.finish(1'000));
    state.counters["runs"] = static_cast<double>(sorter.runs());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * rows.size()));
}
BENCHMARK(RunsOut)->Arg(2)->Arg(16)->Arg(100)->Unit(benchmark::kMillisecond);

// And back in again, as one.
void RunsMerged(benchmark::State& state) {
  const auto rows = people(kProfiles * 10);
  RowSorter sorter(data().files, "tmp", "rows", {12'000'000 / static_cast<std::size_t>(state.range(0))},
                   Population::kWanted, person_hash);
  for (const auto& one : rows) must(sorter.add(one.hash, one.id, one.audiences));
  must(sorter.finish(1'000));
  RunScratch scratch;
  for (auto _ : state) {
    const auto stream = sorter.stream({}, scratch);
    std::uint64_t bytes = 0;
    while (must(stream->advance())) bytes += stream->row().person.size();
    benchmark::DoNotOptimize(bytes);
  }
  state.counters["runs"] = static_cast<double>(sorter.runs());
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * rows.size()));
}
BENCHMARK(RunsMerged)->Arg(2)->Arg(16)->Arg(100)->Unit(benchmark::kMillisecond);

void RecordEncode(benchmark::State& state) {
  const auto rows = people(kProfiles);
  RecordEncoder encoder(data().spec, 42, data().dictionary);
  std::string out;
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    for (const auto& one : rows) {
      out.clear();
      encoder.append(out, one.id, one.audiences);
      bytes += out.size();
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * rows.size()));
}
BENCHMARK(RecordEncode)->Unit(benchmark::kMillisecond);

// What a list of forgotten people costs everybody else, by its length.
void KeptOut(benchmark::State& state) {
  const auto rows = people(kProfiles);
  Forgotten forgotten("key");
  for (std::int64_t i = 0; i < state.range(0); ++i) forgotten.add(fmt::format("gone{}@mail.example.org", i));
  for (auto _ : state) {
    std::uint64_t found = 0;
    for (const auto& one : rows) found += forgotten.contains(one.id) ? 1 : 0;
    if (found != 0) std::abort();
  }
  set_rates(state, 0);
}
BENCHMARK(KeptOut)->Arg(0)->Arg(100)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace audiencesync::bench

BENCHMARK_MAIN();
