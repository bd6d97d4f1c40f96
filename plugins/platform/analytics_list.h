#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/value.h"
#include "engine/http/client.h"

namespace audiencesync::platform {

/// A GET of Customer Journey Analytics.
http::Request analytics_get(std::string path, http::Query query = {});
/// A request to Customer Journey Analytics with a JSON body.
http::Request analytics_send(http::Method method, std::string path, const Value& body, http::Repeat repeat);

/// Whether `answer` is the last page, in any dialect: `lastPage`, else `last`, else what its counts say; a bare array
/// is all there is. `limit` is what was asked for. Pure.
bool is_last_page(const Value& answer, std::size_t limit);

/// Objects of a page: its `content`, or the answer itself when it is a bare array.
const Value::Array& page_content(const Value& answer);

/// Reads a list of Customer Journey Analytics to its end and hands on every object; `limit` and `page` are added.
///
/// Errors: those of the client; Corrupt when the platform never says that a page is the last.
Result<void> each_listed(http::ReadClient& client, std::string_view what, const std::string& path, http::Query query,
                         const std::function<void(const Value&)>& element);

/// The id of a connection as the lists write it: with `dg_` before the uuid.
std::string connection_id(std::string_view text);
/// Whether `text` is an id of a connection, with `dg_` or as a bare uuid.
bool is_connection_id(std::string_view text);
/// Whether `text` is an id of a data view.
bool is_data_view_id(std::string_view text);

}  // namespace audiencesync::platform
