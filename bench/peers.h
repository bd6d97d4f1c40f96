#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace audiencesync::bench {

/// What one run found: people whose wanted audiences differ.
struct Found {
  std::uint64_t rows = 0;
  std::uint64_t changed = 0;
};

/// Makes the base of the peer: everybody of the old generation with their audiences as bits, in a database of its own.
void prepare_duckdb(const std::filesystem::path& data, const std::filesystem::path& work, const std::string& format);

/// The engine's job in SQL: the new generation against the base, the difference into `work`/duckdb-changes.parquet.
/// Two threads; the fastest of several formulations (bench/README.md lists those that lost).
Found compare_with_duckdb(const std::filesystem::path& data, const std::filesystem::path& work,
                          const std::string& format);

/// Reads the person id and every audience and status of the new generation with simdjson On-Demand and does nothing
/// with them: the most that a program on simdjson can reach. Every file is one task for `threads` threads.
Found read_with_simdjson(const std::filesystem::path& data, unsigned threads);

/// Names of the files of one format in a folder, sorted. `format`: json, json.gz, json.zst, parquet.
std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder, const std::string& format);

}  // namespace audiencesync::bench
