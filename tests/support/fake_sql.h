#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/sql/read_only.h"
#include "engine/sql/session.h"

namespace audiencesync::testing {

/// A session without a server: each statement is answered by the first answer whose text occurs in it. It is as strict
/// as the real one about what a statement may say, and about answers that look cut off.
class FakeSql final : public sql::Session {
 public:
  using Answer = std::function<Result<sql::Rows>(const sql::Query&)>;

  void answer(std::string part, Answer how) { answers_.emplace_back(std::move(part), std::move(how)); }
  void answer(std::string part, sql::Rows rows) {
    answer(std::move(part), [rows = std::move(rows)](const sql::Query&) -> Result<sql::Rows> { return rows; });
  }
  void fail(std::string part, Error error) {
    answer(std::move(part), [error = std::move(error)](const sql::Query&) -> Result<sql::Rows> { return error; });
  }

  Result<sql::Rows> select(const sql::Query& query) override {
    asked.push_back(query);
    TRY(sql::check_read_only(query.text));
    for (const auto& [part, how] : answers_) {
      if (query.text.find(part) == std::string::npos) continue;
      auto rows = TRY(how(query));
      TRY(sql::check_whole(query, rows.rows.size()));
      return rows;
    }
    return Error(ErrorCode::Internal, "the test has no answer for: " + query.text);
  }

  std::vector<sql::Query> asked;

 private:
  std::vector<std::pair<std::string, Answer>> answers_;
};

}  // namespace audiencesync::testing
