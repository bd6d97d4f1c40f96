'use strict';
// What a description says against one exchange.

const { validateInput, validateOutput } = require('@stoplight/prism-http/dist/validator');

const errorsOf = (result) => (result._tag === 'Left' ? result.left : []);

const told = (side) => (diagnostic) => ({
  side,
  at: (diagnostic.path || []).join('.'),
  code: String(diagnostic.code || ''),
  message: diagnostic.message,
});

function judgeRequest({ operation, path }, exchange) {
  const { request, method, query } = exchange;
  if (!request.whole) return [];
  if (request.broken) return [{ side: 'request', at: 'body', code: 'json', message: 'the body is not JSON' }];
  const element = { method, url: { path, query }, headers: request.headers, body: request.value };
  return errorsOf(validateInput({ resource: operation, element })).map(told('request'));
}

function judgeResponse({ operation }, exchange) {
  const { response, method } = exchange;
  if (response.broken) return [{ side: 'response', at: 'body', code: 'json', message: 'the body is not JSON' }];
  // An answer to HEAD has no body to look at, one that was cut has none to judge.
  const described = { ...operation, responses: operation.responses };
  if (!response.whole || method === 'head' || response.value === undefined) {
    described.responses = operation.responses.map((one) => ({ ...one, contents: [] }));
  }
  const element = { statusCode: response.status, headers: response.headers, body: response.value };
  return errorsOf(validateOutput({ resource: described, element })).map(told('response'));
}

module.exports = { judgeRequest, judgeResponse };
