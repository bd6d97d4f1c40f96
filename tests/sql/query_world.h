#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "emulator/emulator.h"
#include "engine/sql/libpq/libpq_session.h"

namespace audiencesync::sql {

/// A platform whose Query Service listens, in this process.
class QueryWorld : public ::testing::Test {
 protected:
  QueryWorld();
  ~QueryWorld() override;

  /// Logs in with the credential that does not expire, unless a test changes that.
  class OwnLogins final : public Logins {
   public:
    Result<Login> login() override {
      ++asked;
      return next;
    }
    Login next;
    int asked = 0;
  };

  LibpqOptions options() const;
  template <class Value>
  void set(Value emulator::Settings::*member, Value value) {
    const auto lock = world->platform().objects.lock();
    world->platform().settings.*member = value;
  }

  std::filesystem::path folder;
  std::unique_ptr<emulator::Emulator> world;
  OwnLogins logins;
  std::stop_source stop;
};

/// Rows by ' | ', cells by ',', NULL as ~; an error as it is.
std::string shown_rows(const Result<Rows>& rows);

}  // namespace audiencesync::sql
