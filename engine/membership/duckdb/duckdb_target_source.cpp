#include "engine/membership/duckdb/duckdb_target_source.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "engine/membership/duckdb/duckdb_session.h"

namespace audiencesync {
namespace {

using Kind = ParquetType::Kind;

Error unlike_ours(const Path& file, const std::string& what) {
  return Error(ErrorCode::Corrupt, fmt::format("{}: {}; it is not a file of our records, or it is damaged: fetch it "
                                               "again",
                                               file.string(), what));
}

// Where the parts of a record are in one file. A column that no record of the file has a value for may be absent.
struct RecordPlan {
  std::vector<std::string> expressions;
  std::vector<const ParquetType*> types;
  // Positions in both. Of `list`, `ids` and `one` a record has what its layout fills: person, delimited, membership.
  std::optional<std::size_t> id, person, list, ids, one, one_name, count, generation;
};

const ParquetType* member_type(const ParquetType& type, std::string_view name) {
  for (const auto& child : type.children) {
    if (is_named(child.name, name)) return &child;
  }
  return nullptr;
}

class RecordPlanner {
 public:
  RecordPlanner(const Path& file, const std::vector<ParquetType>& columns) : file_(file), columns_(columns) {}

  Result<RecordPlan> plan(const std::string& tenant) {
    if (const auto* id = find_column(columns_, "_id")) {
      plan_.id = TRY(add_text(*id, quoted_identifier(id->name)));
    }
    if (const auto* person = find_column(columns_, "personID")) {
      plan_.person = TRY(add_text(*person, quoted_identifier(person->name)));
    }
    const auto* own = find_column(columns_, tenant);
    if (own == nullptr) return plan_;
    if (own->kind != Kind::Struct) return unlike_ours(file_, fmt::format("column '{}' has no members", tenant));
    const auto below = [&](const ParquetType& member) {
      return fmt::format("struct_extract({}, {})", quoted_identifier(own->name), quoted_text(member.name));
    };
    if (const auto* list = member_type(*own, "audienceMembership")) {
      TRY(check_list(*list));
      plan_.list = add(below(*list), list);
    }
    const auto text = [&](const char* name) -> Result<std::optional<std::size_t>> {
      const auto* member = member_type(*own, name);
      if (member == nullptr) return std::optional<std::size_t>();
      if (member->kind != Kind::Text) return unlike_ours(file_, fmt::format("member '{}' is no text", name));
      return std::optional(add(below(*member), member));
    };
    plan_.ids = TRY(text("audienceMembershipIds"));
    plan_.one = TRY(text("audienceMembershipId"));
    plan_.one_name = TRY(text("audienceMembershipName"));
    if (const auto* count = member_type(*own, "audienceMembershipCount")) {
      plan_.count = TRY(add_number(*count, below(*count)));
    }
    if (const auto* generation = member_type(*own, "audienceSyncGeneration")) {
      plan_.generation = TRY(add_number(*generation, below(*generation)));
    }
    return plan_;
  }

 private:
  std::size_t add(std::string expression, const ParquetType* type) {
    plan_.expressions.push_back(std::move(expression));
    plan_.types.push_back(type);
    return plan_.types.size() - 1;
  }

  Result<std::size_t> add_text(const ParquetType& column, const std::string& expression) {
    if (column.kind != Kind::Text) return unlike_ours(file_, fmt::format("column '{}' is no text", column.name));
    return add(expression, &column);
  }

  Result<std::size_t> add_number(const ParquetType& member, const std::string& expression) {
    static const ParquetType kText{"number", Kind::Text, {}};
    if (member.kind != Kind::Scalar && member.kind != Kind::Text) {
      return unlike_ours(file_, fmt::format("member '{}' is no number", member.name));
    }
    return add(fmt::format("CAST({} AS VARCHAR)", expression), &kText);
  }

  Result<void> check_list(const ParquetType& list) const {
    const bool fits = list.kind == Kind::List && list.children[0].kind == Kind::Struct;
    const auto* id = fits ? member_type(list.children[0], "audienceMembershipId") : nullptr;
    const auto* name = fits ? member_type(list.children[0], "audienceMembershipName") : nullptr;
    // A file in which every list is empty may have been given any type of element.
    const bool empty = list.kind == Kind::List && list.children[0].kind != Kind::Struct;
    if (empty) return {};
    if (id == nullptr || id->kind != Kind::Text || (name != nullptr && name->kind != Kind::Text)) {
      return unlike_ours(file_, "audienceMembership is no list of audienceMembershipId and audienceMembershipName");
    }
    return {};
  }

