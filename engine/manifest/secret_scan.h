#pragma once

#include <string_view>

#include "engine/manifest/problems.h"
#include "engine/manifest/yaml_document.h"

namespace audiencesync {

/// Whether a text has, or contains, the shape of a credential: an Adobe client secret, a JSON Web Token, a bearer
/// header, a private key, a cloud access key, or a password in a URL. May miss some; ids and names never match.
bool looks_like_secret(std::string_view text);

/// Whether a key of a file is named like one that holds a credential: client_secret, apiKey, password, ...; not like
/// one that says which file holds it: token_file.
bool names_a_secret(std::string_view key);

/// Whether an environment variable is named like one that holds a credential. Stricter than for keys.
bool names_a_secret_variable(std::string_view variable);

/// Reports every credential in the tree and marks its node, so that no later message shows it.
/// `kind` is what the file is, for the message: "manifest" or "settings file".
void refuse_secrets(YamlNode& root, std::string_view kind, Problems& problems);

}  // namespace audiencesync
