#pragma once

#include <string>
#include <string_view>

#include "engine/base/error.h"
#include "engine/base/secret.h"

namespace audiencesync::sql {

/// What an SQLSTATE means for us; `message` tells the limits behind 53400 apart.
ErrorCode code_of_state(std::string_view state, std::string_view message);

/// The error of a statement. What the message quotes is left out unless the state is about names and grammar only: a
/// failed conversion quotes the value it failed on.
Error statement_error(std::string_view state, std::string_view message);

/// The error of a connection that was not made, out of libpq's words in their verbose form, without `password`.
Error connection_error(const std::string& host, std::string_view said, const Secret& password);

}  // namespace audiencesync::sql
