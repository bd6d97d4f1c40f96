#pragma once

#include <cstddef>
#include <string>

#include "engine/model/plan.h"

namespace audiencesync {

/// What the Markdown form of a plan never exceeds, in bytes: a comment on a pull request takes 65,536.
inline constexpr std::size_t kLargestMarkdown = 60'000;

/// The plan as a comment for a pull request: GitHub's Markdown, the same parts as the text.
///
/// Names are escaped: nothing in them becomes markup, a mention or a link. Where it would be larger than
/// `kLargestMarkdown`, lists are cut and say how many they leave out. One line when there is nothing to do.
std::string plan_markdown(const Plan& plan, Time now);

/// The text as Markdown shows it literally, also within a table.
std::string escape_markdown(std::string_view text);

}  // namespace audiencesync
