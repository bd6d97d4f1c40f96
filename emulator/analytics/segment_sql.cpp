#include "emulator/analytics/segment_sql.h"

#include <map>
#include <set>
#include <utility>

#include "emulator/analytics/answers.h"
#include "emulator/data/database.h"

namespace emulator {
namespace {

// The platform's limits of one segment.
constexpr int kNestedContainers = 10;
constexpr int kContainers = 50;
constexpr int kRules = 100;
constexpr int kTexts = 100;
constexpr std::size_t kComponents = 25;

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
    if (++depth_ > kNestedContainers) throw bad_segment("more than 10 containers are nested");
    if (++containers_ > kContainers) throw bad_segment("it has more than 50 containers");
    if (segment_text(node, "func") != "container") throw bad_segment("a container is missing");
    const std::string context = segment_text(node, "context");
    const std::string around = std::exchange(context_, context);
    const std::string inner = predicate(segment_part(node, "pred"));
    context_ = around;
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
    if (++rules_ > kRules) throw bad_segment("it has more than 100 rules");
    if (func == "event-exists" || func == "not-event-exists") {
      const std::string added = added_by_event(segment_part(node, "evt"));
      return (func == "event-exists" ? "(" : "NOT (") + added + " <> 0)";
    }
    const Json& value = segment_part(node, "val");
    const std::string kind = segment_text(value, "func");
    if (kind == "total" || kind == "event")
      return total(node, func, kind == "total" ? segment_part(value, "evt") : value);
    return comparison(node, func);
  }

  std::string component(const std::string& name) {
    components_.insert(name);
    if (components_.size() > kComponents) throw bad_segment("it has more than 25 metrics and dimensions");
    return name;
  }

  /// What the event `e` adds to the metric.
  std::string added_by_event(const Json& event) {
    if (segment_text(event, "func") != "event") throw bad_segment("'evt' must be an event");
    const std::string name = component(segment_text(event, "name"));
    std::string sql = source_.of_metric(name);
    if (sql.empty()) throw bad_segment("the data view has no metric of events '" + name + "'");
    return sql;
  }

  std::string joined_predicates(const Json& node, const std::string& word) {
    const Json& list = segment_part(node, "preds");
    if (!list.is_array() || list.empty()) throw bad_segment("'preds' must be a list");
    std::string sql;
    for (const Json& one : list) sql += (sql.empty() ? "(" : word) + predicate(one);
    return sql + ")";
  }

  static std::string sign_of(const std::string& func) {
    static const std::map<std::string, std::string> kSigns = {{"eq", "="}, {"not-eq", "<>"}, {"gt", ">"},
                                                              {"lt", "<"}, {"ge", ">="},     {"le", "<="}};
    const auto sign = kSigns.find(func);
    return sign == kSigns.end() ? "" : sign->second;
  }

  static std::string number_of(const Json& node) {
    const Json& number = segment_part(node, "num");
    if (!number.is_number()) throw bad_segment("'num' must be a number");
    return number.dump();
  }

  /// The sum of a metric over the container around it: the event, the session or the person.
  std::string total(const Json& node, const std::string& func, const Json& event) {
    const std::string sign = sign_of(func);
    if (sign.empty()) throw bad_segment("'" + func + "' does not compare numbers");
    const std::string condition = sign + " " + number_of(node);
    const std::string added = added_by_event(event);
    if (context_ == "hits") return "(" + added + ") " + condition;
    const std::string key = context_ == "visits" ? "(e.person, e.session)" : "e.person";
    const std::string group = context_ == "visits" ? "e.person, e.session" : "e.person";
    return key + " IN (SELECT " + key + " FROM events e GROUP BY " + group + " HAVING sum(" + added + ") " + condition +
           ")";
  }

  std::string comparison(const Json& node, const std::string& func) {
    const bool negative = func.starts_with("not-");
    const std::string plain = negative ? func.substr(4) : func;
    const std::string condition = value_condition(node, func, plain);
    const Json& attribute = segment_part(node, "val");
    if (segment_text(attribute, "func") != "attr") throw bad_segment("'val' must be an attr");
    const std::string name = component(segment_text(attribute, "name"));
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

  /// Of the column `value`; `plain` is the function without its "not-".
  std::string value_condition(const Json& node, const std::string& func, const std::string& plain) {
    if (plain == "exists") return "value IS NOT NULL";
    const auto text = [&] {
      if (++texts_ > kTexts) throw bad_segment("it compares more than 100 texts");
      return sql_text(segment_text(node, "str"));
    };
    if (plain == "streq") return "value = " + text();
    if (plain == "contains") return "contains(lower(value), lower(" + text() + "))";
    if (plain == "starts-with") return "starts_with(value, " + text() + ")";
    if (plain == "ends-with") return "suffix(value, " + text() + ")";
    if (plain == "matches") {
      std::string glob;
      for (const char c : segment_text(node, "glob"))  // nothing but the star is special here
        glob += c == '[' || c == ']' || c == '?' ? std::string("[") + c + "]" : std::string(1, c);
      return "value GLOB " + sql_text(glob);
    }
    static const std::map<std::string, std::string> kOrders = {
        {"strlt", "<"}, {"strgt", ">"}, {"strle", "<="}, {"strge", ">="}};
    if (const auto order = kOrders.find(plain); order != kOrders.end()) return "value " + order->second + " " + text();
    if (const std::string sign = sign_of(plain); !sign.empty())
      return "try_cast(value AS DOUBLE) " + sign + " " + number_of(node);
    static const std::map<std::string, std::pair<std::string, std::string>> kLists = {
        {"streq-in", {"value = ", " OR "}},
        {"eq-any-of", {"try_cast(value AS DOUBLE) = ", " OR "}},
        {"contains-any-of", {"contains(lower(value), lower(%))", " OR "}},
        {"contains-all-of", {"contains(lower(value), lower(%))", " AND "}}};
    const auto list = kLists.find(plain);
    if (list == kLists.end()) throw bad_segment("'" + func + "' is not supported");
    return listed_values(segment_part(node, "list"), list->second.first, list->second.second, plain == "eq-any-of");
  }

  std::string listed_values(const Json& list, const std::string& form, const std::string& word, bool numbers) {
    const HttpError wrong =
        bad_segment(numbers ? "'list' must be a list of numbers" : "'list' must be a list of texts");
    if (!list.is_array() || list.empty()) throw wrong;
    std::string sql;
    for (const Json& one : list) {
      if (numbers ? !one.is_number() : !one.is_string()) throw wrong;
      if (!numbers && ++texts_ > kTexts) throw bad_segment("it compares more than 100 texts");
      const std::string value = numbers ? one.dump() : sql_text(one.get<std::string>());
      const std::size_t hole = form.find('%');
      std::string condition = form;
      sql +=
          (sql.empty() ? "(" : word) + (hole == std::string::npos ? form + value : condition.replace(hole, 1, value));
    }
    return sql + ")";
  }

  const SegmentSource& source_;
  std::string context_;  // of the container around
  int depth_ = 0;
  int containers_ = 0;
  int rules_ = 0;
  int texts_ = 0;
  std::set<std::string> components_;
};

}  // namespace

std::string segment_condition(const Json& definition, const SegmentSource& source) {
  if (segment_text(definition, "func") != "segment") throw bad_segment("its func must be segment");
  return SegmentCompiler(source).container(segment_part(definition, "container"));
}

}  // namespace emulator
