#include "emulator/ingestion/record_reader.h"

#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace emulator {
namespace {

constexpr std::size_t kJsonBlock = 1 << 20;

using Parsed = simdjson::simdjson_result<simdjson::dom::element>;

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

void each_line(std::ifstream& in, const std::function<void(Parsed, std::string_view)>& record) {
  simdjson::dom::parser parser;
  // A line is parsed where it lies: the parser may read a little past it, hence the padding.
  std::vector<char> buffer(kJsonBlock + simdjson::SIMDJSON_PADDING);
  std::size_t filled = 0;
  const auto take = [&](const char* begin, std::size_t size) {
    const std::string_view line(begin, size);
    if (!is_blank(line)) record(parser.parse(begin, size, false), line);
  };
  for (;;) {
    in.read(buffer.data() + filled, static_cast<std::streamsize>(buffer.size() - simdjson::SIMDJSON_PADDING - filled));
    filled += static_cast<std::size_t>(in.gcount());
    const bool last = in.gcount() == 0;
    const char* at = buffer.data();
    const char* const end = at + filled;
    while (const void* found = std::memchr(at, '\n', static_cast<std::size_t>(end - at))) {
      const char* line_end = static_cast<const char*>(found);
      take(at, static_cast<std::size_t>(line_end - at));
      at = line_end + 1;
    }
    const auto rest = static_cast<std::size_t>(end - at);
    if (last) {
      if (rest > 0) take(at, rest);
      return;
    }
    std::memmove(buffer.data(), at, rest);
    filled = rest;
    if (filled + simdjson::SIMDJSON_PADDING == buffer.size()) buffer.resize(buffer.size() * 2);
  }
}

void each_in_document(const std::filesystem::path& file, const std::function<void(Parsed, std::string_view)>& record) {
  simdjson::padded_string text;
  if (simdjson::padded_string::load(file.string()).get(text) != simdjson::SUCCESS)
    throw std::runtime_error("cannot read " + file.string());
  simdjson::dom::parser parser;
  Parsed document = parser.parse(text);
  simdjson::dom::array rows;
  if (document.get_array().get(rows) != simdjson::SUCCESS) {
    record(document, std::string_view(text));
    return;
  }
  for (simdjson::dom::element row : rows) {
    const std::string text_of_row = simdjson::minify(row);
    record(Parsed(std::move(row)), text_of_row);
  }
}

}  // namespace

void each_record(const std::filesystem::path& file, RecordLayout layout,
                 const std::function<void(Parsed, std::string_view)>& record) {
  if (layout == RecordLayout::Document) return each_in_document(file, record);
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  each_line(in, record);
}

}  // namespace emulator
