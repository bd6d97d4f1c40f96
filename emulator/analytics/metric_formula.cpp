#include "emulator/analytics/metric_formula.h"

#include <algorithm>

#include "emulator/analytics/answers.h"

namespace emulator {
namespace {

constexpr std::size_t kMetricsPerFormula = 25;
constexpr int kDeepestFormula = 50;

struct FormulaFunction {
  const char* id;
  const char* category;
  const char* name;
  const char* description;
  std::vector<const char*> parameters;
  const char* sql;      // $1, $2, $3 are the parameters; BOOLEAN when `truth`
  bool truth = false;   // gives a condition
  bool window = false;  // looks at all rows
};

const std::vector<FormulaFunction>& known_functions() {
  static const std::vector<FormulaFunction> kFunctions{
      {"add", "Basic", "Add", "The sum of two columns", {"col1", "col2"}, "($1 + $2)"},
      {"subtract", "Basic", "Subtract", "The first column less the second", {"col1", "col2"}, "($1 - $2)"},
      {"multiply", "Basic", "Multiply", "The product of two columns", {"col1", "col2"}, "($1 * $2)"},
      {"divide",
       "Basic",
       "Divide",
       "The first column by the second",
       {"col1", "col2"},
       "coalesce($1 / nullif($2, 0), 0)"},
      {"visualization-group", "Basic", "Group", "Brackets around a formula", {"col"}, "($1)"},
      {"abs", "Basic", "Absolute value", "The number without its sign", {"col"}, "abs($1)"},
      {"ceil", "Basic", "Ceiling", "The next larger whole number", {"col"}, "ceil($1)"},
      {"floor", "Basic", "Floor", "The next smaller whole number", {"col"}, "floor($1)"},
      {"modulo", "Advanced", "Modulo", "What a division leaves", {"col1", "col2"}, "coalesce($1 % nullif($2, 0), 0)"},
      {"pow", "Advanced", "Power", "The first column to the power of the second", {"col1", "col2"}, "pow($1, $2)"},
      {"sqrt",
       "Advanced",
       "Square root",
       "The root of a column",
       {"col"},
       "(CASE WHEN $1 >= 0 THEN sqrt(abs($1)) ELSE 0 END)"},
      {"exp", "Advanced", "Exponent", "e to the power of a column", {"col"}, "exp($1)"},
      {"ln",
       "Advanced",
       "Natural logarithm",
       "The logarithm to e",
       {"col"},
       "(CASE WHEN $1 > 0 THEN ln(greatest($1, 1e-300)) ELSE 0 END)"},
      {"log10",
       "Advanced",
       "Logarithm",
       "The logarithm to ten",
       {"col"},
       "(CASE WHEN $1 > 0 THEN log10(greatest($1, 1e-300)) ELSE 0 END)"},
      {"if",
       "Advanced",
       "If",
       "One of two columns by a condition",
       {"cond", "then", "else"},
       "(CASE WHEN $1 THEN $2 ELSE $3 END)"},
      {"eq", "Advanced", "Equal", "Whether both are the same", {"col1", "col2"}, "($1 = $2)", true},
      {"ne", "Advanced", "Not equal", "Whether both differ", {"col1", "col2"}, "($1 <> $2)", true},
      {"gt", "Advanced", "Greater", "Whether the first is larger", {"col1", "col2"}, "($1 > $2)", true},
      {"ge", "Advanced", "Greater or equal", "Whether the first is not smaller", {"col1", "col2"}, "($1 >= $2)", true},
      {"lt", "Advanced", "Less", "Whether the first is smaller", {"col1", "col2"}, "($1 < $2)", true},
      {"le", "Advanced", "Less or equal", "Whether the first is not larger", {"col1", "col2"}, "($1 <= $2)", true},
      {"col-sum", "Basic", "Column sum", "The sum of all rows", {"col"}, "sum($1) OVER ()", false, true},
      {"col-max", "Basic", "Column maximum", "The largest of all rows", {"col"}, "max($1) OVER ()", false, true},
      {"col-min", "Basic", "Column minimum", "The smallest of all rows", {"col"}, "min($1) OVER ()", false, true},
      {"mean", "Basic", "Mean", "The mean of all rows", {"col"}, "avg($1) OVER ()", false, true}};
  return kFunctions;
}

const FormulaFunction* known_function(const std::string& id) {
  for (const FormulaFunction& one : known_functions())
    if (id == one.id) return &one;
  return nullptr;
}

HttpError bad_formula(const std::string& why) {
  return analytics_failure(400, "invalid_data", "The definition of the calculated metric is not valid: " + why);
}

class Formula {
 public:
  explicit Formula(std::function<std::string(const std::string&)> column) : column_(std::move(column)) {}

