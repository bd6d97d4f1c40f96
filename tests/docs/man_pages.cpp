#include "tests/docs/man_pages.h"

#include <fmt/format.h>

#include <array>
#include <sstream>

#include "daemon/command_table.h"
#include "daemon/version.h"
#include "engine/manifest/manifest_fields.h"
#include "engine/manifest/settings.h"
#include "tests/support/process.h"

namespace audiencesync::docs {
namespace {

struct ManExit {
  int code;
  std::string_view tells;
};

constexpr std::array<ManExit, 11> kManExits{{{0, "Converged, or nothing to do."},
                                             {1, "Failed."},
                                             {2, "Changes are pending (with --detailed-exitcode)."},
                                             {3, "Waits for a person or an approval."},
                                             {4, "Refused: a guard, a stale plan, another writer."},
                                             {5, "Not finished; run again later."},
                                             {6, "Locked by another run."},
                                             {7, "Authentication or permission."},
                                             {64, "Usage."},
                                             {65, "The manifest or the settings are bad."},
                                             {130, "Interrupted (143: terminated); run again to continue."}}};

// Text of a line: a minus is a minus that can be copied, and nothing is read as a request.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char each : text) {
    if (each == '\\') {
      out += "\\e";
    } else if (each == '-') {
      out += "\\-";
    } else if (each == '\'') {
      out += "\\(aq";
    } else {
      out += each;
    }
  }
  if (out.starts_with('.')) out.insert(0, "\\&");
  return out;
}

std::string heading(std::string_view name, int section, std::string_view summary) {
  std::string upper;
  for (const char each : name) upper += (each >= 'a' && each <= 'z') ? static_cast<char>(each - 'a' + 'A') : each;
  return fmt::format(
      ".\\\" Made by docs_test from the tables of the program; do not edit.\n"
      ".TH \"{}\" {} \"\" \"audiencesync {}\" \"audiencesync\"\n.SH NAME\n{} \\- {}\n",
      escaped(upper), section, kVersion, escaped(name), escaped(summary));
}

std::string man_sentence(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out.front() >= 'a' && out.front() <= 'z')
    out.front() = static_cast<char>(out.front() - 'a' + 'A');
  return out.empty() || out.ends_with('.') ? out : out + ".";
}

void add_man_options(std::string& out, const std::vector<OptionRow>& options) {
  for (const auto& option : options) {
    out += fmt::format(".TP\n\\fB{}\\fR", escaped("--" + std::string(option.name)));
    if (!option.value.empty()) out += fmt::format(" \\fI{}\\fR", escaped(option.value));
    const auto standard = option.words.empty() ? option.fallback : option.words.front();
    out += "\n" + escaped(man_sentence(option.help));
    if (!standard.empty()) out += fmt::format(" Default: {}.", escaped(standard));
    out += '\n';
  }
}

void add_man_fields(std::string& out, const FieldTable& table, const std::string& prefix) {
  for (const auto& field : table) {
    if (field.availability == Availability::Later) continue;
    const auto key = prefix + std::string(field.name);
    out += fmt::format(".TP\n\\fB{}\\fR\n{}", escaped(key), escaped(man_sentence(field.help)));
    std::string words;
    for (const auto& choice : field.choices) {
      if (choice.availability == Availability::Now)
        words += fmt::format("{}{}", words.empty() ? "" : ", ", choice.word);
    }
    if (!words.empty()) out += fmt::format(" One of {}.", escaped(words));
    if (field.presence == Presence::Required) {
      out += " Required.";
    } else if (!field.fallback.empty()) {
      out += fmt::format(" Default: {}.", escaped(field.fallback));
    }
    out += '\n';
    const auto deeper = field.type == FieldType::MapList ? "[]." : field.type == FieldType::NamedMaps ? ".NAME." : ".";
    add_man_fields(out, field.fields, key + deeper);
  }
}

// What must keep its lines.
std::string literal(std::string_view text) {
  std::string out = ".nf\n";
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) out += escaped(line) + "\n";
  return out + ".fi\n";
}

}  // namespace

