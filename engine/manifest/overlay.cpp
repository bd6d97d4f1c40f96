#include "engine/manifest/overlay.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "engine/manifest/secret_scan.h"
#include "engine/manifest/utf8.h"
#include "engine/manifest/variables.h"

namespace audiencesync {
namespace {

/// Both absolute.
bool is_inside(const Path& path, const Path& folder) {
  const auto relative = path.lexically_normal().lexically_relative(folder.lexically_normal());
  return !relative.empty() && *relative.begin() != "..";
}

Path made_absolute(const Path& path) {
  std::error_code failure;
  auto whole = std::filesystem::absolute(path, failure);
  return failure ? path : whole;
}

/// With symbolic links resolved as far as the path exists. Only looks, and a path that is not on the disk (tests)
/// stays what it is.
Path resolved(const Path& path) {
  std::error_code failure;
  auto real = std::filesystem::weakly_canonical(made_absolute(path), failure);
  return failure ? made_absolute(path) : real;
}

Path folder_of(const Path& path) {
  auto folder = path.parent_path();
  return folder.empty() ? Path(".") : folder;
}

class OverlayLoader {
 public:
  OverlayLoader(const Files& files, const Path& top, const ManifestRules& rules, Problems& problems)
      : files_(files), root_folder_(folder_of(top)), rules_(rules), problems_(problems) {}

  std::optional<YamlNode> load(const Path& path, const Place* asked_at) {
    chain_.push_back(path.lexically_normal());
    auto tree = read(path, asked_at);
    if (!tree) return std::nullopt;
    const auto* entry = tree->find("extends");
    if (entry == nullptr) return tree;
    const auto extends = *entry;
    std::erase_if(tree->entries, [](const auto& each) { return each.key == "extends"; });
    // Without its base a file seems to lack keys: what is wrong with the base is all there is to say.
    const auto base_path = base_of(extends, path);
    if (!base_path) return std::nullopt;
    auto base = load(*base_path, &extends.value.place);
    if (!base) return std::nullopt;
    return merge_over(std::move(*base), std::move(*tree));
  }

 private:
  std::optional<YamlNode> read(const Path& path, const Place* asked_at) {
    auto text = read_yaml_file(files_, path);
    if (!text.ok()) {
      report_unreadable(text.error(), path, asked_at);
      return std::nullopt;
    }
    auto tree = parse_yaml(*text, path.string(), problems_);
    if (!tree) return std::nullopt;
    refuse_secrets(*tree, "manifest", problems_);
    substitute_variables(*tree, rules_, problems_);
    // Once more: a variable may carry one, too. What is known is not reported again.
    refuse_secrets(*tree, "manifest", problems_);
    return tree;
  }

  void report_unreadable(const Error& error, const Path& path, const Place* asked_at) {
    if (asked_at != nullptr && error.code() == ErrorCode::NotFound) {
      problems_.invalid(
          *asked_at, fmt::format("extends: there is no file {}; create it or correct the name", shown(path.string())));
      return;
    }
    const auto place = asked_at != nullptr ? *asked_at : Place{path.string(), 0, 0};
    problems_.add(Error(error.code(), error.message()).at(error.place().value_or(place)));
  }

  std::optional<Path> base_of(const YamlEntry& extends, const Path& from) {
    if (extends.value.reported) return std::nullopt;
    const auto& name = extends.value.text;
    const auto& place = extends.value.kind == YamlNode::Kind::Null ? extends.place : extends.value.place;
    if (extends.value.kind != YamlNode::Kind::Scalar || name.empty() || has_control_character(name)) {
      problems_.invalid(place, "'extends' must be the name of one file; write for example extends: base.yaml");
      return std::nullopt;
    }
    if (name.find("${") != std::string::npos) {
      problems_.invalid(place,
                        fmt::format("extends {} has a variable; write the name of the file itself", shown(name)));
      return std::nullopt;
    }
    if (name.find("://") != std::string::npos || Path(name).is_absolute()) {
      problems_.invalid(place, fmt::format("extends {} is not a relative path; put the file next to this one and write "
                                           "its name",
                                           shown(name)));
      return std::nullopt;
    }
    const Path base = (from.parent_path() / name).lexically_normal();
    if (!is_inside(made_absolute(base), made_absolute(root_folder_)) ||
        !is_inside(resolved(base), resolved(root_folder_))) {
      problems_.invalid(
          place,
          fmt::format("extends {} leaves the folder of the manifest; put the file into that folder", shown(name)));
      return std::nullopt;
    }
    if (std::find(chain_.begin(), chain_.end(), base) != chain_.end()) {
      problems_.invalid(place, fmt::format("extends {} leads back to a file that is being read; remove one 'extends' "
                                           "of the circle",
                                           shown(name)));
      return std::nullopt;
    }
    if (chain_.size() > kMaxExtends) {
      problems_.invalid(place, fmt::format("extends {}: more than {} files extend each other; merge some of them",
                                           shown(name), kMaxExtends));
      return std::nullopt;
    }
    return base;
  }

  const Files& files_;
  Path root_folder_;
  const ManifestRules& rules_;
  Problems& problems_;
  std::vector<Path> chain_;
};

}  // namespace

YamlNode merge_over(YamlNode base, YamlNode over) {
  if (base.kind != YamlNode::Kind::Map || over.kind != YamlNode::Kind::Map || over.reported) return over;
  for (auto& inherited : base.entries) {
    const auto own = std::find_if(over.entries.begin(), over.entries.end(),
                                  [&](const auto& entry) { return entry.key == inherited.key; });
    if (own == over.entries.end()) {
      over.entries.push_back(std::move(inherited));
    } else {
      own->value = merge_over(std::move(inherited.value), std::move(own->value));
    }
  }
  return over;
}

std::optional<YamlNode> load_with_bases(const Files& files, const Path& path, const ManifestRules& rules,
                                        Problems& problems) {
  return OverlayLoader(files, path, rules, problems).load(path, nullptr);
}

}  // namespace audiencesync
