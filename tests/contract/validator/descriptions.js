'use strict';
// The published descriptions as operations, and which of them an exchange belongs to.

const fs = require('fs');
const path = require('path');
const { getHttpOperationsFromSpec } = require('@stoplight/prism-http');
const { parse } = require('@stoplight/yaml');
const route = require('@stoplight/prism-http/dist/router').default;

/// Services as operators know them, by the name of their description.
const titleOf = (file) => path.basename(file).replace(/\.(ya?ml|json)$/, '');

/// Where the operations live of descriptions that say so in their prose only.
const proseBases = { 'data-hygiene': '/data/core/hygiene' };

/// The path below which a description's operations live: "/data/core/ups".
function basePath(document, service) {
  if (proseBases[service]) return proseBases[service];
  if (document.swagger) return (document.basePath || '').replace(/\/$/, '');
  const url = (document.servers && document.servers[0] && document.servers[0].url) || '';
  return url.replace(/^(https?:)?\/\/[^/]*/, '').replace(/\/$/, '');
}

/// An operation may be written with the query that tells it from another: "/batches/{id}?action=COMPLETE".
function withoutQuery(operation) {
  const [bare, query] = operation.path.split('?');
  operation.written = operation.path;
  operation.fixedQuery = query ? Object.fromEntries(new URLSearchParams(query)) : {};
  operation.path = bare.replace(/\/+$/, '') || '/';
  return operation;
}

const isObject = (value) => value !== null && typeof value === 'object';

function resolves(document, reference) {
  if (!reference.startsWith('#/')) return false;
  let at = document;
  for (const part of reference.slice(2).split('/')) {
    at = isObject(at) ? at[decodeURIComponent(part).replace(/~1/g, '/').replace(/~0/g, '~')] : undefined;
  }
  return at !== undefined;
}

/// Examples validate nothing, and some descriptions refer to examples and schemas they do not have. Such a schema is
/// taken for one that allows everything, and said.
function repair(document, dangling) {
  const visit = (node, key) => {
    if (!isObject(node)) return;
    if (!Array.isArray(node) && key !== 'properties') {
      delete node.example;
      delete node.examples;
    }
    // Alternatives that an object fits both of are badly told apart, and that is not the object's fault.
    if (key !== 'properties' && Array.isArray(node.oneOf)) {
      node.anyOf = node.oneOf;
      delete node.oneOf;
    }
    for (const [name, child] of Object.entries(node)) {
      if (isObject(child) && typeof child.$ref === 'string' && !resolves(document, child.$ref)) {
        dangling.push(child.$ref);
        node[name] = {};
      } else {
        visit(child, name);
      }
    }
  };
  visit(document, '');
  return document;
}

async function loadOne(file) {
  const dangling = [];
  const document = repair(parse(fs.readFileSync(file, 'utf8')), dangling);
  const operations = (await getHttpOperationsFromSpec(document)).map(withoutQuery);
  const service = titleOf(file);
  return { service, base: basePath(document, service), operations, dangling };
}

/// All descriptions of a folder, those with the longest base path first.
async function loadDescriptions(folder) {
  const files = fs.readdirSync(folder).filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
  if (files.length === 0) throw new Error(`${folder} holds no descriptions`);
  const all = [];
  for (const name of files) all.push(await loadOne(path.join(folder, name)));
  return all.sort((a, b) => b.base.length - a.base.length);
}

const fixedQueryFits = (operation, query) =>
  Object.entries(operation.fixedQuery).every(([name, value]) => (query[name] || '').toUpperCase() === value.toUpperCase());

/// Every described operation an exchange may be an instance of, as {service, operation, path}; [] when it is unknown.
function operationsOf(descriptions, method, target, query) {
  const found = [];
  for (const { service, base, operations } of descriptions) {
    if (!target.startsWith(base + '/') && target !== base) continue;
    const rest = target.slice(base.length).replace(/\/+$/, '') || '/';
    const fits = operations.filter((one) => one.method.toLowerCase() === method && fixedQueryFits(one, query));
    // The one that fixes more of the query is the more exact one.
    fits.sort((a, b) => Object.keys(b.fixedQuery).length - Object.keys(a.fixedQuery).length);
    const exact = fits.filter((one) => Object.keys(one.fixedQuery).length > 0);
    for (const candidates of [exact, fits]) {
      if (candidates.length === 0) continue;
      const match = route({ resources: candidates, input: { method, url: { path: rest } } });
      if (match._tag === 'Right') {
        found.push({ service, base, operation: match.right, path: rest });
        break;
      }
    }
  }
  return found;
}

module.exports = { loadDescriptions, operationsOf };
