'use strict';
// Where we know a description to be wrong. Each exception cites the sentence of our facts that says so.

const fs = require('fs');
const path = require('path');

const kKeys = new Set(['operation', 'status', 'side', 'at', 'code', 'message', 'why', 'cite']);

/// `*` stands for anything.
const globOf = (pattern) =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*')}$`, 's');

function loadExceptions(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8')).map((entry, index) => {
    const where = `${path.basename(file)}: exception ${index + 1}`;
    for (const name of Object.keys(entry)) if (!kKeys.has(name)) throw new Error(`${where} has an unknown key '${name}'`);
    for (const name of ['operation', 'side', 'why', 'cite']) if (!entry[name]) throw new Error(`${where} has no '${name}'`);
    return { ...entry, where, used: 0, operationGlob: globOf(entry.operation), atGlob: globOf(entry.at || '*') };
  });
}

/// Whether an exception covers what a description said against an operation.
function covers(exception, operation, status, problem) {
  return (
    exception.side === problem.side &&
    (exception.status === undefined || [].concat(exception.status).includes(status)) &&
    (exception.code === undefined || exception.code === problem.code) &&
    (exception.message === undefined || problem.message.includes(exception.message)) &&
    exception.operationGlob.test(operation) &&
    exception.atGlob.test(problem.at)
  );
}

/// The first exception that covers it, counted as used; undefined when none does.
function excuse(exceptions, operation, status, problem) {
  const found = exceptions.find((one) => covers(one, operation, status, problem));
  if (found) found.used += 1;
  return found;
}

const spaced = (text) => text.replace(/\s+/g, ' ');

/// What is wrong with the exceptions themselves: a cite that is not in the facts, or nothing left to excuse.
function complaints(exceptions, facts) {
  const texts = new Map();
  const read = (name) => {
    if (!texts.has(name)) {
      const file = path.join(facts, name);
      texts.set(name, fs.existsSync(file) ? spaced(fs.readFileSync(file, 'utf8')) : undefined);
    }
    return texts.get(name);
  };
  const found = [];
  for (const { where, cite, used, operation } of exceptions) {
    if (used === 0) found.push(`${where} (${operation}) excuses nothing any more; remove it`);
    const text = read(cite.file);
    if (text === undefined) found.push(`${where} cites ${cite.file}, which is not in ${facts}`);
    else if (!text.includes(spaced(cite.text))) found.push(`${where}: ${cite.file} does not say '${cite.text}'`);
  }
  return found;
}

module.exports = { loadExceptions, excuse, complaints };
