#include <fmt/format.h>

#include <charconv>
#include <ostream>

#include "daemon/commands.h"
#include "daemon/plans/plan_server.h"
#include "daemon/service/manifest_texts.h"
#include "engine/base/json.h"
#include "engine/manifest/field_checks.h"

namespace audiencesync {
namespace {

// As long as a plan may take there, and a little.
constexpr std::chrono::minutes kPlanPatience{15};

const char* word_of(Format format) {
  if (format == Format::Json) return "json";
  return format == Format::Markdown ? "markdown" : "text";
}

/// A manifest and what it extends, by names relative to its folder.
Result<Value> request_of(const Files& files, const Path& path) {
  ManifestTexts texts;
  // What is wrong with it is for the other side to say, which knows what is allowed.
  static_cast<void>(load_manifest_recorded(files, path, {}, texts));
  if (texts.empty())
    return files.read(path).ok() ? Error(ErrorCode::Invalid, path.string() + ": cannot be sent")
                                 : files.read(path).error();
  const auto folder = path.parent_path();
  Value::Object sent;
  for (const auto& [name, text] : texts)
    sent[Path(name).lexically_relative(folder.empty() ? Path(".") : folder).string()] = text;
  return Value(Value::Object{{"files", std::move(sent)}, {"manifests", Value::Array{path.filename().string()}}});
}

struct RemotePlan {
  int code = 1;
  std::string text;
};

class RemotePlans {
 public:
  RemotePlans(const Options& options, const Adapters& adapters, Secret token)
      : options_(options), adapters_(adapters), token_(std::move(token)) {}

  Result<RemotePlan> plan(const Path& path) const {
    const auto request = TRY(request_of(adapters_.files, path));
    const auto body = http::Body::json(request);
    http::Exchange exchange;
    exchange.method = http::Method::Post;
    exchange.url = fmt::format("{}/api/v1/plans?format={}", server(), word_of(options_.format));
    exchange.headers = {{"authorization", "Bearer " + token_.reveal()}, {"content-type", "application/json"}};
    exchange.body = &body;
    exchange.deadline = kPlanPatience;
    auto answered = adapters_.transport.exchange(exchange, {});
    if (auto* failure = std::get_if<http::Failure>(&answered)) {
      return Error(failure->error).in(server());
    }
    return judged(std::get<http::Response>(answered));
  }

 private:
  std::string server() const {
    auto url = options_.server;
    while (url.ends_with('/')) url.pop_back();
    return url;
  }

  Result<RemotePlan> judged(const http::Response& response) const {
    const auto field = response.headers.find("audiencesync-exit-code");
    RemotePlan plan;
    if (field != response.headers.end()) {
      const auto& word = field->second;
      std::from_chars(word.data(), word.data() + word.size(), plan.code);
      plan.text = response.body;
      return plan;
    }
    auto said = response.body;
    while (!said.empty() && said.back() == '\n') said.pop_back();
    const auto code = response.status == 401                             ? ErrorCode::Authentication
                      : response.status == 429 || response.status == 503 ? ErrorCode::NotFinished
                      : response.status == 504                           ? ErrorCode::Timeout
                      : response.status == 400 || response.status == 413 || response.status == 422
                          ? ErrorCode::Invalid
                          : ErrorCode::Unavailable;
    return Error(code, fmt::format("{} answered {}: {}", server(), response.status,
                                   said.empty() ? "nothing more; is it the address of audiencesync?" : said));
  }

  const Options& options_;
  const Adapters& adapters_;
  const Secret token_;
};

ExitCode code_here(const Options& options, int there) {
  const auto code = static_cast<ExitCode>(there);
  const bool open = code == ExitCode::ChangesPending || code == ExitCode::Waits;
  return open && !options.detailed_exitcode ? ExitCode::Converged : code;
}

}  // namespace

ExitCode remote_plan_command(const Options& options, const Adapters& adapters, const Console& console) {
  const auto fail = [&](const Error& error) {
    say_error(console, error);
    return exit_code(error.code());
  };
  auto address = options.server;
  while (address.ends_with('/')) address.pop_back();
  if (const auto complaint = check_endpoint(address)) {
    return fail(Error(ErrorCode::Usage, fmt::format("--server '{}' {}", options.server, *complaint)));
  }
  auto text = adapters.files.read(options.token_file);
  if (!text.ok()) return fail(text.error());
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r' || text->back() == ' ')) text->pop_back();
  const RemotePlans plans(options, adapters, Secret(std::move(*text)));
  ExitCode code = ExitCode::Converged;
  std::string out;
  Value::Array syncs;
  for (const auto& argument : options.arguments) {
    const auto plan = plans.plan(argument);
    if (!plan.ok()) {
      say_error(console, plan.error());
      code = worst(code, exit_code(plan.error().code()));
      continue;
    }
    code = worst(code, code_here(options, plan->code));
    const auto value = options.format == Format::Json ? parse_json(plan->text) : Result<Value>(Value());
    if (value.ok() && options.format == Format::Json) {
      for (const auto& each : value->items("syncs")) syncs.push_back(each);
    } else if (plan->code == 65 || plan->code == 1 || plan->code == 5 || plan->code == 6 || plan->code == 7) {
      console.err << plan->text;
    } else {
      out += plan->text;
    }
  }
  if (options.format == Format::Json) {
    out = to_json_pretty(Value::Object{{"version", 1}, {"syncs", std::move(syncs)}}) + "\n";
  }
  if (options.out.empty()) {
    console.out << out;
  } else if (const auto written = adapters.files.write_atomic(std::filesystem::absolute(options.out), out);
             !written.ok()) {
    return fail(written.error());
  }
  return code;
}

}  // namespace audiencesync
