#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace audiencesync::docs {

/// A fenced block of a Markdown file: ```yaml manifest is language "yaml", role "manifest".
struct Block {
  std::string language;
  std::string role;
  std::string text;
  int line = 0;  // of the opening fence
};

/// One Markdown file of the project.
struct Document {
  std::filesystem::path path;
  std::string name;  // relative to the root
  std::string text;

  std::vector<Block> blocks() const;
  /// What stands between single backticks, outside of fenced blocks.
  std::vector<std::string> inline_code() const;
  /// Targets of links that are files of ours, without their #anchor.
  std::vector<std::string> linked_files() const;
};

/// README.md and every other Markdown file of the root and of docs/, by name.
std::vector<Document> documents();

/// A GitHub table of the fields the program reads, from the tables it reads them with.
std::string manifest_reference();
std::string settings_reference();

}  // namespace audiencesync::docs
