#pragma once

#include <simdjson.h>

#include <filesystem>
#include <functional>
#include <string_view>

namespace emulator {

enum class RecordLayout { Lines, Document };  // one object a line, or one JSON array (or object) a file

/// Calls `record` for each record of a JSON file: the parsed value, or its error, and the text as it was sent.
///
/// Both are valid during the call only. Blank lines are no records. Memory: the longest line for Lines, the whole file
/// for Document. Throws std::runtime_error when the file cannot be read.
void each_record(
    const std::filesystem::path& file, RecordLayout layout,
    const std::function<void(simdjson::simdjson_result<simdjson::dom::element>, std::string_view)>& record);

}  // namespace emulator