  const Path& file_;
  const std::vector<ParquetType>& columns_;
  RecordPlan plan_;
};

/// Turns the vectors of a batch into rows.
class RecordRows {
 public:
  RecordRows(const Path& file, const RecordPlan& plan) : file_(file), plan_(plan) {}

  Result<void> each(const std::vector<VectorView>& views, std::uint64_t at,
                    const std::function<Result<void>(const TargetRow&)>& take) {
    TargetRow row;
    row.id = text(views, plan_.id, at);
    row.person = text(views, plan_.person, at);
    row.count = TRY(number(views, plan_.count, at, "audienceMembershipCount"));
    row.generation = TRY(number(views, plan_.generation, at, "audienceSyncGeneration"));
    memberships_.clear();
    if (plan_.list && views[*plan_.list].has(at)) {
      row.layout = RecordLayout::Person;
      TRY(collect(views[*plan_.list], at));
    } else if (plan_.ids && views[*plan_.ids].has(at)) {
      row.layout = RecordLayout::Delimited;
      split(views[*plan_.ids].text(at));
    } else if (plan_.one && views[*plan_.one].has(at)) {
      row.layout = RecordLayout::Membership;
      memberships_.push_back({views[*plan_.one].text(at), text(views, plan_.one_name, at)});
    }
    if (row.layout) row.memberships = &memberships_;
    return take(row);
  }

 private:
  static std::string_view text(const std::vector<VectorView>& views, std::optional<std::size_t> column,
                               std::uint64_t at) {
    return column && views[*column].has(at) ? views[*column].text(at) : std::string_view();
  }

  Result<std::optional<std::int64_t>> number(const std::vector<VectorView>& views, std::optional<std::size_t> column,
                                             std::uint64_t at, const char* name) const {
    const auto word = text(views, column, at);
    if (word.empty()) return std::optional<std::int64_t>();
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (failure != std::errc{} || end != word.data() + word.size()) {
      return unlike_ours(file_, fmt::format("a value of {} is no whole number", name));
    }
    return std::optional(value);
  }

  void split(std::string_view ids) {
    while (!ids.empty()) {
      const auto end = std::min(ids.find(kIdDelimiter), ids.size());
      memberships_.push_back({ids.substr(0, end), {}});
      ids.remove_prefix(std::min(end + 1, ids.size()));
    }
  }

  Result<void> collect(const VectorView& list, std::uint64_t at) {
    const auto range = list.range(at);
    if (range.first == range.last) return {};
    const auto& element = list.children[0];
    if (element.type->kind != Kind::Struct) return unlike_ours(file_, "an audienceMembership has no members");
    const VectorView* id = nullptr;
    const VectorView* name = nullptr;
    for (const auto& child : element.children) {
      if (is_named(child.type->name, "audienceMembershipId")) id = &child;
      if (is_named(child.type->name, "audienceMembershipName")) name = &child;
    }
    for (auto each = range.first; each < range.last; ++each) {
      if (!element.has(each) || !id->has(each)) return unlike_ours(file_, "an audienceMembership has no id");
      memberships_.push_back(
          {id->text(each), name != nullptr && name->has(each) ? name->text(each) : std::string_view()});
    }
    return {};
  }

  const Path& file_;
  const RecordPlan& plan_;
  std::vector<TargetRow::Membership> memberships_;
};

}  // namespace

Result<std::uint64_t> DuckdbTargetSource::read(const Path& file, const std::string& tenant,
                                               const std::function<Result<void>(const TargetRow&)>& each) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(file, failure)) {
    return Error(ErrorCode::NotFound, fmt::format("{}: there is no such file", file.string()));
  }
  auto session = TRY(DuckdbSession::open(options_));
  const auto columns = TRY(session->columns(file));
  const auto plan = TRY(RecordPlanner(file, columns).plan(tenant));
  const auto claimed = TRY(session->rows(file));
  if (plan.types.empty()) {
    if (claimed == 0) return std::uint64_t{0};
    return unlike_ours(file, fmt::format("none of our columns is in it (it has: {})", column_names(columns)));
  }
  RecordRows records(file, plan);
  std::uint64_t rows = 0;
  TRY(session->select(file, plan.expressions, plan.types,
                      [&](const std::vector<VectorView>& views, std::uint64_t count) -> Result<void> {
                        for (std::uint64_t at = 0; at < count; ++at) TRY(records.each(views, at, each));
                        rows += count;
                        return {};
                      }));
  if (claimed != rows) return unlike_ours(file, fmt::format("says it has {} rows and gives {}", claimed, rows));
  return rows;
}

}  // namespace audiencesync
