#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>

#include "emulator/state/clock.h"
#include "emulator/state/objects.h"
#include "emulator/state/settings.h"

namespace emulator {

/// Who we are: fixed at start from the seed, written to the ready file.
struct Identity {
  std::string organization;  // ...@AdobeOrg
  std::string client_id;
  std::string client_secret;
  std::string sandbox = "prod";
  std::string tenant;          // with the leading underscore
  std::string identity_field;  // dotted path of the person id in a profile
  std::uint64_t seed = 1;
};

/// 64 lower-case hex digits (and a UUID) that look random and depend on nothing but these three values.
std::string derived_hex(std::uint64_t seed, const std::string& purpose, std::uint64_t number);
std::string derived_uuid(std::uint64_t seed, const std::string& purpose, std::uint64_t number);

/// What every service of the emulator shares. Built in main, outlives the services; services hold a reference.
struct Platform {
  Platform(std::filesystem::path data_folder, Identity who)
      : folder(std::move(data_folder)), identity(std::move(who)), objects(folder) {}

  std::filesystem::path folder;  // everything durable lies below it
  Identity identity;
  Clock clock;
  Objects objects;
  Settings settings;  // guarded by objects.lock()

  /// A new id that depends only on the seed and on how many of that kind were made: 24 lower-case hex digits.
  std::string new_id(const std::string& kind);
  /// The same as a UUID, for audiences, merge policies, schemas.
  std::string new_uuid(const std::string& kind);
};

}  // namespace emulator
