#include "engine/membership/duckdb/duckdb_person_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "engine/membership/duckdb/duckdb_session.h"

namespace audiencesync {
namespace {

using Kind = ParquetType::Kind;
using Membership = SourceRow::Membership;

// What to select from one file, and how to read it.
struct FilePlan {
  std::string person;                      // expression
  ParquetType person_type;                 // Text, or an identity map
  std::optional<ParquetType> memberships;  // nullopt: the file has none
};

bool equal_without_case(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](char one, char other) { return lower(one) == lower(other); });
}

const VectorView* member(const VectorView& view, std::string_view name) {
  for (const auto& child : view.children) {
    if (is_named(child.type->name, name)) return &child;
  }
  return nullptr;
}

// Calls each(key, values, row of values) for the entries of a map, or the members of a struct that have a value.
template <class Each>
void each_entry(const VectorView& view, std::uint64_t row, Each each) {
  if (!view.has(row)) return;
  if (view.type->kind == Kind::Struct) {
    for (const auto& child : view.children) {
      if (child.has(row)) each(std::string_view(child.type->name), child, row);
    }
    return;
  }
  const auto range = view.range(row);
  for (auto at = range.first; at < range.last; ++at) {
    if (view.children[0].has(at) && view.children[1].has(at)) each(view.children[0].text(at), view.children[1], at);
  }
}

std::string_view status_at(const VectorView& membership, std::uint64_t row) {
  const auto* status = membership.type->kind == Kind::Text ? &membership : member(membership, "status");
  return status != nullptr && status->has(row) ? status->text(row) : std::string_view();
}

void collect_memberships(const VectorView& column, std::uint64_t row, std::vector<Membership>& out) {
  out.clear();
  each_entry(column, row, [&](std::string_view space, const VectorView& audiences, std::uint64_t at) {
    each_entry(audiences, at, [&](std::string_view audience, const VectorView& membership, std::uint64_t below) {
      out.push_back({space, audience, status_at(membership, below)});
    });
  });
}

// The primary identity of a namespace; without a primary one the only one. Several without a mark name nobody.
std::string_view primary_identity(const VectorView& column, std::uint64_t row, std::string_view space) {
  std::string_view primary;
  std::string_view only;
  std::size_t count = 0;
  each_entry(column, row, [&](std::string_view name, const VectorView& list, std::uint64_t at) {
    if (!equal_without_case(name, space)) return;
    const auto& identity = list.children[0];
    const auto* id = member(identity, "id");
    const auto* mark = member(identity, "primary");
    const auto range = list.range(at);
    for (auto each = range.first; each < range.last; ++each) {
      if (!identity.has(each) || !id->has(each)) continue;
      ++count;
      only = id->text(each);
      const bool marked = mark != nullptr && mark->type->kind == Kind::Flag && mark->has(each) &&
                          static_cast<const bool*>(mark->data)[each];
      if (marked && primary.empty()) primary = only;
    }
  });
  if (!primary.empty()) return primary;
  return count == 1 ? only : std::string_view();
}

std::string expression_of(const ParquetPath& path) {
  auto expression = quoted_identifier(path.names.front());
  for (std::size_t i = 1; i < path.names.size(); ++i) {
    expression = fmt::format("struct_extract({}, {})", expression, quoted_text(path.names[i]));
  }
  return expression;
}

Result<FilePlan> plan_file(const Path& file, const std::vector<ParquetType>& columns, const SourceColumns& wanted) {
  FilePlan plan;
  if (const auto path = find_path(columns, wanted.identity_field)) {
    if (path->kind == Kind::Struct || path->kind == Kind::Map || path->kind == Kind::List) {
      return Error(ErrorCode::Invalid,
                   fmt::format("{}: identity field '{}' is a structure, not one value; name the field "
                               "inside it that holds the person id",
                               file.string(), wanted.identity_field));
    }
    plan.person = expression_of(*path);
    if (path->kind != Kind::Text) plan.person = fmt::format("CAST({} AS VARCHAR)", plan.person);
    plan.person_type = {"person", Kind::Text, {}};
  } else if (const auto* map = find_column(columns, "identityMap");
             map != nullptr && !wanted.identity_namespace.empty() && is_identity_map_type(*map)) {
    plan.person = quoted_identifier(map->name);
    plan.person_type = *map;
  } else {
    return Error(ErrorCode::Invalid,
                 fmt::format("{}: no identity field '{}' and no identityMap to look up namespace '{}'; "
                             "the columns are: {}",
                             file.string(), wanted.identity_field, wanted.identity_namespace, column_names(columns)));
  }
  if (const auto* memberships = find_column(columns, "segmentMembership")) {
    if (!is_membership_type(*memberships)) {
      return Error(ErrorCode::Corrupt,
                   fmt::format("{}: column '{}' does not have the shape namespace, audience, status; "
                               "look at the export's schema",
                               file.string(), memberships->name));
    }
    plan.memberships = *memberships;
  }
  return plan;
}

Result<std::uint64_t> read_file(DuckdbSession& session, const Path& file, const FilePlan& plan,
                                const SourceColumns& wanted,
                                const std::function<Result<void>(const SourceRow&)>& each) {
  std::vector<std::string> expressions{plan.person};
  std::vector<const ParquetType*> types{&plan.person_type};
  if (plan.memberships) {
    expressions.push_back(quoted_identifier(plan.memberships->name));
    types.push_back(&*plan.memberships);
  }
  std::vector<Membership> memberships;
  std::uint64_t rows = 0;
  const auto batch = [&](const std::vector<VectorView>& views, std::uint64_t count) -> Result<void> {
    for (std::uint64_t at = 0; at < count; ++at) {
      SourceRow row;
      if (plan.person_type.kind != Kind::Text) {
        row.person = primary_identity(views[0], at, wanted.identity_namespace);
      } else if (views[0].has(at)) {
        row.person = views[0].text(at);
      }
      memberships.clear();
      if (views.size() > 1) collect_memberships(views[1], at, memberships);
      row.memberships = &memberships;
      TRY(each(row));
    }
    rows += count;
    return {};
  };
  TRY(session.select(file, expressions, types, batch));
  const auto claimed = TRY(session.rows(file));
  if (claimed != rows) {
    return Error(ErrorCode::Corrupt, fmt::format("{}: says it has {} rows and gives {}; fetch it again, or make a new "
                                                 "export",
                                                 file.string(), claimed, rows));
  }
  return rows;
}

}  // namespace

Result<std::uint64_t> DuckdbPersonSource::read(const std::vector<Path>& files, const SourceColumns& columns,
                                               const std::function<Result<void>(const SourceRow&)>& each) {
  auto session = TRY(DuckdbSession::open(options_));
  std::vector<FilePlan> plans;
  for (const auto& file : files) {
    std::error_code failure;
    if (!std::filesystem::is_regular_file(file, failure)) {
      return Error(ErrorCode::NotFound, fmt::format("{}: there is no such file", file.string()));
    }
    auto types = TRY(session->columns(file));
    auto plan = TRY(plan_file(file, types, columns));
    plans.push_back(std::move(plan));
  }
  std::uint64_t rows = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    rows += TRY(read_file(*session, files[i], plans[i], columns, each));
  }
  return rows;
}

}  // namespace audiencesync
