'use strict';
// What the emulator recorded, as the validator wants it, each kind of exchange once.

const fs = require('fs');
const path = require('path');

function* recordings(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const where = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* recordings(where);
    else if (entry.name.endsWith('.json')) yield where;
  }
}

/// Names given several times become a list, as the description's arrays want them.
function queryOf(search) {
  const query = {};
  for (const [name, value] of new URLSearchParams(search)) {
    if (!(name in query)) query[name] = value;
    else query[name] = [].concat(query[name], value);
  }
  return query;
}

const isJson = (type) => /^application\/([\w.-]+\+)?json\b/.test(type || '') && !/json-?lines|ndjson/.test(type);

/// JSON as a value, anything else as text. `whole` is false for what the recorder cut.
function bodyOf(side) {
  const type = side.headers['content-type'];
  const text = side.body || '';
  if (side.body_cut) return { whole: false };
  if (text === '') return { whole: true };
  if (!isJson(type)) return { whole: true, value: text, text: true };
  try {
    return { whole: true, value: JSON.parse(text) };
  } catch (error) {
    return { whole: true, value: text, broken: true };
  }
}

/// One recording as {file, method, path, query, request, response, fault}.
function readExchange(file) {
  const { request, response, fault } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const [bare, search] = request.target.split(/\?(.*)/s);
  return {
    file,
    fault,
    method: request.method.toLowerCase(),
    path: bare,
    query: queryOf(search || ''),
    request: { headers: request.headers, ...bodyOf(request) },
    response: { status: response.status, headers: response.headers, ...bodyOf(response) },
  };
}

/// The form of a value without its content: equal forms are equally right or wrong, but for what `literal` keeps.
/// Numbers and words of up to `kWord` characters without a digit stay: descriptions limit them by lists.
const kWord = 24;
function formOf(value) {
  if (Array.isArray(value)) return `[${[...new Set(value.map(formOf))].sort().join()}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).map(([name, child]) => `${formOfName(name)}:${formOf(child)}`);
    return `{${[...new Set(entries)].sort().join()}}`;
  }
  if (typeof value !== 'string') return value === null ? 'null' : typeof value === 'number' ? (Number.isInteger(value) ? 'i' : 'n') : String(value);
  return value.length <= kWord && !/[\d@]/.test(value) ? JSON.stringify(value) : `s${/^\d+$/.test(value) ? 'd' : ''}`;
}
// A name with digits is an id, and which one does not matter.
const formOfName = (name) => (/\d/.test(name) ? '#' : name);

/// Two exchanges with the same key are the same test.
function keyOf(exchange, operation) {
  const headers = (side) => Object.keys(side.headers).sort().join() + '|' + (side.headers['content-type'] || '') + '|' + (side.headers.accept || '');
  return [operation, exchange.response.status, formOf(exchange.query), headers(exchange.request), headers(exchange.response),
    formOf(exchange.request.value), formOf(exchange.response.value), exchange.request.whole, exchange.response.whole].join('\n');
}

module.exports = { recordings, readExchange, keyOf };
