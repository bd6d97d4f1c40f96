#pragma once

#include <string_view>

#include "engine/base/result.h"

namespace audiencesync::sql {

/// Refuses a text that is not one statement that only reads. Errors: Internal with the word that is too much.
///
/// Looks at words outside of comments, strings and quoted names: the first is SELECT, WITH or SHOW, and none of those
/// that change something stands anywhere, whatever it means there. Too strict is right: our statements quote names.
Result<void> check_read_only(std::string_view text);

}  // namespace audiencesync::sql
