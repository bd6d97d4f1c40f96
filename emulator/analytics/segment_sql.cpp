#include "emulator/analytics/segment_sql.h"

#include "emulator/analytics/answers.h"
#include "emulator/data/database.h"

namespace emulator {
namespace {

HttpError bad_segment(const std::string& why) {
  return analytics_failure(400, "invalid_request", "The segment definition is not valid: " + why);
}

const Json& segment_part(const Json& node, const char* name) {
  if (!node.is_object() || !node.contains(name)) throw bad_segment(std::string("'") + name + "' is missing");
  return node[name];
}

std::string segment_text(const Json& node, const char* name) {
  const Json& value = segment_part(node, name);
  if (!value.is_string()) throw bad_segment(std::string("'") + name + "' must be a text");
  return value.get<std::string>();
}

class SegmentCompiler {
 public:
  explicit SegmentCompiler(const SegmentSource& source) : source_(source) {}

  std::string container(const Json& node) {
    if (++depth_ > 10) throw bad_segment("more than 10 containers are nested");
    if (segment_text(node, "func") != "container") throw bad_segment("a container is missing");
    const std::string context = segment_text(node, "context");
    const std::string inner = predicate(segment_part(node, "pred"));
    --depth_;
    if (context == "hits") return inner;
    if (context == "visits")
      return "(e.person, e.session) IN (SELECT (e.person, e.session) FROM events e WHERE " + inner + ")";
    if (context == "visitors") return "e.person IN (SELECT e.person FROM events e WHERE " + inner + ")";
    throw bad_segment("the context '" + context + "' is not known");
  }

 private:
  std::string predicate(const Json& node) {
    const std::string func = segment_text(node, "func");
    if (func == "container") return container(node);
    if (func == "and" || func == "or") return joined_predicates(node, func == "and" ? " AND " : " OR ");
    if (func == "without") return "NOT (" + predicate(segment_part(node, "pred")) + ")";
    if (func == "event-exists" || func == "not-event-exists") {
      const std::string metric = segment_text(segment_part(node, "evt"), "name");
      if (metric != "metrics/occurrences") throw bad_segment("the metric '" + metric + "' is not supported here");
      return func == "event-exists" ? "true" : "false";
    }
    if (node.contains("num")) return count_of_events(node, func);
    return comparison(node, func);
  }

  std::string joined_predicates(const Json& node, const std::string& word) {
    const Json& list = segment_part(node, "preds");
    if (!list.is_array() || list.empty()) throw bad_segment("'preds' must be a list");
    std::string sql;
    for (const Json& one : list) sql += (sql.empty() ? "(" : word) + predicate(one);
    return sql + ")";
  }

  static std::string count_of_events(const Json& node, const std::string& func) {
    static const std::map<std::string, std::string> kSigns = {{"eq", "="}, {"not-eq", "<>"}, {"gt", ">"},
                                                              {"lt", "<"}, {"ge", ">="},     {"le", "<="}};
    const auto sign = kSigns.find(func);
    const Json& value = segment_part(node, "val");
    if (sign == kSigns.end() || !node["num"].is_number() || segment_text(value, "func") != "total" ||
        segment_text(segment_part(value, "evt"), "name") != "metrics/occurrences")
      throw bad_segment("only counts of metrics/occurrences can be compared");
    return "e.person IN (SELECT person FROM events GROUP BY person HAVING count(*) " + sign->second + " " +
           node["num"].dump() + ")";
  }

  std::string comparison(const Json& node, const std::string& func) {
    const bool negative = func.starts_with("not-");
    const std::string plain = negative ? func.substr(4) : func;
    std::string condition;  // on `value`
    if (plain == "exists") {
      condition = "value IS NOT NULL";
    } else if (plain == "streq") {
      condition = "value = " + sql_text(segment_text(node, "str"));
    } else if (plain == "contains") {
      condition = "contains(lower(value), lower(" + sql_text(segment_text(node, "str")) + "))";
    } else if (plain == "starts-with") {
      condition = "starts_with(value, " + sql_text(segment_text(node, "str")) + ")";
    } else if (plain == "ends-with") {
      condition = "suffix(value, " + sql_text(segment_text(node, "str")) + ")";
    } else if (plain == "streq-in" || plain == "contains-any-of") {
      const Json& list = segment_part(node, "list");
      if (!list.is_array() || list.empty()) throw bad_segment("'list' must be a list of texts");
      for (const Json& word : list) {
        if (!word.is_string()) throw bad_segment("'list' must be a list of texts");
        const std::string text = sql_text(word.get<std::string>());
        condition += (condition.empty() ? "(" : " OR ") +
                     (plain == "streq-in" ? "value = " + text : "contains(lower(value), lower(" + text + "))");
      }
      condition += ")";
    } else {
      throw bad_segment("'" + func + "' is not supported");
    }
    const Json& attribute = segment_part(node, "val");
    if (segment_text(attribute, "func") != "attr") throw bad_segment("'val' must be an attr");
    const std::string name = segment_text(attribute, "name");
    std::string sql;
    if (const std::string people = source_.of_people(name); !people.empty()) {
      sql = "e.person IN (SELECT person FROM (" + people + ") WHERE " + condition + ")";
    } else if (const std::string event = source_.of_event(name); !event.empty()) {
      sql = "coalesce((SELECT " + condition + " FROM (SELECT " + event + " AS value)), false)";
    } else {
      throw bad_segment("the dimension '" + name + "' is not in the data view");
    }
    return negative ? "NOT (" + sql + ")" : sql;
  }

  const SegmentSource& source_;
  int depth_ = 0;
};

}  // namespace

std::string segment_condition(const Json& definition, const SegmentSource& source) {
  if (segment_text(definition, "func") != "segment") throw bad_segment("its func must be segment");
  return SegmentCompiler(source).container(segment_part(definition, "container"));
}

}  // namespace emulator
