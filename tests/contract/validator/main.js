'use strict';
// usage: node main.js DESCRIPTIONS FACTS EXCHANGES...
//
// Judges the exchanges that the emulator recorded below EXCHANGES by the published descriptions of the folder
// DESCRIPTIONS; FACTS is the folder whose files the exceptions cite. Prints what is wrong and which share of the described
// operations was exercised. Exit code 0: all is as described, 1: not.

const path = require('path');
const { loadDescriptions } = require('./descriptions');
const { loadExceptions, complaints } = require('./exceptions');
const { judgeAll } = require('./contract');

function printCoverage(descriptions, exercised) {
  console.log('operations exercised of those described:');
  let [all, used] = [0, 0];
  for (const { service, operations } of [...descriptions].sort((a, b) => (a.service < b.service ? -1 : 1))) {
    const some = exercised.has(service) ? exercised.get(service).size : 0;
    all += operations.length;
    used += some;
    console.log(`  ${service.padEnd(20)} ${String(some).padStart(3)} of ${String(operations.length).padStart(3)}`);
  }
  console.log(`  ${'all'.padEnd(20)} ${String(used).padStart(3)} of ${String(all).padStart(3)}`);
}

async function main([described, facts, ...folders]) {
  if (folders.length === 0) throw new Error('usage: node main.js DESCRIPTIONS FACTS EXCHANGES...');
  const descriptions = await loadDescriptions(described);
  const exceptions = loadExceptions(path.join(__dirname, '..', 'exceptions.json'));
  const result = judgeAll(descriptions, exceptions, folders);
  if (result.read === 0) throw new Error(`nothing was recorded below ${folders.join(', ')}`);

  for (const { text, file, count } of result.problems) console.log(`${text}\n  ${count} times, first in ${file}`);
  const wrong = complaints(exceptions, facts);
  for (const text of wrong) console.log(text);
  for (const { service, dangling } of descriptions) {
    for (const reference of dangling) console.log(`note: ${service} refers to ${reference}, which it does not have`);
  }
  printCoverage(descriptions, result.exercised);
  console.log(
    `${result.read} exchanges of ${result.kinds} kinds: ${result.problems.length} problems, ` +
      `${result.excused} excused by ${exceptions.length} exceptions`,
  );
  return result.problems.length + wrong.length > 0 ? 1 : 0;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
