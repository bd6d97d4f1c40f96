#include <fmt/format.h>

#include <array>
#include <cctype>
#include <sstream>

#include "daemon/command_table.h"
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

std::string_view deeper(const Field& field) {
  switch (field.type) {
    case FieldType::MapList:
      return "[].";
    case FieldType::NamedMaps:
      return ".NAME.";
    default:
      return ".";
  }
}

void add_rows(std::string& out, const FieldTable& table, const std::string& prefix) {
  for (const auto& field : table) {
    if (field.availability == Availability::Later) continue;
    const auto key = prefix + std::string(field.name);
    out += fmt::format("| `{}` | {} | {}{} |\n", key, fallback(field), cell(field.help), choices(field));
    add_rows(out, field.fields, key + std::string(deeper(field)));
  }
}

std::string table_of(const FieldTable& table) {
  std::string out = "| key | default | meaning |\n|---|---|---|\n";
  add_rows(out, table, "");
  return out;
}

void add_later(std::vector<std::string>& out, const FieldTable& table, const std::string& prefix) {
  for (const auto& field : table) {
    const auto key = prefix + std::string(field.name);
    if (field.availability == Availability::Later) {
      out.push_back(fmt::format("`{}`", key));
      continue;
    }
    for (const auto& choice : field.choices) {
      if (choice.availability == Availability::Later) out.push_back(fmt::format("`{}: {}`", key, choice.word));
    }
    add_later(out, field.fields, key + std::string(deeper(field)));
  }
}

constexpr std::size_t kWidth = 100;  // of prose in the manuals

// A paragraph whose further lines begin with `indent`.
std::string paragraph(const std::string& text, const std::string& indent = {}) {
  std::string out;
  std::size_t column = 0;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (column > 0 && column + 1 + word.size() > kWidth) {
      out += "\n" + indent;
      column = indent.size();
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out + "\n";
}

std::string list_item(const std::string& lead, const std::vector<std::string>& items) {
  return paragraph(fmt::format("- {} {}", lead, fmt::join(items, ", ")), "  ");
}

std::string sentence(std::string_view text) {
  std::string out(text);
  if (!out.empty()) out.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(out.front())));
  return out.ends_with('.') ? out : out + ".";
}

void add_options(std::string& out, const std::vector<OptionRow>& options) {
  out += "| option | default | meaning |\n|---|---|---|\n";
  for (const auto& option : options) {
    const auto standard = option.words.empty() ? option.fallback : option.words.front();
    out += fmt::format("| `--{}{}{}` | {} | {} |\n", option.name, option.value.empty() ? "" : " ", cell(option.value),
                       standard.empty() ? "" : fmt::format("`{}`", standard), cell(option.help));
  }
}

// Everything the design has; those that this version refuses are listed.
constexpr std::array<std::string_view, 15> kDesignedCommands{"daemon", "members", "diff",    "rollback",   "verify",
                                                             "state",  "forget",  "suspend", "resume",     "run-now",
                                                             "lock",   "retire",  "adopt",   "quarantine", "report"};

}  // namespace

std::string manifest_reference() { return table_of(manifest_fields()); }
std::string settings_reference() { return table_of(settings_fields()); }

std::string commands_reference() {
  std::string out = "## Options of every command\n\n";
  add_options(out, common_options());
  for (const auto& row : command_table()) {
    out += fmt::format("\n## {}\n\n{}", row.name, paragraph(fmt::format("{} {}", sentence(row.summary), row.tells)));
    if (!row.options.empty()) {
      out += '\n';
      add_options(out, row.options);
    }
    out += "\n```sh\n";
    for (const auto& example : row.examples) {
      out += std::string(example.line) + (example.tells.empty() ? "" : fmt::format("  # {}", example.tells)) + "\n";
    }
    out += "```\n";
  }
  return out;
}

std::string later_reference() {
  std::vector<std::string> commands;
  for (const auto name : kDesignedCommands) {
    const auto parsed = parse_options({std::string(name)});
    const bool is_later = !parsed.ok() && parsed.error().code() == ErrorCode::Unsupported;
    if (is_later) commands.push_back(fmt::format("`{}`", name));
  }
  std::vector<std::string> manifest;
  add_later(manifest, manifest_fields(), "");
  std::vector<std::string> settings;
  add_later(settings, settings_fields(), "");
  return list_item("Commands:", commands) + list_item("Keys and words of a manifest:", manifest) +
         list_item("Keys of the settings:", settings);
}

}  // namespace audiencesync::docs
