#include <fmt/format.h>

#include "engine/manifest/manifest_fields.h"
#include "engine/manifest/settings.h"
#include "tests/docs/document.h"

namespace audiencesync::docs {
namespace {

std::string cell(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '|') out += '\\';
    out += letter;
  }
  return out;
}

std::string choices(const Field& field) {
  std::string out;
  for (const auto& choice : field.choices) {
    if (choice.availability == Availability::Later) continue;
    out += fmt::format("{}`{}`", out.empty() ? " One of " : ", ", choice.word);
  }
  return out.empty() ? out : out + ".";
}

std::string fallback(const Field& field) {
  if (field.presence == Presence::Required) return "required";
  return field.fallback.empty() ? "" : fmt::format("`{}`", cell(field.fallback));
}

void add_rows(std::string& out, const FieldTable& table, const std::string& prefix) {
  for (const auto& field : table) {
    if (field.availability == Availability::Later) continue;
    const auto key = prefix + std::string(field.name);
    out += fmt::format("| `{}` | {} | {}{} |\n", key, fallback(field), cell(field.help), choices(field));
    if (field.type == FieldType::Map) add_rows(out, field.fields, key + ".");
    if (field.type == FieldType::MapList) add_rows(out, field.fields, key + "[].");
    if (field.type == FieldType::NamedMaps) add_rows(out, field.fields, key + ".NAME.");
  }
}

std::string table_of(const FieldTable& table) {
  std::string out = "| key | default | meaning |\n|---|---|---|\n";
  add_rows(out, table, "");
  return out;
}

}  // namespace

std::string manifest_reference() { return table_of(manifest_fields()); }
std::string settings_reference() { return table_of(settings_fields()); }

}  // namespace audiencesync::docs
