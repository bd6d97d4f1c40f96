#include "engine/manifest/yaml_document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

#include "engine/manifest/utf8.h"
#include "engine/manifest/yaml_text.h"

namespace audiencesync {
namespace {

/// Ends the parser from inside an event. Never leaves this file.
struct YamlRefusal {
  Place place;
  std::string message;
};

/// Builds the tree from the parser's events, so that limits end the work before memory is spent.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const YamlText& text, Problems& problems) : text_(text), problems_(problems) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      refuse(mark,
             "a second document starts here; keep one document in a file, and check the indentation if you see "
             "only one");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto node = make(mark, anchor, YamlNode::Kind::Null);
    // The parser gives an empty value the place of whatever comes next.
    if (!open_.empty() && open_.back().key) node.place = open_.back().key_place;
    attach(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases (*name) are not supported; repeat the value, or put shared parts into a file for 'extends'");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    const Place place = text_.place(mark.line, mark.column);
    if (!text_.quote_ends(static_cast<std::size_t>(mark.pos))) {
      throw YamlRefusal{place, "the quoted text that starts here never ends; add the closing quote"};
    }
    if (!open_.empty() && open_.back().node.kind == YamlNode::Kind::Map && !open_.back().key) {
      count_node(place);
      open_.back().key = value;
      open_.back().key_place = place;
      return;
    }
    auto node = make(mark, anchor, YamlNode::Kind::Scalar);
    node.text = value;
    attach(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    begin(make(mark, anchor, YamlNode::Kind::List));
  }
  void OnSequenceEnd() override { end(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    begin(make(mark, anchor, YamlNode::Kind::Map));
  }
  void OnMapEnd() override { end(); }

  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    refuse(mark, "anchors (&name) are not supported; repeat the value, or put shared parts into a file for 'extends'");
  }

  std::optional<YamlNode> take_root() { return std::move(root_); }

 private:
  struct Open {
    YamlNode node;
    std::optional<std::string> key;  // read, its value is still to come
    Place key_place;
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string message) const {
    throw YamlRefusal{text_.place(mark.line, mark.column), std::move(message)};
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;
    refuse(mark, "tags (!name) are not supported; remove the tag, and put the text in quotes if it starts with '!'");
  }

  void count_node(const Place& place) {
    if (++nodes_ > kMaxYamlNodes) {
      throw YamlRefusal{place, fmt::format("more than {} nodes; split the file", kMaxYamlNodes)};
    }
  }

  YamlNode make(const YAML::Mark& mark, YAML::anchor_t anchor, YamlNode::Kind kind) {
    YamlNode node;
    node.kind = kind;
    node.place = text_.place(mark.line, mark.column);
    if (anchor != YAML::NullAnchor) OnAnchor(mark, "");
    count_node(node.place);
    return node;
  }

  void begin(YamlNode node) {
    refuse_as_key(node.place);
    if (open_.size() >= kMaxYamlDepth) {
      throw YamlRefusal{node.place, fmt::format("nested more than {} levels deep; remove the nesting", kMaxYamlDepth)};
    }
    open_.push_back({std::move(node), std::nullopt, {}});
  }

  void end() {
    auto node = std::move(open_.back().node);
    open_.pop_back();
    attach(std::move(node));
  }

  void refuse_as_key(const Place& place) const {
    if (!open_.empty() && open_.back().node.kind == YamlNode::Kind::Map && !open_.back().key) {
      throw YamlRefusal{place, "a key must be a text; if a value was meant to start here, put it in quotes"};
    }
  }

  void attach(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    refuse_as_key(node.place);
    auto& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::List) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    std::string key = std::move(*parent.key);
    parent.key.reset();
    if (parent.node.entries.size() >= kMaxYamlKeys) {
      throw YamlRefusal{parent.key_place, fmt::format("more than {} keys in one map; split it", kMaxYamlKeys)};
    }
    if (const auto* first = parent.node.find(key)) {
      problems_.invalid(parent.key_place, fmt::format("key {} is here a second time, first at {}; keep one of them",
                                                      shown(key), first->place.text()));
      return;
    }
    parent.node.entries.push_back({std::move(key), parent.key_place, std::move(node)});
  }

