#include "tests/diff/diff_bench.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "engine/base/json.h"
#include "engine/membership/duckdb/duckdb_person_source.h"
#include "engine/membership/file/file_person_source.h"
#include "engine/membership/local_memberships.h"
#include "engine/membership/membership_files.h"
#include "tests/membership/compress.h"
#include "tests/membership/duck.h"

namespace audiencesync::testing {
namespace {

constexpr const char* kWanted = R"(
  - { id: a-0, name: Blue }
  - { id: a-1, name: Gold }
  - { id: a-2, name: Größe }
  - { id: a-3, name: Night }
)";

std::string as_json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string json_line(const ExportedProfile& profile) {
  std::map<std::string, std::string> spaces;
  for (const auto& one : profile.memberships) {
    auto& space = spaces[one.space];
    space += fmt::format(R"({}{}:{{"lastQualificationTime":"2024-05-06T07:08:09Z","status":{}}})",
                         space.empty() ? "" : ",", as_json(one.audience), as_json(one.status));
  }
  std::string all;
  for (const auto& [name, members] : spaces) {
    all += fmt::format("{}{}:{{{}}}", all.empty() ? "" : ",", as_json(name), members);
  }
  return fmt::format(R"({{"_demo":{{"email":{}}},"segmentMembership":{{{}}}}})", as_json(profile.person), all);
}

void write_parquet(const Path& path, const std::string& lines) {
  const Path json = path.string() + ".lines";
  put_file(json, lines);
  Duck().write(fmt::format("SELECT * FROM read_json('{}', format = 'newline_delimited', columns = {{'_demo': "
                           "'STRUCT(email VARCHAR)', 'segmentMembership': 'MAP(VARCHAR, MAP(VARCHAR, "
                           "STRUCT(\"lastQualificationTime\" TIMESTAMP, status VARCHAR)))'}})",
                           json.string()),
               path);
  std::filesystem::remove(json);
}

void write_one(const Path& folder, std::size_t number, const std::vector<std::string>& lines, ExportForm form) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  const auto name = fmt::format("part-{:05}", number);
  switch (form) {
    case ExportForm::Lines:
      return put_file(folder / (name + ".json"), text);
    case ExportForm::Gzip:
      return put_file(folder / (name + ".json.gz"), gzip(text));
    case ExportForm::Zstd:
      return put_file(folder / (name + ".json.zst"), zstd(text));
    case ExportForm::Parquet:
      if (!lines.empty()) write_parquet(folder / (name + ".parquet"), text);
      return;
    case ExportForm::Array:
      return put_file(folder / (name + ".json"), fmt::format("[{}]", fmt::join(lines, " ,\n")));
    case ExportForm::Mixed:
      break;
  }
}

}  // namespace

Changes changes_between(const Truth& from, const Truth& to) {
  Changes changes;
  const auto sets_of = [](const Truth& truth, const std::string& person) {
    const auto found = truth.find(person);
    return found == truth.end() ? std::set<std::string>() : found->second;
  };
  std::set<std::string> people;
  for (const auto& [person, set] : from) people.insert(person);
  for (const auto& [person, set] : to) people.insert(person);
  for (const auto& person : people) {
    const auto before = sets_of(from, person);
    const auto after = sets_of(to, person);
    if (before == after) continue;
    auto& [entered, left] = changes[person];
    for (const auto& id : after) {
      if (!before.contains(id)) entered.insert(id);
    }
    for (const auto& id : before) {
      if (!after.contains(id)) left.insert(id);
    }
  }
  return changes;
}

Changes parse_changes(const std::string& lines) {
  Changes changes;
  std::size_t at = 0;
  while (at < lines.size()) {
    const auto end = lines.find('\n', at);
    if (end == std::string::npos) {
      ADD_FAILURE() << "the last line has no end";
      break;
    }
    const auto line = parse_json(std::string_view(lines).substr(at, end - at));
    at = end + 1;
    if (!line.ok()) {
      ADD_FAILURE() << line.error().text();
      continue;
    }
    const auto [change, fresh] = changes.try_emplace(line->text("personID"));
    EXPECT_TRUE(fresh) << "a person twice";
    const auto take = [&](const char* key, std::set<std::string>& into) {
      std::string before;
      for (const auto& id : line->items(key)) {
        const auto* const text = id.string_if();
        if (text == nullptr) throw std::runtime_error("an id is no text");
        EXPECT_LT(before, *text) << "sorted, and once";
        before = *text;
        into.insert(*text);
      }
    };
    take("entered", change->second.first);
    take("left", change->second.second);
  }
  return changes;
}

