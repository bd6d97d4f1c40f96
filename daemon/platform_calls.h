#pragma once

#include <memory>

#include "daemon/adapters.h"
#include "engine/manifest/settings.h"

namespace audiencesync {

/// How calls are repeated: as the settings say, or as a test wishes.
http::RetryPolicy retry_policy(const Adapters& adapters, const Settings& settings);

/// The way to the servers of one organisation: the program's, or one of its own that trusts other certificates.
class OrganizationTransport {
 public:
  OrganizationTransport(const Adapters& adapters, const Organization& organization);

  http::Transport& get() const { return own_ == nullptr ? shared_ : *own_; }

 private:
  http::Transport& shared_;
  std::unique_ptr<http::Transport> own_;
};

/// Says what is wrong with `ca_file` before anything is called. Errors: Invalid with its place.
Result<void> check_ca_file(const Files& files, const Settings& settings, const Organization& organization);

}  // namespace audiencesync
