#include "tests/layering/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace audiencesync::layering {
namespace {

using Words = std::vector<std::string_view>;

constexpr int kMostLines = 600;

// Who may include what of ours. A folder may always include itself, and nothing that is not named here.
// `base <- model <- {manifest, schedule, ports} <- {adapters, plugin} <- {reconcile, plugins} <- daemon`
struct Layer {
  std::string_view folder;
  Words may_include;
};

#define AUDIENCESYNC_VALUES "engine/base", "engine/model"
#define AUDIENCESYNC_PORTS                                                                                \
  AUDIENCESYNC_VALUES, "engine/manifest", "engine/schedule", "engine/http", "engine/sql", "engine/store", \
      "engine/membership", "engine/report"

const std::vector<Layer>& layers() {
  static const std::vector<Layer> table{
      {"engine/base", {}},
      {"engine/model", {"engine/base"}},
      {"engine/manifest", {AUDIENCESYNC_VALUES}},
      {"engine/schedule", {AUDIENCESYNC_VALUES}},
      {"engine/http", {AUDIENCESYNC_VALUES}},
      {"engine/sql", {AUDIENCESYNC_VALUES}},
      {"engine/store", {AUDIENCESYNC_VALUES}},
      {"engine/membership", {AUDIENCESYNC_VALUES}},
      {"engine/report", {AUDIENCESYNC_VALUES}},
      {"engine/http/curl", {AUDIENCESYNC_VALUES, "engine/http"}},
      {"engine/sql/libpq", {AUDIENCESYNC_VALUES, "engine/sql"}},
      {"engine/store/sqlite", {AUDIENCESYNC_VALUES, "engine/store"}},
      {"engine/membership/duckdb", {AUDIENCESYNC_VALUES, "engine/membership"}},
      {"engine/membership/json", {AUDIENCESYNC_VALUES, "engine/membership"}},
      {"engine/membership/parquet", {AUDIENCESYNC_VALUES, "engine/membership"}},
      {"engine/membership/file",
       {AUDIENCESYNC_VALUES, "engine/membership", "engine/membership/json", "engine/membership/parquet"}},
      {"engine/membership/query", {AUDIENCESYNC_VALUES, "engine/membership"}},
      {"engine/report/spdlog", {AUDIENCESYNC_VALUES, "engine/report"}},
      {"engine/plugin", {AUDIENCESYNC_PORTS}},
      {"engine/reconcile", {AUDIENCESYNC_PORTS, "engine/plugin"}},
      {"plugins/platform", {AUDIENCESYNC_PORTS, "engine/plugin"}},
      {"plugins/*", {AUDIENCESYNC_PORTS, "engine/plugin", "plugins/platform"}},
      {"plugins/membership", {AUDIENCESYNC_PORTS, "engine/plugin", "engine/membership/query", "plugins/platform"}},
      {"daemon", {"engine/**", "plugins/**", "daemon/**"}},
      {"daemon/service", {AUDIENCESYNC_PORTS}},
      {"daemon/gitops", {AUDIENCESYNC_VALUES, "engine/manifest", "daemon/service"}},
      {"daemon/plans", {AUDIENCESYNC_VALUES, "engine/manifest"}},
      {"daemon/gitops/libgit2", {AUDIENCESYNC_VALUES, "engine/manifest", "daemon/gitops"}},
      {"emulator", {}},
      {"bench", {"engine/**", "plugins/**"}},
      {"tests", {"engine/**", "plugins/**", "daemon", "daemon/**", "emulator", "bench"}},
  };
  return table;
}

// Where a library may be included, tests and benchmarks among them. The first row that fits decides.
struct Library {
  std::string_view header;  // as written between the brackets, or its beginning when it ends in '/'
  Words places;             // folders (with what is below), or files
};

const std::vector<Library>& libraries() {
  static const std::vector<Library> table{
      {"curl/", {"engine/http/curl", "tests/support"}},
      {"sqlite3.h", {"engine/store/sqlite"}},
      {"duckdb.h", {"engine/membership/duckdb", "emulator", "tests/membership", "tests/emulator", "bench"}},
      {"libpq-fe.h", {"engine/sql/libpq", "tests/emulator_query"}},
      {"spdlog/", {"engine/report/spdlog"}},
      {"yaml-cpp/", {"engine/manifest"}},
      {"systemd/", {"daemon"}},
      {"boost/program_options.hpp", {"daemon", "emulator/main.cpp"}},
      {"boost/program_options/", {"daemon", "emulator/main.cpp"}},
      {"boost/", {"emulator"}},  // its HTTP server
      {"nlohmann/", {"emulator", "tests"}},
      {"simdjson.h", {"engine/base", "engine/membership", "emulator", "bench"}},
      {"zstd.h", {"engine/membership", "tests/membership", "bench"}},
      {"snappy.h", {"engine/membership/parquet"}},
      {"zlib.h", {"engine/membership", "emulator", "tests"}},
      {"xxhash.h", {"engine/membership", "tests/membership", "bench"}},
      {"date/", {"engine/schedule"}},
      {"git2.h", {"daemon/gitops/libgit2"}},
      {"httplib.h", {"daemon/plans", "emulator"}},
      {"gtest/", {"tests"}},
      {"gmock/", {"tests"}},
      {"benchmark/", {"bench"}},
  };
  return table;
}

// Their headers are what everybody compiles against: the standard library only.
constexpr std::array<std::string_view, 5> kPorts{"engine/http", "engine/sql", "engine/store", "engine/membership",
                                                 "engine/report"};

bool is_within(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

std::string_view folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

// "plugins/*" stands for each folder below plugins/, "x/**" for everything below x.
bool covers(std::string_view pattern, std::string_view folder) {
  if (pattern.ends_with("/**")) return is_within(folder, pattern.substr(0, pattern.size() - 3));
  return pattern == folder;
}

const Layer* layer_of(std::string_view component) {
  for (const auto& layer : layers()) {
    if (layer.folder == component) return &layer;
  }
  if (component.starts_with("plugins/")) return layer_of("plugins/*");
  return nullptr;
}

struct Include {
  std::string_view target;
  bool ours = false;  // in quotes
  int line = 0;
};

// Include lines of a text; blanks may stand on both sides of the '#'.
std::vector<Include> includes_of(std::string_view text) {
  std::vector<Include> out;
  int number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    const auto skip_blanks = [&] { line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size())); };
    skip_blanks();
    if (!line.starts_with('#')) continue;
    line.remove_prefix(1);
    skip_blanks();
    if (!line.starts_with("include")) continue;
    line.remove_prefix(7);
    skip_blanks();
    if (!line.starts_with('"') && !line.starts_with('<')) continue;
    const bool ours = line.front() == '"';
    line.remove_prefix(1);
    out.push_back({line.substr(0, line.find(ours ? '"' : '>')), ours, number});
  }
  return out;
}

