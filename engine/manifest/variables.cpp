#include "engine/manifest/variables.h"

#include <fmt/format.h>

#include "engine/manifest/secret_scan.h"
#include "engine/manifest/utf8.h"

namespace audiencesync {
namespace {

class Substitution {
 public:
  Substitution(const ManifestRules& rules, Problems& problems) : rules_(rules), problems_(problems) {}

  void apply(YamlNode& node) {
    if (node.reported) return;
    if (node.kind == YamlNode::Kind::Scalar) replace(node);
    for (auto& item : node.items) apply(item);
    for (auto& entry : node.entries) apply(entry.value);
  }

 private:
  void replace(YamlNode& node) {
    const auto before = problems_.count();
    node.text = replaced(node.text, node.place);
    node.reported = problems_.count() > before;
  }

  std::string replaced(std::string_view text, const Place& place) {
    std::string out;
    while (!text.empty()) {
      const auto at = text.find("${");
      if (at == std::string_view::npos) return out.append(text);
      if (at > 0 && text[at - 1] == '$') {
        out.append(text.substr(0, at - 1)).append("${");
        text.remove_prefix(at + 2);
        continue;
      }
      out.append(text.substr(0, at));
      const auto end = text.find('}', at);
      if (end == std::string_view::npos) {
        problems_.invalid(place, "'${' without '}'; close it, or write '$${' for the characters themselves");
        return out;
      }
      out += value_of(text.substr(at + 2, end - at - 2), place);
      text.remove_prefix(end + 1);
    }
    return out;
  }

  std::string value_of(std::string_view name, const Place& place) {
    if (names_a_secret_variable(name)) {
      problems_.invalid(place, fmt::format("variable {} is named like a credential, and secrets do not belong in a "
                                           "manifest; put it into the credential file that the settings name",
                                           shown(name)));
      return {};
    }
    const auto listed = rules_.variables.find(std::string(name));
    if (listed == rules_.variables.end()) {
      problems_.invalid(place, fmt::format("variable {} is not listed in the settings; add it to 'variables' there, or "
                                           "write '$${{' for the characters '${{' themselves",
                                           shown(name)));
      return {};
    }
    if (!listed->second) {
      problems_.invalid(place,
                        fmt::format("variable {} is not set; set it in the environment of audiencesync", shown(name)));
      return {};
    }
    return *listed->second;
  }

  const ManifestRules& rules_;
  Problems& problems_;
};

}  // namespace

void substitute_variables(YamlNode& root, const ManifestRules& rules, Problems& problems) {
  Substitution substitution(rules, problems);
  for (auto& entry : root.entries) {
    if (entry.key != "extends") substitution.apply(entry.value);
  }
}

}  // namespace audiencesync
