// One measured run, in a process of its own so that its peak memory is its own.
//
// usage: bench_compare prepare FORMAT DATA WORK     bases of ours and the peer from the old generation
//        bench_compare base FORMAT DATA WORK        ours alone
//        bench_compare engine FORMAT DATA WORK      a run's comparison: `audiencesync diff` and the next snapshot
//        bench_compare refresh FORMAT DATA WORK     the same, and the upload files of whoever changed
//        bench_compare duckdb FORMAT DATA WORK      the same by DuckDB
//        bench_compare simdjson THREADS DATA WORK   only reads the new generation
//        bench_compare oracle - DATA WORK           whether WORK/changes.jsonl is the difference DuckDB found
//        bench_compare audiences - - -              ids of the wanted audiences, for other peers
// Prints: seconds, peak memory in MiB, processor seconds, changed people.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "bench/peers.h"
#include "bench/profiles.h"
#include "bench/sql.h"
#include "bench/wanted.h"
#include "engine/membership/duckdb/duckdb_person_source.h"
#include "engine/membership/file/file_person_source.h"
#include "engine/membership/local_memberships.h"
#include "engine/membership/membership_files.h"

namespace audiencesync::bench {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "error: {}\n", why);
  std::exit(1);
}

double peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

double processor_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct Engine {
  explicit Engine(const fs::path& work)
      : folder(work),
        duckdb(DuckdbOptions{.work_folder = work / "work"}),
        source(files, duckdb),
        memberships(files, source, work / "engine") {}

  Bulk compare(const fs::path& data, const std::string& format, const BaseRef& base) {
    const SourceRef ref{"bench", [&](std::stop_token) -> Result<std::vector<Path>> { return files_of(data, format); }};
    return must(memberships.compare(wanted_relation(), ref, base, {}));
  }

  fs::path folder;
  PosixFiles files;
  DuckdbPersonSource duckdb;
  FilePersonSource source;
  LocalMemberships memberships;
};

std::string read_word(const fs::path& path) {
  std::ifstream in(path);
  std::string word;
  if (!(in >> word)) fail(path.string() + ": not there; run prepare first");
  return word;
}

Found run_engine(const std::string& format, const fs::path& data, const fs::path& work) {
  Engine engine(work);
  const auto bulk = engine.compare(data / "new", format, {read_word(work / "base")});
  return {bulk.dropped.read, bulk.people};
}

// All that the local engine does between an export and an upload.
Found run_refresh(const std::string& format, const fs::path& data, const fs::path& work) {
  Engine engine(work);
  const auto bulk = engine.compare(data / "new", format, {read_word(work / "base")});
  const auto folder = work / "upload";
  fs::remove_all(folder);
  const auto upload = must(engine.memberships.encode(wanted_relation(), bulk, {.generation = 2}, folder, {}));
  return {bulk.dropped.read, upload.records};
}

// The audiences as a manifest wants them.
void write_manifest(const fs::path& path) {
  std::ofstream out(path);
  out << "version: 1\nname: bench\ntenant: _demoemea\n"
         "identity: { field: _demoemea.identification.core.email, namespace: Email }\naudiences:\n";
  for (const auto& one : wanted_relation().audiences)
    out << fmt::format("  - {{ id: {}, name: {} }}\n", one.id, one.name);
}

// Our side of it: a manifest, and a snapshot of the old generation.
void prepare_base(const std::string& format, const fs::path& data, const fs::path& work) {
  fs::create_directories(work);
  Engine engine(work);
  const auto base = engine.compare(data / "old", format, {}).candidate;
  std::ofstream(work / "base") << base << "\n";
  const auto link = work / "base.snapshot";
  fs::remove(link);
  fs::create_symlink(snapshot_path("engine", base), link);
  write_manifest(work / "manifest.yaml");
}

// What `audiencesync diff` printed, and what DuckDB found: who entered and left, as masks.
void check(const fs::path& work) {
  const auto mask = [](const std::string& list) {
    std::string sum;
    for (std::uint64_t i = 0; i < Population::kWanted; ++i) {
      sum += fmt::format("{}list_contains({}, '{}')::INT * {}", i == 0 ? "" : " + ", list, audience_id(i), 1U << i);
    }
    return sum;
  };
  Sql sql;
  const auto ours = fmt::format(
      "(SELECT \"personID\" AS person, {} AS entered, {} AS gone FROM read_json('{}/changes.jsonl', format = "
      "'newline_delimited', columns = {{'personID': 'VARCHAR', 'entered': 'VARCHAR[]', 'left': 'VARCHAR[]'}}))",
      mask("entered"), mask("\"left\""), work.string());
  const auto theirs = fmt::format(
      "(SELECT person, (after & ~before)::INT AS entered, (before & ~after)::INT AS gone FROM "
      "read_parquet('{}/duckdb-changes.parquet'))",
      work.string());
  const auto differ =
      sql.value(fmt::format("SELECT count(*) FROM ((FROM {0} EXCEPT ALL FROM {1}) UNION ALL "
                            "(FROM {1} EXCEPT ALL FROM {0}))",
                            ours, theirs));
  if (differ != "0") fail(fmt::format("audiencesync and DuckDB differ in {} people", differ));
  fmt::print("equal: {} changed people\n", sql.value(fmt::format("SELECT count(*) FROM {}", theirs)));
}

int run(const std::string& what, const std::string& how, const fs::path& data, const fs::path& work) {
  if (what == "base") return prepare_base(how, data, work), 0;
  if (what == "prepare") {
    prepare_base(how, data, work);
    prepare_duckdb(data, work, how);
    return 0;
  }
  if (what == "oracle") return check(work), 0;
  if (what == "audiences") {
    for (std::uint64_t i = 0; i < Population::kWanted; ++i) fmt::print("{}\n", audience_id(i));
    return 0;
  }
  const auto began = std::chrono::steady_clock::now();
  Found found;
  if (what == "engine") {
    found = run_engine(how, data, work);
  } else if (what == "refresh") {
    found = run_refresh(how, data, work);
  } else if (what == "duckdb") {
    found = compare_with_duckdb(data, work, how);
  } else if (what == "simdjson") {
    found = read_with_simdjson(data, static_cast<unsigned>(std::stoul(how)));
  } else {
    fail("'" + what + "' is nothing this program does; its first lines say what is");
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  fmt::print("{:.3f} {:.0f} {:.3f} {}\n", took.count(), peak_memory(), processor_seconds(), found.changed);
  return 0;
}

}  // namespace
}  // namespace audiencesync::bench

int main(int count, char** words) {
  if (count != 5) {
    fmt::print(stderr, "usage: bench_compare prepare|base|engine|refresh|duckdb|simdjson|oracle FORMAT DATA WORK\n");
    return 2;
  }
  return audiencesync::bench::run(words[1], words[2], words[3], words[4]);
}
