'use strict';
// The validator finds what is wrong: a good exchange is spoilt in one way at a time. Run by ../run with `node --test`.

const assert = require('node:assert');
const { test, before } = require('node:test');
const { loadDescriptions } = require('./descriptions');
const { judge } = require('./contract');
const { excuse, complaints } = require('./exceptions');
const { readExchange, keyOf } = require('./exchanges');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const kCredentials = {
  authorization: 'Bearer ***',
  'x-api-key': 'client',
  'x-gw-ims-org-id': 'ABC@AdobeOrg',
  'x-sandbox-name': 'prod',
};
const json = (value) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });

let descriptions;
before(async () => {
  descriptions = await loadDescriptions(process.env.AUDIENCESYNC_API_DESCRIPTIONS);
});

/// As the emulator records it, read back.
function exchange(method, target, asked, status, answered, fault) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'contract-'));
  const file = path.join(folder, '1.json');
  const sent = asked === undefined ? { headers: {}, body: '' } : asked;
  const request = { method, target, headers: { ...kCredentials, ...sent.headers }, body: sent.body };
  if (sent.body) request.headers['content-length'] = String(sent.body.length);
  fs.writeFileSync(file, JSON.stringify({ request, response: { status, ...answered }, fault }));
  const read = readExchange(file);
  fs.rmSync(folder, { recursive: true });
  return read;
}

const said = (...given) => judge(descriptions, exchange(...given)).said.map(({ problem }) => `${problem.side} ${problem.at}: ${problem.message}`);

const kJob = { schema: { name: '_xdm.context.profile' }, destination: { datasetId: 'd1', segmentPerBatch: false } };
const kMade = { id: 7, status: 'NEW', ...kJob, imsOrgId: 'ABC@AdobeOrg', creationTime: 1, updateTime: 2 };
const exportJob = (asked, answered, status = 200) => said('POST', '/data/core/ups/export/jobs', json(asked), status, json(answered));

test('a good exchange passes', () => assert.deepStrictEqual(exportJob(kJob, kMade), []));

test('a required field that is missing is found', () => {
  const asked = json({ inputFormat: { format: 'JSON' } });
  const made = json({ id: 'b1', status: 'loading' });
  const found = said('POST', '/data/foundation/import/batches', asked, 201, made);
  assert.match(found.join(), /request body: .*required property 'datasetId'/);
});

test('a wrong type is found on both sides', () => {
  assert.match(exportJob({ ...kJob, fields: 7 }, kMade).join(), /request body\.fields: .*must be string/);
  assert.match(exportJob(kJob, { ...kMade, status: 12 }).join(), /response body\.status/);
});

test('a word that is in no list is found', () => {
  assert.match(exportJob(kJob, { ...kMade, status: 'DONE' }).join(), /response body\.status: .*allowed values/);
});

test('a header that is missing is found', () => {
  const one = exchange('GET', '/data/core/ups/audiences', undefined, 200, json({ children: [], _page: {} }));
  delete one.request.headers['x-gw-ims-org-id'];
  assert.match(judge(descriptions, one).said.map(({ problem }) => problem.message).join(), /x-gw-ims-org-id/);
});

test('an operation nobody describes is found', () => {
  const path = '/data/core/ups/audience-groups';
  assert.match(said('GET', path, undefined, 200, json({})).join(), /no description has this operation/);
});

test('a status nobody describes is found', () => {
  assert.match(exportJob(kJob, kMade, 202).join(), /status code/);
});

test('an answer that is not JSON is found', () => {
  const answer = { headers: { 'content-type': 'application/json' }, body: '{"id":' };
  assert.match(said('POST', '/data/core/ups/export/jobs', json(kJob), 200, answer).join(), /not JSON/);
});

test('what a fault made up, and what was refused, are nobody\'s', () => {
  assert.deepStrictEqual(said('POST', '/data/core/ups/export/jobs', json(kJob), 299, json({}), 'status 299'), []);
  assert.deepStrictEqual(said('POST', '/data/core/ups/export/jobs', json({}), 403, { headers: {}, body: '' }), []);
});

test('kinds differ by form and not by content', () => {
  const key = (value) => keyOf(exchange('GET', '/x', undefined, 200, json(value)), 'GET /x');
  assert.strictEqual(key({ id: 'a1', n: 1 }), key({ id: 'b2', n: 2 }));
  assert.notStrictEqual(key({ id: 'a1' }), key({ id: 7 }));
  assert.notStrictEqual(key({ status: 'active' }), key({ status: 'loading' }));
});

test('an exception that excuses nothing, or cites what is not there, is found', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'contract-'));
  fs.writeFileSync(path.join(folder, 'facts.md'), 'formats are in\nlower case');
  const one = (cite) => ({ where: 'e', operation: 'GET /x', side: 'request', used: 0, operationGlob: /^GET \/x$/, atGlob: /^body\.a$/, cite });
  const [right, wrong, idle] = [{ file: 'facts.md', text: 'are in lower case' }, { file: 'facts.md', text: 'upper' }, { file: 'facts.md', text: 'formats' }].map(one);
  const problem = { side: 'request', at: 'body.a', code: '', message: 'm' };
  assert.strictEqual(excuse([right], 'GET /x', 200, problem), right);
  assert.strictEqual(excuse([right], 'GET /y', 200, problem), undefined);
  assert.strictEqual(excuse([right], 'GET /x', 200, { ...problem, at: 'body.b' }), undefined);
  wrong.used = 1;
  const found = complaints([right, wrong, idle], folder);
  fs.rmSync(folder, { recursive: true });
  assert.strictEqual(found.length, 2);
  assert.match(found[0], /does not say 'upper'/);
  assert.match(found[1], /excuses nothing any more/);
});
