#include "emulator/query/pg_connection.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "emulator/query/pg_wire_type.h"
#include "emulator/query/sql_tokens.h"

namespace emulator {
namespace {

constexpr std::int32_t kSslRequest = 80877103;
constexpr std::int32_t kGssRequest = 80877104;
constexpr std::int32_t kCancelRequest = 80877102;
constexpr std::int32_t kProtocol = 3 << 16;
constexpr std::int32_t kLargestStart = 10'000;
constexpr std::int32_t kLargestMessage = 16 << 20;
constexpr std::size_t kMostStatements = 256;  // prepared ones, and portals, of a session

/// Characters before a byte of UTF-8, from 1: how PostgreSQL counts places.
std::string position_of(const std::string& sql, std::size_t offset) {
  std::size_t count = 1;
  for (std::size_t i = 0; i < std::min(offset, sql.size()); ++i)
    if ((static_cast<unsigned char>(sql[i]) & 0xC0U) != 0x80U) ++count;
  return std::to_string(count);
}

/// The statement with values in the places of $1, $2, ...
std::string with_values(const std::string& sql, const std::vector<Cell>& values) {
  std::string out;
  std::size_t done = 0;
  for (const SqlToken& token : sql_tokens(sql)) {
    if (token.kind != SqlToken::Kind::Dollar || token.text.find_first_not_of("0123456789", 1) != std::string::npos)
      continue;
    const std::size_t number = std::stoul("0" + token.text.substr(1, 6));
    if (number == 0 || number > values.size())
      throw SqlFailure("42P02", "there is no parameter " + token.text, token.begin);
    out += sql.substr(done, token.begin - done);
    done = token.end;
    const Cell& value = values[number - 1];
    if (!value) {
      out += "NULL";
      continue;
    }
    out += '\'';
    for (const char c : *value) {
      if (c == '\'' || c == '\\') out += '\\';
      out += c;
    }
    out += '\'';
  }
  return out + sql.substr(done);
}

std::size_t parameters_in(const std::string& sql) {
  std::size_t most = 0;
  for (const SqlToken& token : sql_tokens(sql))
    if (token.kind == SqlToken::Kind::Dollar && token.text.find_first_not_of("0123456789", 1) == std::string::npos)
      most = std::max<std::size_t>(most, std::stoul("0" + token.text.substr(1, 6)));
  return most;
}

}  // namespace

/// A statement in the list of queries: there from its construction on, over when it is destroyed.
struct PgConnection::Listed {
  Listed(Queries& list, QuerySession& runs, const std::string& sql, const std::string& client)
      : queries(list), session(runs), id(list.session_began(sql, client, runs)) {}
  ~Listed() { over(); }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;

  /// Runs a part of the statement, and remembers how it failed.
  template <class Part>
  auto run(Part part) {
    try {
      return part();
    } catch (const SqlFailure& failure) {
      facts = Queries::failure_facts(failure, session);
      over();
      throw;
    }
  }
  void done(const SqlStatement& statement, const std::string& tag) {
    facts = queries.success_facts(id, statement, tag, session);
    over();
  }
  void over() {
    if (id.empty()) return;
    try {
      queries.session_ended(std::exchange(id, ""), facts);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "query service: %s\n", error.what());
    }
  }

  Queries& queries;
  QuerySession& session;
  std::string id;
  Json facts{{"state", "SUCCESS"}};
};

struct PgConnection::Portal {
  SqlStatement statement;
  std::string sql;
  std::unique_ptr<Listed> listed;
  std::unique_ptr<QueryResult> result;
};

std::optional<PgSessions::Ticket> PgSessions::add(QuerySession& session, std::uint64_t most) {
  Ticket ticket;
  RAND_bytes(reinterpret_cast<unsigned char*>(&ticket.key), sizeof ticket.key);
  const std::lock_guard lock(mutex_);
  if (closed_ || sessions_.size() >= most) return std::nullopt;
  ticket.process = ++last_;
  sessions_[ticket.process] = {ticket.key, &session};
  return ticket;
}