std::optional<std::string> broken_layer(const std::string& from, std::string_view target) {
  // The helpers of a test folder belong to nobody else, so there a bare name is the file beside it.
  if (from == "tests" && target.find('/') == std::string_view::npos) return std::nullopt;
  const auto to = component_of(target);
  if (to.empty()) return fmt::format("'{}' is written from no known folder of the tree", target);
  if (to == from) return std::nullopt;
  const auto* layer = layer_of(from);
  const auto allows = [&](std::string_view pattern) { return covers(pattern, to); };
  if (layer != nullptr && std::any_of(layer->may_include.begin(), layer->may_include.end(), allows)) {
    return std::nullopt;
  }
  return fmt::format("{} may not include {}", from, to);
}

std::optional<std::string> broken_library(std::string_view path, std::string_view target) {
  for (const auto& library : libraries()) {
    const bool meant = library.header.ends_with('/') ? target.starts_with(library.header) : target == library.header;
    if (!meant) continue;
    const auto here = [&](std::string_view place) { return is_within(path, place); };
    if (std::any_of(library.places.begin(), library.places.end(), here)) return std::nullopt;
    return fmt::format("<{}> belongs to {}", target, fmt::join(library.places, ", "));
  }
  return std::nullopt;
}

std::optional<std::string> broken_port(std::string_view path, std::string_view target) {
  const bool header = path.ends_with(".h");
  if (!header || std::find(kPorts.begin(), kPorts.end(), folder_of(path)) == kPorts.end()) return std::nullopt;
  if (target.find_first_of("./") == std::string_view::npos) return std::nullopt;  // the standard library
  return fmt::format("the port {} may not include <{}>", folder_of(path), target);
}

std::optional<std::string> broken_manifest(std::string_view path, std::string_view target) {
  if (!target.starts_with("yaml-cpp/") || !path.ends_with(".h")) return std::nullopt;
  return "<yaml-cpp/> stays inside the .cpp files of engine/manifest";
}

}  // namespace

std::string Violation::text() const { return fmt::format("{}:{}: {}", path, line, rule); }

std::string component_of(std::string_view path) {
  // The longest folder with a row of its own, so that an adapter is not taken for its port.
  for (auto folder = folder_of(path); !folder.empty(); folder = folder_of(folder)) {
    const bool plugin = folder.starts_with("plugins/") && folder_of(folder) == "plugins";
    const auto named = [&](const Layer& layer) { return layer.folder == folder; };
    if (plugin || std::any_of(layers().begin(), layers().end(), named)) return std::string(folder);
  }
  return "";
}

std::vector<Violation> check(const SourceFile& file) {
  std::vector<Violation> out;
  const auto component = component_of(file.path);
  if (component.empty()) out.push_back({file.path, 1, "no rule knows this folder; add it to the table of layers"});
  for (const auto& include : includes_of(file.text)) {
    const auto add = [&](std::optional<std::string> rule) {
      if (rule) out.push_back({file.path, include.line, std::move(*rule)});
    };
    if (include.ours) {
      add(broken_layer(component, include.target));
    } else {
      add(broken_library(file.path, include.target));
      add(broken_port(file.path, include.target));
      add(broken_manifest(file.path, include.target));
    }
  }
  const auto lines = static_cast<int>(std::count(file.text.begin(), file.text.end(), '\n'));
  if (lines > kMostLines) {
    out.push_back({file.path, lines, fmt::format("{} lines, at most {}; give each noun its file", lines, kMostLines)});
  }
  return out;
}

}  // namespace audiencesync::layering