  const YamlText& text_;
  Problems& problems_;
  std::vector<Open> open_;
  std::optional<YamlNode> root_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

/// What a parser message means for the author of the file.
std::string explain_parser_message(const std::string& message, char at) {
  if (message.find("alias not found") != std::string::npos || message.find("anchor is not") != std::string::npos) {
    return "'*' at the start of a value means an alias; put the value in quotes, for example \"* * * * *\"";
  }
  if (message.find("unknown token") != std::string::npos) {
    if (at == '@' || at == '%' || at == '`') {
      return fmt::format("a value must not start with '{}'; put it in quotes", at);
    }
    return "not YAML here; put the value in quotes";
  }
  if (message.find("illegal map value") != std::string::npos) {
    return "not YAML here: a ':' where no key can be; check the indentation, and put values that contain ': ' in "
           "quotes";
  }
  if (message.find("flow not found") != std::string::npos) {
    return "not YAML here: a '[' or '{' before this place is not closed; close it";
  }
  return fmt::format("not YAML here: {}; check the indentation and the quotes", message);
}

}  // namespace

const YamlEntry* YamlNode::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

const YamlNode* YamlNode::find_path(std::initializer_list<std::string_view> keys) const {
  const YamlNode* at = this;
  for (const auto key : keys) {
    const auto* entry = at->find(key);
    if (entry == nullptr) return nullptr;
    at = &entry->value;
  }
  return at;
}

namespace {

Result<std::string> read_bounded(const Files& files, const Path& path) {
  const auto bytes = TRY(files.size(path));
  if (bytes > kMaxYamlBytes) {
    return Error(ErrorCode::Invalid, fmt::format("the file has {} bytes, at most {} are read; check that it is the "
                                                 "right file, or split it",
                                                 bytes, kMaxYamlBytes))
        .at(Place{path.string(), 0, 0});
  }
  return files.read(path);
}

}  // namespace

Result<std::string> read_yaml_file(const Files& files, const Path& path) {
  auto text = read_bounded(files, path);
  if (text.ok() || text.error().place()) return text;
  const auto& error = text.error();
  const Place place{path.string(), 0, 0};
  if (error.code() == ErrorCode::NotFound) {
    return Error(error.code(), "there is no such file; check the path").at(place);
  }
  // The message starts with the path, which the place says already.
  auto message = error.message();
  const auto prefix = path.string() + ": ";
  if (message.starts_with(prefix)) message.erase(0, prefix.size());
  return Error(error.code(), message + "; check the path and the permissions").at(place);
}

std::optional<YamlNode> parse_yaml(std::string_view bytes, const std::string& file, Problems& problems) {
  const YamlText text(bytes, file);
  if (auto error = text.check()) {
    problems.add(std::move(*error));
    return std::nullopt;
  }
  TreeBuilder builder(text, problems);
  try {
    std::istringstream stream{std::string(text.content())};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YamlRefusal& refusal) {
    problems.invalid(refusal.place, refusal.message);
    return std::nullopt;
  } catch (const YAML::Exception& failure) {
    const auto& mark = failure.mark;
    const char at = mark.pos >= 0 ? text.at(static_cast<std::size_t>(mark.pos)) : '\0';
    problems.invalid(text.place(mark.line, mark.column), explain_parser_message(failure.msg, at));
    return std::nullopt;
  } catch (const std::exception&) {
    problems.invalid(Place{file, 0, 0}, "not YAML; check that it is the right file");
    return std::nullopt;
  }
  auto root = builder.take_root();
  if (!root || root->kind == YamlNode::Kind::Null) {
    problems.invalid(Place{file, 0, 0}, "the file is empty; start with 'version: 1'");
    return std::nullopt;
  }
  if (root->kind != YamlNode::Kind::Map) {
    problems.invalid(root->place, "the file must be a map of keys and values; start with 'version: 1'");
    return std::nullopt;
  }
  return root;
}

}  // namespace audiencesync