void PgSessions::remove(const Ticket& ticket) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(ticket.process);
}

void PgSessions::cancel(const Ticket& ticket) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(ticket.process);
  if (found != sessions_.end() && found->second.first == ticket.key) found->second.second->cancel();
}

void PgSessions::cancel_all() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (auto& [process, entry] : sessions_) entry.second->end();
}

PgConnection::PgConnection(int socket, const PgTerms& terms, PgSessions& sessions)
    : terms_(terms), sessions_(sessions), channel_(socket), out_(channel_) {}

PgConnection::~PgConnection() {
  if (ticket_) sessions_.remove(*ticket_);
  portals_.clear();  // their results belong to the session
}

void PgConnection::serve() {
  if (!start()) {
    out_.flush();
    return;
  }
  for (;;) {
    const auto head = pg_read(channel_, 5);
    if (!head) return;
    PgReader sizes(head->substr(1));
    const std::int32_t size = sizes.int32();
    if (size < 4 || size > kLargestMessage) {
      send_error({"08P01", "a message of " + std::to_string(size) + " bytes is not possible"}, "", "FATAL");
      out_.flush();
      return;
    }
    auto body = pg_read(channel_, static_cast<std::size_t>(size - 4));
    if (!body) return;
    PgReader reader(std::move(*body));
    const Next next = message(head->front(), reader);
    if (next == Next::Close) {
      out_.flush();
      return;
    }
  }
}

bool PgConnection::start() {
  for (;;) {
    const auto head = pg_read(channel_, 8);
    if (!head) return false;
    PgReader reader(*head);
    const std::int32_t size = reader.int32();
    const std::int32_t code = reader.int32();
    if (size < 8 || size > kLargestStart) return false;
    auto body = pg_read(channel_, static_cast<std::size_t>(size - 8));
    if (!body) return false;
    PgReader fields(std::move(*body));
    if (code == kSslRequest) {
      if (channel_.secured() || !channel_.write("S") || !channel_.secure(terms_.identity)) return false;
    } else if (code == kGssRequest) {
      if (!channel_.write("N")) return false;
    } else if (code == kCancelRequest) {
      PgSessions::Ticket ticket;
      ticket.process = fields.int32();
      ticket.key = fields.int32();
      sessions_.cancel(ticket);
      return false;
    } else if (code == kProtocol) {
      std::map<std::string, std::string> parameters;
      while (!fields.empty()) {
        const std::string name = fields.text();
        if (name.empty()) break;
        parameters[name] = fields.text();
      }
      return admit(parameters);
    } else {
      send_error({"08P01", "the protocol " + std::to_string(code >> 16) + "." + std::to_string(code & 0xFFFF) +
                               " is not supported; 3.0 is"},
                 "", "FATAL");
      return false;
    }
  }
}

std::string PgConnection::why_not(const std::map<std::string, std::string>& parameters, const std::string& password,
                                  std::string& state) const {
  const auto given = [&](const char* name) {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::string() : found->second;
  };
  const Identity& who = terms_.core.platform.identity;
  state = "28P01";
  if (given("user") != who.organization) return "the user is not the id of this organisation";
  if (password != terms_.credential && !terms_.token_valid(password))
    return "the password is neither a token that is valid nor a credential";
  state = "42P12";
  const std::string database = given("database");
  const std::size_t colon = database.find(':');
  const std::string inside =
      colon == std::string::npos ? "" : database.substr(colon + 1, database.find('.') - colon - 1);
  if (database.substr(0, colon) != who.sandbox || inside != "all")
    return "there is no database '" + database + "'; it is named " + who.sandbox + ":all";
  return "";
}

