// One measured run, in a process of its own so that its peak memory is its own.
//
// usage: bench_compare prepare FORMAT DATA WORK     bases of engine and peer from the old generation
//        bench_compare engine FORMAT DATA WORK      the new generation against the base, by audiencesync
//        bench_compare duckdb FORMAT DATA WORK      the same by DuckDB
//        bench_compare simdjson THREADS DATA WORK   only reads the new generation
//        bench_compare oracle FORMAT DATA WORK      whether engine and DuckDB found the same difference
//        bench_compare audiences - - -              ids of the wanted audiences, for other peers
// Prints: seconds, peak memory in MiB, processor seconds, changed people.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>

#include "bench/peers.h"
#include "bench/profiles.h"
#include "bench/sql.h"
#include "engine/membership/duckdb/duckdb_person_source.h"
#include "engine/membership/file/file_person_source.h"
#include "engine/membership/local_memberships.h"

namespace audiencesync::bench {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "error: {}\n", why);
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  if (!result.ok()) fail(result.error().text());
  return std::move(result).take();
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

RelationSpec wanted_relation() {
  RelationSpec spec;
  spec.relation = "bench/analytics";
  spec.uid = "bench";
  spec.tenant = "_demoemea";
  spec.identity_field = "_demoemea.identification.core.email";
  spec.identity_namespace = "Email";
  spec.statuses = {"realized", "existing"};
  for (std::uint64_t i = 0; i < Population::kWanted; ++i) {
    spec.audiences.push_back({audience_id(i), fmt::format("Audience {}", i), "ups", false});
  }
  return spec;
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
  std::ofstream(work / "engine-changes") << bulk.content << " " << bulk.candidate << "\n";
  std::ofstream(work / "engine-bulk") << digest_of(bulk.to_value());
  return {bulk.dropped.read, bulk.people};
}

void prepare(const std::string& format, const fs::path& data, const fs::path& work) {
  fs::create_directories(work);
  Engine engine(work);
  std::ofstream(work / "base") << engine.compare(data / "old", format, {}).candidate << "\n";
  prepare_duckdb(data, work, format);
}

// The engine's changes as DuckDB writes them: a person and two masks.
void check(const fs::path& work) {
  Engine engine(work);
  Bulk bulk;
  bulk.content = read_word(work / "engine-changes");
  std::map<std::string, unsigned> bit;
  for (std::uint64_t i = 0; i < Population::kWanted; ++i) bit[audience_id(i)] = 1U << i;
  const auto mask = [&](const std::vector<AudienceId>& ids) {
    unsigned bits = 0;
    for (const auto& id : ids) bits |= bit.at(id);
    return bits;
  };
  std::ofstream csv(work / "engine-changes.csv");
  csv << "person,before,after\n";
  for (const auto& row : must(engine.memberships.sample(bulk, SIZE_MAX))) {
    csv << row.person.reveal() << ',' << mask(row.before) << ',' << mask(row.after) << '\n';
  }
  csv.close();
  Sql sql;
  const auto ours = fmt::format(
      "(FROM read_csv('{}/engine-changes.csv', header = true, columns = {{'person': "
      "'VARCHAR', 'before': 'UTINYINT', 'after': 'UTINYINT'}}))",
      work.string());
  const auto theirs = fmt::format("(FROM read_parquet('{}/duckdb-changes.parquet'))", work.string());
  const auto differ =
      sql.value(fmt::format("SELECT count(*) FROM ((FROM {0} EXCEPT ALL FROM {1}) UNION ALL "
                            "(FROM {1} EXCEPT ALL FROM {0}))",
                            ours, theirs));
  if (differ != "0") fail(fmt::format("engine and DuckDB differ in {} people", differ));
  fmt::print("equal: {} changed people\n", sql.value(fmt::format("SELECT count(*) FROM {}", theirs)));
}

int run(const std::string& what, const std::string& how, const fs::path& data, const fs::path& work) {
  if (what == "prepare") return prepare(how, data, work), 0;
  if (what == "oracle") return check(work), 0;
  if (what == "audiences") {
    for (std::uint64_t i = 0; i < Population::kWanted; ++i) fmt::print("{}\n", audience_id(i));
    return 0;
  }
  const auto began = std::chrono::steady_clock::now();
  Found found;
  if (what == "engine") {
    found = run_engine(how, data, work);
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
    fmt::print(stderr, "usage: bench_compare prepare|engine|duckdb|simdjson|oracle FORMAT DATA WORK\n");
    return 2;
  }
  return audiencesync::bench::run(words[1], words[2], words[3], words[4]);
}
