// A git host for tests: https, one user with one token, git's own program behind it.
//
// usage: node git_host.js FOLDER CERTIFICATE KEY USER TOKEN READY
//   Repositories are below FOLDER. READY is written with the port once it listens on the loopback interface.
'use strict';

const { spawn } = require('child_process');
const fs = require('fs');
const https = require('https');

const [folder, certificate, key, user, token, ready] = process.argv.slice(2);
const admitted = 'Basic ' + Buffer.from(`${user}:${token}`).toString('base64');

/** Runs git's program for one request and hands its answer, headers first, to the client. */
function answer(request, response) {
  if (request.headers.authorization !== admitted) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    return;
  }
  const address = new URL(request.url, 'https://localhost');
  const environment = {
    PATH: process.env.PATH,
    GIT_PROJECT_ROOT: folder,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
    PATH_INFO: address.pathname,
    QUERY_STRING: address.search.slice(1),
    REQUEST_METHOD: request.method,
    CONTENT_TYPE: request.headers['content-type'] || '',
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'] || '',
    REMOTE_USER: user,
  };
  const body = [];
  request.on('data', (bytes) => body.push(bytes));
  request.on('end', () => {
    const whole = Buffer.concat(body);
    environment.CONTENT_LENGTH = String(whole.length);
    const git = spawn('git', ['http-backend'], { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
    const said = [];
    git.stdout.on('data', (bytes) => said.push(bytes));
    git.on('close', () => {
      const text = Buffer.concat(said);
      const end = text.indexOf('\r\n\r\n');
      const headers = text.toString('latin1', 0, end).split('\r\n').map((line) => line.split(/: (.*)/s));
      const status = headers.find(([name]) => name === 'Status');
      response.writeHead(status ? parseInt(status[1], 10) : 200,
        Object.fromEntries(headers.filter(([name]) => name !== 'Status')));
      response.end(text.subarray(end + 4));
    });
    git.stdin.end(whole);
  });
}

const server = https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }, answer);
server.on('tlsClientError', () => {}); // whoever does not trust us is the client's business
server.listen(0, '127.0.0.1', () => {
  fs.writeFileSync(ready + '.new', String(server.address().port));
  fs.renameSync(ready + '.new', ready);
});
setTimeout(() => process.exit(1), 300000).unref(); // should nobody end it