bool PgConnection::admit(const std::map<std::string, std::string>& parameters) {
  Platform& platform = terms_.core.platform;
  bool plain = false;
  std::uint64_t most = 0;
  {
    const auto lock = platform.objects.lock();
    plain = platform.settings.query_plain;
    most = platform.settings.query_sessions;
  }
  if (!channel_.secured() && !plain) {
    send_error({"28000", "a connection without TLS is refused; write sslmode=require"}, "", "FATAL");
    return false;
  }
  out_.begin('R');
  out_.int32(3);  // a cleartext password
  out_.end();
  if (!out_.flush()) return false;
  const auto head = pg_read(channel_, 5);
  if (!head) return false;
  PgReader sizes(head->substr(1));
  const std::int32_t size = sizes.int32();
  if (head->front() != 'p' || size < 5 || size > kLargestStart) {
    send_error({"28000", "only a cleartext password is understood"}, "", "FATAL");
    return false;
  }
  auto body = pg_read(channel_, static_cast<std::size_t>(size - 4));
  if (!body) return false;
  const std::string password = PgReader(std::move(*body)).text();
  std::string state;
  const std::string problem = why_not(parameters, password, state);
  if (!problem.empty()) {
    send_error({state, problem}, "", "FATAL");
    return false;
  }
  if (password != terms_.credential) token_ = password;
  const auto called = parameters.find("application_name");
  client_ = called == parameters.end() || called->second.empty() ? "PostgreSQL" : called->second;
  session_ = std::make_unique<QuerySession>(terms_.core, QueryMode::Interactive);
  ticket_ = sessions_.add(*session_, most);
  if (!ticket_) {
    send_error({"53400", "Session Limit Reached: " + std::to_string(most) + " sessions are open"}, "", "FATAL");
    return false;
  }
  out_.begin('R');
  out_.int32(0);
  out_.end();
  send_parameter("server_version", "0.1.0");
  send_parameter("server_encoding", "UTF8");
  send_parameter("client_encoding", "UTF8");
  send_parameter("DateStyle", "ISO, MDY");
  send_parameter("TimeZone", "UTC");
  send_parameter("integer_datetimes", "on");
  send_parameter("standard_conforming_strings", "off");
  out_.begin('K');
  out_.int32(ticket_->process);
  out_.int32(ticket_->key);
  out_.end();
  send_ready();
  return true;
}

void PgConnection::send_parameter(const char* name, const std::string& value) {
  out_.begin('S');
  out_.text(name);
  out_.text(value);
  out_.end();
}

bool PgConnection::still_welcome() { return token_.empty() || terms_.token_valid(token_); }

PgConnection::Next PgConnection::message(char type, PgReader& reader) {
  if (type == 'X') return Next::Close;
  if (type == 'S') {
    skipping_ = false;
    send_ready();
    return Next::Continue;
  }
  if (skipping_) return Next::Continue;
  if (!still_welcome()) {
    send_error({"28P01", "the token of this session has expired; connect again with a new one"}, "", "FATAL");
    return Next::Close;
  }
  std::string sql;
  try {
    switch (type) {
      case 'Q':
        sql = reader.text();
        simple_query(sql);
        break;
      case 'P':
        prepare(reader);
        break;
      case 'B':
        bind(reader);
        break;
      case 'D':
        describe(reader);
        break;
      case 'E':
        execute(reader);
        break;
      case 'C':
        close(reader);
        break;
      case 'H':
        out_.flush();
        break;
      default:
        send_error({"08P01", std::string("the message '") + type + "' is not supported"}, "", "FATAL");
        return Next::Close;
    }
  } catch (const SqlFailure& failure) {
    send_error(failure, sql);
    skipping_ = type != 'Q';
  } catch (const std::exception& error) {
    send_error({"58000", error.what()}, sql);
    skipping_ = type != 'Q';
  }
  if (type == 'Q') send_ready();
  return Next::Continue;
}

