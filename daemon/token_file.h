#pragma once

#include <string>
#include <vector>

#include "engine/base/files.h"
#include "engine/http/token.h"

namespace audiencesync {

/// The access token of a credential, in a private file (0600 in the 0700 state folder) that all processes of a state
/// share. It is not encrypted: the key would have to lie beside it, and who can read the one can read the other; a
/// token lasts a day at most, and the secret that buys new ones is in no file of ours. A rotated secret makes it
/// another credential, whose token this is not. Thread-safe.
class TokenFile final : public http::TokenShelf {
 public:
  /// `about` is what the token depends on beside the secret: the service, the client, its scopes.
  TokenFile(Path file, const std::vector<std::string>& about, const Secret& secret);

  std::unique_ptr<Turn> take_turn(std::stop_token stop) override;
  std::optional<http::SharedToken> read() override;
  void keep(const http::SharedToken& token) override;
  void drop(const Secret& token) override;

 private:
  const Path file_;
  std::string credential_;  // digest
};

}  // namespace audiencesync
