#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "emulator/control/latency.h"
#include "emulator/http/server.h"
#include "emulator/platform.h"

namespace emulator {

struct EmulatorOptions {
  std::filesystem::path data;
  ServerOptions listen;
  std::optional<ServerOptions> pg_listen;  // Query Service by the PostgreSQL protocol; default: not
  std::optional<std::uint64_t> seed;       // default: the one the data folder was made with, else 1
  std::uint64_t profiles = 1000;
  unsigned audiences = 12;
  std::uint64_t events = 0;
  std::optional<std::filesystem::path> record;
  Latency latency = Latency::None;  // Real: answers wait, and a new folder gets the settings of a slow platform
  bool tls = false;                 // https in place of http, by an authority in the data folder
};

/// The whole local platform, listening from construction on until it is destroyed.
///
/// A data folder that holds a world is continued with its ids, settings and clock; only tokens are forgotten.
/// Throws std::exception when the folder or the port cannot be used, or belongs to a world of another seed.
class Emulator {
 public:
  explicit Emulator(const EmulatorOptions& options);
  ~Emulator();

  Platform& platform();
  std::string url() const;  // http://127.0.0.1:PORT
  Json ready() const;       // what the ready file holds
  Server::Stopped stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace emulator