void PgConnection::simple_query(const std::string& sql) {
  portals_.clear();
  std::size_t at = 0;
  do {
    const auto first = sql.find_first_not_of(" \t\r\n;", at);
    if (first == std::string::npos) {  // nothing, or nothing more
      if (at == 0) {
        out_.begin('I');
        out_.end();
      }
      return;
    }
    std::size_t end = sql.size();
    std::optional<SqlFailure> wrong;
    SqlStatement statement;
    try {
      statement = session_->parse(sql, at);
      end = statement.end;
    } catch (const SqlFailure& failure) {
      wrong = failure;
    }
    if (!wrong && statement.kind == SqlStatement::Kind::Empty) {
      out_.begin('I');
      out_.end();
      return;
    }
    Listed listed(terms_.queries, *session_, sql.substr(at, end - at), client_);
    at = end;
    listed.run([&] {
      if (wrong) throw SqlFailure(*wrong);
      // Before it runs: asking the engine again would end the result that is open.
      const auto columns = session_->columns(statement);
      const auto result = statement.kind == SqlStatement::Kind::Block
                              ? session_->execute_block(statement, sql, listed.id)
                              : session_->execute(statement, listed.id);
      if (!columns.empty()) send_columns(columns);
      send_rows(*result, 0);
      listed.done(statement, result->tag());
      send_complete(result->tag());
    });
  } while (at < sql.size());
}

void PgConnection::prepare(PgReader& reader) {
  const std::string name = reader.text();
  Prepared prepared;
  prepared.sql = reader.text();
  const std::int16_t types = reader.int16();
  for (std::int16_t i = 0; i < types; ++i) prepared.types.push_back(reader.int32());
  prepared.types.resize(std::max(prepared.types.size(), parameters_in(prepared.sql)), 25);
  statement_of(prepared, std::vector<Cell>(prepared.types.size()));  // tells now what is wrong
  if (prepared_.size() >= kMostStatements) throw SqlFailure("53400", "too many prepared statements");
  prepared_[name] = std::move(prepared);
  out_.begin('1');
  out_.end();
}

SqlStatement PgConnection::statement_of(const Prepared& prepared, const std::vector<Cell>& values) {
  const std::string sql = with_values(prepared.sql, values);
  SqlStatement statement = session_->parse(sql);
  if (statement.end < sql.size()) throw SqlFailure("42601", "a prepared statement is one statement", statement.end);
  return statement;
}

void PgConnection::bind(PgReader& reader) {
  const std::string portal = reader.text();
  const std::string name = reader.text();
  const auto prepared = prepared_.find(name);
  if (prepared == prepared_.end()) throw SqlFailure("26000", "there is no prepared statement '" + name + "'");
  const auto binary = [&] {
    bool any = false;
    for (std::int16_t count = reader.int16(); count > 0; --count) any = reader.int16() != 0 || any;
    return any;
  };
  if (binary()) throw SqlFailure("0A000", "binary parameters are not supported");
  std::vector<Cell> values;
  for (std::int16_t count = reader.int16(); count > 0; --count) {
    const std::int32_t size = reader.int32();
    values.push_back(size < 0 ? Cell() : Cell(reader.bytes(static_cast<std::size_t>(size))));
  }
  if (binary()) throw SqlFailure("0A000", "binary results are not supported");
  if (portals_.size() >= kMostStatements) throw SqlFailure("53400", "too many portals");
  auto made = std::make_unique<Portal>();
  made->statement = statement_of(prepared->second, values);
  made->sql = with_values(prepared->second.sql, values);
  portals_[portal] = std::move(made);
  out_.begin('2');
  out_.end();
}

void PgConnection::describe(PgReader& reader) {
  const std::string what = reader.bytes(1);
  const std::string name = reader.text();
  if (what == "S") {
    const auto prepared = prepared_.find(name);
    if (prepared == prepared_.end()) throw SqlFailure("26000", "there is no prepared statement '" + name + "'");
    const SqlStatement statement = statement_of(prepared->second, std::vector<Cell>(prepared->second.types.size()));
    out_.begin('t');
    out_.int16(static_cast<std::int16_t>(prepared->second.types.size()));
    for (const std::int32_t type : prepared->second.types) out_.int32(type == 0 ? 25 : type);
    out_.end();
    return send_columns(session_->columns(statement));
  }
  const auto portal = portals_.find(name);
  if (portal == portals_.end()) throw SqlFailure("34000", "there is no portal '" + name + "'");
  send_columns(session_->columns(portal->second->statement));
}

