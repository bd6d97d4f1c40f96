#pragma once

#include "daemon/gitops/git_repository.h"

namespace audiencesync {

/// Who may sign commits. At least one of the files is named.
struct Signers {
  Path allowed_signers;  // of SSH signatures, as ssh-keygen reads it; "" for none
  Path keyring;          // of OpenPGP signatures, as gpgv reads it; "" for none
};

/// Checks a commit's signature. Gives who signed it: the principal of allowed_signers, or the id of the key.
///
/// Runs ssh-keygen or gpgv; the files in between are made below `scratch`, private and gone afterwards.
/// Errors: Refused, saying why the signature does not count; of run_tool.
Result<std::string> check_signature(Files& files, const Path& scratch, const std::optional<CommitSignature>& signature,
                                    const Signers& signers);

}  // namespace audiencesync