ExportedProfile DiffWorld::profile(std::size_t number) {
  static constexpr const char* kShapes[] = {"p{}@x.io", "größe-{}@x.io", "quote\"{}\\", "\U0001F600{}", "tab\t{}"};
  static constexpr const char* kStatuses[] = {"realized", "existing", "exited"};
  ExportedProfile out{fmt::format(fmt::runtime(kShapes[number % 5]), number), {}};
  for (int i = 0; i < 7; ++i) {
    if (!chance(35)) continue;
    out.memberships.push_back({chance(10) ? "aam" : "ups", fmt::format("a-{}", i), kStatuses[below(3)]});
  }
  return out;
}

std::vector<ExportedProfile> DiffWorld::profiles(std::size_t people) {
  std::vector<ExportedProfile> out;
  for (std::size_t i = 0; i < people; ++i) {
    if (!chance(5)) out.push_back(profile(i));
    if (chance(5)) out.push_back(profile(i));  // several rows of one person are united
  }
  std::shuffle(out.begin(), out.end(), random_);
  return out;
}

std::vector<ExportedProfile> DiffWorld::evolved(const std::vector<ExportedProfile>& profiles) {
  auto out = profiles;
  for (auto& one : out) {
    if (!chance(20)) continue;
    const auto fresh = profile(below(1'000'000));
    one.memberships = fresh.memberships;
    if (chance(30)) one.person = fresh.person;
  }
  std::shuffle(out.begin(), out.end(), random_);
  return out;
}

Truth DiffWorld::truth(const std::vector<ExportedProfile>& profiles) {
  Truth truth;
  for (const auto& one : profiles) {
    for (const auto& member : one.memberships) {
      if (member.space != "ups" || member.status == "exited" || member.audience > "a-3") continue;
      truth[one.person].insert(member.audience);
    }
  }
  return truth;
}

void DiffWorld::write(const Path& folder, const std::vector<ExportedProfile>& profiles, ExportForm form) {
  std::filesystem::create_directories(folder);
  const auto files = form == ExportForm::Mixed ? 5 : 1 + below(4);
  std::vector<std::vector<std::string>> parts(files);
  for (const auto& one : profiles) parts[below(files)].push_back(json_line(one));
  for (std::size_t part = 0; part < files; ++part) {
    write_one(folder, part, parts[part], form == ExportForm::Mixed ? static_cast<ExportForm>(part) : form);
  }
  put_file(folder / "_SUCCESS", "");
  put_file(folder / ".part-00000.crc", "crc");
}

DiffBench::DiffBench() {
  std::filesystem::create_directories(temporary());
  write_manifest(kWanted);
}

void DiffBench::write_manifest(const std::string& audiences) {
  write_file(manifest(),
             "version: 1\nname: loyalty\ntenant: _demo\nidentity: { field: _demo.email, namespace: Email }\n"
             "audiences:\n" +
                 audiences);
}

std::vector<std::string> DiffBench::command(const std::vector<std::string>& words) const {
  std::vector<std::string> all{AUDIENCESYNC_BIN_DIR "/audiencesync", "diff", manifest().string()};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

ProcessResult DiffBench::diff(std::vector<std::string> words) const {
  return run_process(command(words), environment(), folder());
}

Path DiffBench::snapshot_of(const Path& exported, const std::string& name) const {
  PosixFiles files;
  DuckdbPersonSource duckdb(DuckdbOptions{.work_folder = folder() / "duckdb"});
  FilePersonSource source(files, duckdb);
  LocalMemberships memberships(files, source, folder() / name);
  RelationSpec spec;
  spec.relation = "loyalty/analytics";
  spec.uid = "loyalty";
  spec.tenant = "_demo";
  spec.identity_field = "_demo.email";
  spec.statuses = {"realized", "existing"};
  // One more than the manifest wants, and another name: neither is a difference.
  for (int i = 0; i < 5; ++i)
    spec.audiences.push_back({fmt::format("a-{}", i), fmt::format("Old {}", i), "ups", false});
  const SourceRef ref{"export", [&](std::stop_token) -> Result<std::vector<Path>> {
                        std::vector<Path> paths;
                        for (const auto& entry : std::filesystem::directory_iterator(exported)) {
                          const auto file = entry.path().filename().string();
                          if (file[0] != '.' && file[0] != '_') paths.push_back(entry.path());
                        }
                        return paths;
                      }};
  const auto bulk = memberships.compare(spec, ref, {}, {});
  if (!bulk.ok()) throw std::runtime_error(bulk.error().text());
  return snapshot_path(folder() / name, bulk->candidate);
}

}  // namespace audiencesync::testing
