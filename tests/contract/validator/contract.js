'use strict';
// Holds recorded exchanges against the published descriptions.

const { operationsOf } = require('./descriptions');
const { recordings, readExchange, keyOf } = require('./exchanges');
const { judgeRequest, judgeResponse } = require('./judge');
const { excuse } = require('./exceptions');

const kId = /(%[0-9A-F]{2}|[\w@$-])*\d(%[0-9A-F]{2}|[\w@$.-]){7,}/gi;

/// An operation no description has, named so that two calls of it are one.
const undescribed = (exchange) => `${exchange.method.toUpperCase()} ${exchange.path.replace(kId, '{id}')}`;

const nameOf = ({ base, operation }) => `${operation.method.toUpperCase()} ${base}${operation.written}`;

const general = (text) => text.replace(/\.\d+(?=\.|\b)/g, '.*').replace(kId, '{id}');

/// What is said against one exchange, as [{operation, problem}]. Where several descriptions know the operation, the one
/// that says least counts: they describe the same service, and it cannot follow two that differ.
function judge(descriptions, exchange) {
  const matches = operationsOf(descriptions, exchange.method, exchange.path, exchange.query);
  if (matches.length === 0) {
    // What nobody describes is rightly refused.
    if ([404, 405].includes(exchange.response.status)) return { matches, said: [] };
    const problem = { side: 'operation', at: '', code: 'undescribed', message: 'no description has this operation' };
    return { matches, said: [{ operation: undescribed(exchange), problem }] };
  }
  const opinions = matches.map((match) => {
    // What a fault made up is nobody's answer, and a request that was refused for itself is rightly a wrong one.
    const asked = exchange.response.status >= 400 && !exchange.fault ? [] : judgeRequest(match, exchange);
    const answered = exchange.fault ? [] : judgeResponse(match, exchange);
    return [...asked, ...answered].map((problem) => ({ operation: nameOf(match), problem }));
  });
  return { matches, said: opinions.sort((a, b) => a.length - b.length)[0] };
}

/// Judges every recording below the folders, each kind once.
///
/// Answers {read, kinds, problems: [{text, file, count}], excused, exercised: Map of service to names}.
function judgeAll(descriptions, exceptions, folders) {
  const result = { read: 0, kinds: 0, problems: new Map(), excused: 0, exercised: new Map() };
  const seen = new Set();
  for (const folder of folders) {
    for (const file of recordings(folder)) {
      const exchange = readExchange(file);
      result.read += 1;
      const matches = operationsOf(descriptions, exchange.method, exchange.path, exchange.query);
      for (const match of matches) {
        if (!result.exercised.has(match.service)) result.exercised.set(match.service, new Set());
        result.exercised.get(match.service).add(nameOf(match));
      }
      const key = keyOf(exchange, matches.length > 0 ? matches.map(nameOf).join() : undescribed(exchange));
      if (seen.has(key)) continue;
      seen.add(key);
      result.kinds += 1;
      for (const { operation, problem } of judge(descriptions, exchange).said) {
        const { status } = exchange.response;
        if (excuse(exceptions, operation, status, problem)) {
          result.excused += 1;
          continue;
        }
        const at = problem.at ? ` at ${general(problem.at)}` : '';
        const text = `${operation} (${status}): ${problem.side}${at}: ${general(problem.message)}`;
        const known = result.problems.get(text) || { text, file, count: 0 };
        known.count += 1;
        result.problems.set(text, known);
      }
    }
  }
  result.problems = [...result.problems.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
  return result;
}

module.exports = { judge, judgeAll };