void PgConnection::execute(PgReader& reader) {
  const std::string name = reader.text();
  const std::int32_t most = reader.int32();
  const auto found = portals_.find(name);
  if (found == portals_.end()) throw SqlFailure("34000", "there is no portal '" + name + "'");
  Portal& portal = *found->second;
  if (portal.statement.kind == SqlStatement::Kind::Empty) {
    out_.begin('I');
    out_.end();
    return;
  }
  if (!portal.result) {
    // The engine reads one result at a time: those that were not read to their end are over.
    std::erase_if(portals_, [&](const auto& one) { return one.first != name && one.second->result; });
    portal.listed = std::make_unique<Listed>(terms_.queries, *session_, portal.sql, client_);
    portal.result = portal.listed->run([&] {
      return portal.statement.kind == SqlStatement::Kind::Block
                 ? session_->execute_block(portal.statement, portal.sql, portal.listed->id)
                 : session_->execute(portal.statement, portal.listed->id);
    });
  }
  const bool all =
      portal.listed->run([&] { return send_rows(*portal.result, most > 0 ? static_cast<std::uint64_t>(most) : 0); });
  if (!all) {
    out_.begin('s');
    out_.end();
    return;
  }
  portal.listed->done(portal.statement, portal.result->tag());
  send_complete(portal.result->tag());
}

void PgConnection::close(PgReader& reader) {
  const std::string what = reader.bytes(1);
  const std::string name = reader.text();
  if (what == "S")
    prepared_.erase(name);
  else
    portals_.erase(name);
  out_.begin('3');
  out_.end();
}

void PgConnection::send_columns(const std::vector<SqlColumn>& columns) {
  if (columns.empty()) {
    out_.begin('n');
    out_.end();
    return;
  }
  const bool as_json = sql_lower(session_->setting("auto_to_json")) == "true";
  out_.begin('T');
  out_.int16(static_cast<std::int16_t>(columns.size()));
  for (const SqlColumn& column : columns) {
    const WireType type = wire_type(column.type, as_json);
    out_.text(column.name);
    out_.int32(0);
    out_.int16(0);
    out_.int32(type.oid);
    out_.int16(type.size);
    out_.int32(-1);
    out_.int16(0);
  }
  out_.end();
}

bool PgConnection::send_rows(QueryResult& result, std::uint64_t most) {
  std::vector<Cell> row;
  for (std::uint64_t sent = 0; most == 0 || sent < most; ++sent) {
    if (!result.next(row)) return true;
    out_.begin('D');
    out_.int16(static_cast<std::int16_t>(row.size()));
    for (const Cell& cell : row) {
      out_.int32(cell ? static_cast<std::int32_t>(cell->size()) : -1);
      if (cell) out_.bytes(*cell);
    }
    if (!out_.end()) throw SqlFailure("08006", "the client is gone");
  }
  return false;
}

void PgConnection::send_complete(const std::string& tag) {
  out_.begin('C');
  out_.text(tag);
  out_.end();
}

void PgConnection::send_error(const SqlFailure& failure, const std::string& sql, const char* severity) {
  out_.begin('E');
  const auto field = [&](char kind, const std::string& value) {
    out_.byte(kind);
    out_.text(value);
  };
  field('S', severity);
  field('V', severity);
  field('C', failure.state);
  field('M', failure.what());
  if (failure.offset && !sql.empty()) field('P', position_of(sql, *failure.offset));
  out_.byte('\0');
  out_.end();
}

void PgConnection::send_ready() {
  out_.begin('Z');
  out_.byte(session_ && session_->in_transaction() ? 'T' : 'I');
  out_.end();
  out_.flush();
}

}  // namespace emulator
