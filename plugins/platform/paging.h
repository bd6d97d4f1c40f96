#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/value.h"

namespace audiencesync::platform {

/// Reads one page at `cursor` ("" is the first) and says where the next one starts, "" when there is none.
using FetchPage = std::function<Result<std::string>(const std::string& cursor)>;

/// Reads pages until there is no next one.
///
/// Errors: those of `fetch`, and Corrupt when the platform names a page twice: following it would never end, and
/// stopping would take a part of the list for the whole.
Result<void> each_page(std::string_view what, const FetchPage& fetch);

/// Where a page answer says the next one is, in any of the platform's dialects: `_page.next` or `_pages.next` (a value
/// to pass as `start`), else the parameter `parameter` within `_links.next.href` or `link.next`. "" at the end; 0 means
/// the end too, because the first page is never a next one.
std::string next_cursor(const Value& answer, std::string_view parameter);

/// The same for lists that are paged by offset and say nothing of a next page: a short page is the last.
/// `seen` is the number of objects of all pages so far, `count` that of this page.
std::string next_offset(std::size_t seen, std::size_t count, std::size_t limit);

}  // namespace audiencesync::platform
