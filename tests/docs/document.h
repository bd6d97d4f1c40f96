#pragma once

#include <filesystem>
#include <set>
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

/// `[text](file#anchor)`; either part of the target may be empty.
struct Link {
  std::string file;
  std::string anchor;
  int line = 0;
};

struct Line {
  std::string text;
  int number = 0;  // from 1
};

/// One Markdown file of the project.
struct Document {
  std::filesystem::path path;
  std::string name;  // relative to the root
  std::string text;

  std::vector<Block> blocks() const;
  /// What stands between single backticks, outside of fenced blocks; it may go over the end of a line.
  std::vector<std::string> inline_code() const;
  /// Links to files of ours.
  std::vector<Link> links() const;
  /// The anchors that GitHub gives the headings.
  std::set<std::string> anchors() const;
  /// Lines that can be broken: no code, no table, no heading.
  std::vector<Line> prose() const;
};

/// README.md and every other Markdown file of the root and of docs/, by name.
const std::vector<Document>& documents();
/// What people read to use the program: without decisions, formats and how to contribute.
std::vector<Document> manuals();
const Document& document(const std::string& name);

/// GitHub tables of the fields the program reads, from the tables it reads them with.
std::string manifest_reference();
std::string settings_reference();
/// Every command with its options and examples, from the table they are parsed with.
std::string commands_reference();
/// Commands, keys and words that are known and refused.
std::string later_reference();

}  // namespace audiencesync::docs
