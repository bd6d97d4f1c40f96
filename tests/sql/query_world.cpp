#include "tests/sql/query_world.h"

#include <cstdlib>

namespace audiencesync::sql {

QueryWorld::QueryWorld() {
  std::string name = (std::filesystem::temp_directory_path() / "sql-test-XXXXXX").string();
  folder = ::mkdtemp(name.data());
  emulator::EmulatorOptions given;
  given.data = folder / "data";
  given.pg_listen = emulator::ServerOptions{};
  given.profiles = 20;
  given.audiences = 2;
  world = std::make_unique<emulator::Emulator>(given);
  const auto pg = world->ready()["pg"];
  logins.next.host = pg["host"].get<std::string>();
  logins.next.port = pg["port"].get<std::uint16_t>();
  logins.next.database = pg["dbname"].get<std::string>();
  logins.next.user = pg["user"].get<std::string>();
  logins.next.password = Secret(pg["password"].get<std::string>());
}

QueryWorld::~QueryWorld() {
  world.reset();
  std::filesystem::remove_all(folder);
}

LibpqOptions QueryWorld::options() const {
  LibpqOptions given;
  given.ca_file = folder / "data/tls/ca.pem";
  return given;
}

std::string shown_rows(const Result<Rows>& rows) {
  if (!rows.ok()) return rows.error().text();
  std::string text;
  for (const auto& row : rows->rows) {
    if (!text.empty()) text += " | ";
    for (std::size_t x = 0; x < row.size(); ++x) text += (x == 0 ? "" : ",") + row[x].value_or("~");
  }
  return text;
}

}  // namespace audiencesync::sql