std::string man_of_program() {
  auto out = heading("audiencesync", 1, "keep Experience Platform audiences in Customer Journey Analytics");
  out +=
      ".SH SYNOPSIS\n\\fBaudiencesync\\fR \\fICOMMAND\\fR [\\fIoptions\\fR] [\\fIoperands\\fR]\n.SH DESCRIPTION\n"
      "A YAML manifest says which Adobe Experience Platform audiences belong in Customer Journey Analytics.\n"
      "\\fBaudiencesync\\fR compares that with what is there, shows the plan, applies only the difference and proves\n"
      "the result; as a service it keeps it true on a schedule.\n.SH COMMANDS\n";
  for (const auto& row : command_table()) {
    out += fmt::format(".SS \"{}{}{}\"\n{}", escaped(row.name), row.usage.empty() ? "" : " ", escaped(row.usage),
                       escaped(man_sentence(row.summary)));
    if (!row.tells.empty()) out += " " + escaped(row.tells);
    out += '\n';
    add_man_options(out, row.options);
    for (const auto& example : row.examples) {
      if (!example.tells.empty()) out += ".PP\n" + escaped(man_sentence(example.tells)) + "\n";
      if (example.tells.empty()) out += ".PP\n";
      out += ".RS 4\n" + literal(example.line) + ".RE\n";
    }
  }
  out += ".SH OPTIONS OF EVERY COMMAND\n";
  add_man_options(out, common_options());
  out += ".SH EXIT STATUS\n";
  for (const auto& each : kManExits) out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", each.code, escaped(each.tells));
  out +=
      ".SH FILES\n.TP\n\\fI/etc/audiencesync/audiencesync.yaml\\fR\nThe settings, see \\fBaudiencesync.yaml\\fR(5).\n"
      ".TP\n\\fI/etc/audiencesync/manifests.d\\fR\nThe manifests, see \\fBaudiencesync\\-manifest\\fR(5).\n"
      ".TP\n\\fI/etc/audiencesync/credentials\\fR\nCredentials, one file each; mode 0600.\n"
      ".TP\n\\fI/var/lib/audiencesync\\fR\nWhat the program remembers; holds person ids.\n"
      ".SH SEE ALSO\n\\fBaudiencesync.yaml\\fR(5), \\fBaudiencesync\\-manifest\\fR(5)\n";
  return out;
}

std::string man_of_settings() {
  auto out = heading("audiencesync.yaml", 5, "settings of audiencesync");
  out +=
      ".SH SYNOPSIS\n\\fI/etc/audiencesync/audiencesync.yaml\\fR\n.SH DESCRIPTION\n"
      "A YAML file that says where the state and the manifests are, which organisations there are and how to reach\n"
      "them. \\fBaudiencesync schema settings\\fR prints its JSON Schema.\n.SH KEYS\n";
  add_man_fields(out, settings_fields(), "");
  return out + ".SH SEE ALSO\n\\fBaudiencesync\\fR(1), \\fBaudiencesync\\-manifest\\fR(5)\n";
}

std::string man_of_manifest() {
  auto out = heading("audiencesync-manifest", 5, "what a manifest of audiencesync says");
  out +=
      ".SH SYNOPSIS\n\\fI/etc/audiencesync/manifests.d/*.yaml\\fR\n.SH DESCRIPTION\n"
      "A YAML file for each sync: which audiences, for which person id, on which schedule. \\fBaudiencesync "
      "schema\\fR\n"
      "prints its JSON Schema, \\fBaudiencesync validate\\fR finds every mistake with its line.\n.SH KEYS\n";
  add_man_fields(out, manifest_fields(), "");
  return out + ".SH SEE ALSO\n\\fBaudiencesync\\fR(1), \\fBaudiencesync.yaml\\fR(5)\n";
}

std::string man_of_emulator() {
  auto out = heading("audiencesync-emulator", 1, "a local Experience Platform for tests and demonstrations");
  out +=
      ".SH SYNOPSIS\n\\fBaudiencesync\\-emulator\\fR \\fB\\-\\-data\\fR \\fIDIR\\fR [\\fIoptions\\fR]\n.SH "
      "DESCRIPTION\n"
      "Generates people and audiences and answers like the platform and Customer Journey Analytics do, from its own\n"
      "data, on loopback. \\fBaudiencesync\\fR cannot tell the difference.\n.SH OPTIONS\n";
  const testing::TemporaryFolder folder;
  const auto program = std::string(AUDIENCESYNC_BIN_DIR) + "/audiencesync-emulator";
  const auto help = testing::run_process({program, "--help"}, {}, folder.path()).out;
  const auto options = help.find("Options:\n");
  out += literal(options == std::string::npos ? help : help.substr(options + 9));
  return out + ".SH SEE ALSO\n\\fBaudiencesync\\fR(1)\n";
}

}  // namespace audiencesync::docs
