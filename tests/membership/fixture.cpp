#include "tests/membership/fixture.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "engine/base/json.h"

namespace audiencesync::testing {

TestFolder::TestFolder() {
  // In memory where that is possible: these tests sync thousands of small files.
  const Path memory = "/dev/shm";
  const auto parent = ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
  std::string name = (parent / "membership-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Members read_members(Memberships& memberships, const Digest& snapshot) {
  Members members;
  const auto reader = must(memberships.members(snapshot));
  while (auto row = must(reader->next())) members[row->person.reveal()] = row->audiences;
  return members;
}

std::string read_bytes(const Path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::map<std::string, Value> read_records(const Upload& upload) {
  std::map<std::string, Value> records;
  for (const auto& part : upload.parts) {
    std::istringstream lines(read_bytes(part.path));
    for (std::string line; std::getline(lines, line);) {
      auto record = must(parse_json(line));
      auto person = record.text("personID");
      EXPECT_TRUE(records.emplace(person, std::move(record)).second) << "two records of one person";
    }
  }
  EXPECT_EQ(records.size(), upload.records);
  return records;
}

std::vector<std::string> names_below(const Path& folder) {
  std::vector<std::string> names;
  if (!std::filesystem::exists(folder)) return names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) names.push_back(entry.path().lexically_relative(folder).string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

SourceRef export_named(std::string id) {
  return {std::move(id), [](std::stop_token) -> Result<std::vector<Path>> { return std::vector<Path>{}; }};
}

RelationAudience audience(std::string id, std::string name) { return {std::move(id), std::move(name), "ups", false}; }

RelationSpec simple_spec() {
  RelationSpec spec;
  spec.relation = "luma/analytics";
  spec.uid = "luma";
  spec.tenant = "_demo";
  spec.identity_field = "_demo.email";
  spec.identity_namespace = "Email";
  spec.statuses = {"realized", "existing"};
  spec.audiences = {audience("A1", "Blue"), audience("A2", "Gold")};
  return spec;
}

}  // namespace audiencesync::testing
