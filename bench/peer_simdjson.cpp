#include <simdjson.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "bench/peers.h"

namespace audiencesync::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 1 << 20;

void read_document(simdjson::ondemand::document_reference document, Found& found) {
  ++found.rows;
  for (auto field : document.get_object()) {
    const auto key = field.unescaped_key().value();
    if (key == "_demoemea") {
      found.changed += field.value()["identification"]["core"]["email"].get_string().value().size();
    } else if (key == "segmentMembership") {
      for (auto space : field.value().get_object()) {
        for (auto membership : space.value().get_object()) {
          found.changed += membership.unescaped_key().value().size();
          found.changed += membership.value()["status"].get_string().value().size();
        }
      }
    }
  }
}

// A piece of lines at a time: no more in memory than a program of bounded memory may have.
void read_one_file(const fs::path& path, Found& found) {
  std::ifstream file(path, std::ios::binary);
  simdjson::ondemand::parser parser;
  std::string piece;
  while (true) {
    const auto kept = piece.size();
    piece.resize(kept + kPiece);
    file.read(piece.data() + kept, kPiece);
    piece.resize(kept + static_cast<std::size_t>(file.gcount()));
    if (piece.empty()) return;
    const auto end = piece.rfind('\n') + 1;
    const std::string rest = piece.substr(end);
    piece.resize(end);
    piece.reserve(end + simdjson::SIMDJSON_PADDING);
    auto documents = parser.iterate_many(piece.data(), piece.size(), piece.size()).value();
    for (auto document : documents) read_document(document.value(), found);
    piece = rest;
  }
}

}  // namespace

Found read_with_simdjson(const fs::path& data, unsigned threads) {
  const auto files = files_of(data / "new", "json");
  std::atomic<std::size_t> next{0};
  std::vector<Found> parts(threads);
  {
    std::vector<std::jthread> workers;
    for (auto& part : parts) {
      workers.emplace_back([&] {
        try {
          for (auto at = next++; at < files.size(); at = next++) read_one_file(files[at], part);
        } catch (const simdjson::simdjson_error& failure) {
          std::fprintf(stderr, "error: simdjson: %s\n", failure.what());
          std::exit(1);
        }
      });
    }
  }
  Found found;
  for (const auto& part : parts) found.rows += part.rows;
  return found;
}

}  // namespace audiencesync::bench