  std::string root(const Json& definition) {
    if (!definition.is_object() || definition.value("func", Json()) != "calc-metric")
      throw bad_formula("its func must be calc-metric");
    if (!definition.contains("formula")) throw bad_formula("'formula' is missing");
    return number(definition["formula"]);
  }

  FormulaParts parts;

 private:
  static void note(std::vector<std::string>& list, const std::string& word) {
    if (std::find(list.begin(), list.end(), word) == list.end()) list.push_back(word);
  }

  static std::string function_of(const Json& node) {
    if (!node.is_object() || !node.contains("func") || !node["func"].is_string())
      throw bad_formula(node.dump() + " is neither a number nor a function");
    return node["func"];
  }

  std::string number(const Json& node) {
    if (node.is_number()) return "CAST(" + node.dump() + " AS DOUBLE)";
    const std::string id = function_of(node);
    if (id == "metric") {
      const std::string name = node.value("name", "");
      if (name.empty()) throw bad_formula("a metric has no name");
      note(parts.metrics, name);
      if (parts.metrics.size() > kMetricsPerFormula) throw bad_formula("it has more than 25 metrics");
      return column_(name);
    }
    const FormulaFunction* function = known_function(id);
    if (function != nullptr && function->truth)
      return "(CASE WHEN " + call(*function, node) + " THEN 1.0 ELSE 0.0 END)";
    if (function == nullptr) throw bad_formula("the function '" + id + "' is not known");
    return call(*function, node);
  }

  /// A condition: a comparison, or a number that is not zero.
  std::string condition(const Json& node) {
    if (node.is_object()) {
      const FormulaFunction* function = known_function(node.value("func", ""));
      if (function != nullptr && function->truth) return call(*function, node);
    }
    return "(" + number(node) + " <> 0)";
  }

  std::string call(const FormulaFunction& function, const Json& node) {
    if (++depth_ > kDeepestFormula) throw bad_formula("it is nested too deeply");
    note(parts.functions, function.id);
    if (function.window && windows_++ > 0) throw bad_formula("a function of columns is inside another");
    std::string sql = function.sql;
    std::vector<std::string> values;
    for (const char* parameter : function.parameters) {
      if (!node.contains(parameter)) throw bad_formula("'" + std::string(function.id) + "' needs '" + parameter + "'");
      values.push_back(parameter == std::string("cond") ? condition(node[parameter]) : number(node[parameter]));
    }
    if (function.window) --windows_;
    --depth_;
    std::string out;
    for (std::size_t i = 0; i < sql.size(); ++i) {
      if (sql[i] == '$')
        out += values[static_cast<std::size_t>(sql[++i] - '1')];
      else
        out += sql[i];
    }
    return out;
  }

  std::function<std::string(const std::string&)> column_;
  int depth_ = 0;
  int windows_ = 0;
};

}  // namespace

FormulaParts formula_parts(const Json& definition) {
  Formula formula([](const std::string&) { return std::string("0"); });
  formula.root(definition);
  return std::move(formula.parts);
}

std::string formula_sql(const Json& definition, const std::function<std::string(const std::string& metric)>& column) {
  return Formula(column).root(definition);
}

std::vector<Json> formula_functions() {
  std::vector<Json> all;
  for (const FormulaFunction& one : known_functions()) {
    Json parameters = Json::array();
    for (const char* name : one.parameters)
      parameters.push_back({{"func", "calc-parameter"},
                            {"name", name},
                            {"type", name == std::string("cond") ? "boolean" : "metric"},
                            {"friendlyName", name},
                            {"description", name}});
    all.push_back({{"id", one.id},
                   {"category", one.category},
                   {"persistable", true},
                   {"name", one.name},
                   {"namespace", ""},
                   {"description", one.description},
                   {"exampleKey", std::string(one.id) + ".example"},
                   {"example", ""},
                   {"definition", {{"func", one.id}, {"parameters", std::move(parameters)}, {"version", {1, 0, 0}}}}});
  }
  return all;
}

}  // namespace emulator
