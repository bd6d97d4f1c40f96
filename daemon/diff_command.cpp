#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <ostream>

#include "daemon/commands.h"
#include "daemon/diff_inputs.h"
#include "daemon/diff_text.h"
#include "daemon/private_folder.h"
#include "engine/base/json.h"
#include "engine/membership/duckdb/duckdb_person_source.h"
#include "engine/membership/file/file_person_source.h"
#include "engine/membership/temp_file.h"

namespace audiencesync {
namespace {

// VmHWM of this process in bytes; 0 where the kernel does not say.
std::uint64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) << 10U;
  }
  return 0;
}

/// Where the lines go: a file that appears when it is whole, or stdout.
class DiffOutput {
 public:
  static Result<DiffOutput> open(Files& files, const Path& out, const Console& console) {
    DiffOutput output(console);
    if (out.empty()) return output;
    output.path_ = std::filesystem::absolute(out);
    if (!files.exists(output.path_.parent_path())) {
      return Error(ErrorCode::NotFound,
                   fmt::format("--out {}: there is no folder {}", out.string(), output.path_.parent_path().string()));
    }
    // One name for all attempts, so that one which was killed leaves nothing that the next does not replace.
    auto part = TRY(TempFile::create(files, output.path_.string() + ".part"));
    output.part_ = std::make_unique<TempFile>(std::move(part));
    return output;
  }

  Result<void> write(std::string_view lines) {
    if (part_) return part_->write(lines);
    console_->out.write(lines.data(), static_cast<std::streamsize>(lines.size()));
    return console_->out.good() ? Result<void>() : broken();
  }

  Result<void> finish() {
    if (part_) return part_->publish(path_);
    console_->out.flush();
    return console_->out.good() ? Result<void>() : broken();
  }

 private:
  explicit DiffOutput(const Console& console) : console_(&console) {}
  static Error broken() { return Error(ErrorCode::Io, "stdout cannot be written; is whoever reads it still there"); }

  const Console* console_;
  Path path_;
  std::unique_ptr<TempFile> part_;
};

void warn_of_unusable(const Console& console, std::string_view side, const DroppedRows& dropped) {
  if (dropped.total() > 0) console.err << fmt::format("warning: --{}: {}\n", side, unusable_text(dropped));
  if (dropped.unknown_status > 0) {
    console.err << fmt::format("warning: --{}: {} memberships have a status nobody documented; they do not count\n",
                               side, dropped.unknown_status);
  }
}

struct DiffSettings {
  ManifestRules rules;
  MemoryBudget budget;
};

// As for validate: settings are used where there are some.
std::optional<DiffSettings> diff_settings(const Options& options, const Adapters& adapters, const Console& console) {
  DiffSettings out;
  if (!options.config_given && !adapters.files.exists(options.config)) return out;
  const auto settings = settings_of(options, adapters, console);
  if (!settings) return std::nullopt;
  out.rules = manifest_rules(*settings, adapters.environment);
  out.budget = MemoryBudget::within(settings->limits.memory);
  return out;
}

Result<DiffStats> compare_sides(const Options& options, const Adapters& adapters, const Console& console,
                                const Manifest& manifest, MemoryBudget budget, std::stop_token stop) {
  DiffStats stats;
  stats.from = TRY(side_of(adapters.files, options.from, "from"));
  stats.to = TRY(side_of(adapters.files, options.to, "to"));
  const auto spec = TRY(offline_relation(adapters.files, manifest, stats.from, stats.to));
  auto output = TRY(DiffOutput::open(adapters.files, options.out, console));
  const auto folder = TRY(PrivateFolder::create(adapters.files, adapters.environment));
  DuckdbPersonSource other_parquet(DuckdbOptions{.work_folder = folder->path()});
  FilePersonSource source(adapters.files, other_parquet);
  Difference difference(adapters.files, source, folder->path(), budget);
  const auto write = [&](std::string_view lines) { return output.write(lines); };
  stats.counts = TRY(difference.run(spec, stats.from, stats.to, write, std::move(stop)));
  TRY(output.finish());
  return stats;
}

}  // namespace

ExitCode diff_command(const Options& options, const Adapters& adapters, const Console& console, std::stop_token stop) {
  const auto began = std::chrono::steady_clock::now();
  const auto settings = diff_settings(options, adapters, console);
  if (!settings) return ExitCode::Invalid;
  const auto manifest = load_manifest(adapters.files, options.arguments.front(), settings->rules);
  if (!report(manifest, console)) return ExitCode::Invalid;
  auto stats = compare_sides(options, adapters, console, *manifest.value, settings->budget, std::move(stop));
  if (!stats.ok()) {
    say_error(console, stats.error());
    return exit_code(stats.error().code());
  }
  warn_of_unusable(console, "from", stats->counts.from.dropped);
  warn_of_unusable(console, "to", stats->counts.to.dropped);
  if (options.stats) {
    stats->took = std::chrono::steady_clock::now() - began;
    stats->peak_memory = peak_memory();
    console.err << (options.format == Format::Json ? to_json(diff_stats_value(*stats)) + "\n"
                                                   : diff_stats_text(*stats));
  }
  return ExitCode::Converged;
}

}  // namespace audiencesync
