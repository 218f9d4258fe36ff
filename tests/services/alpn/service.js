// HTTP/2 in TLS by Node.js: GET /go/NAME asks BEHIND for /leaf/NAME, all over one connection, GET /leaf/NAME
// answers.
const http2 = require('http2');
const { readFileSync } = require('fs');

const { BEHIND, AUTHORITY, CERTIFICATE, KEY, PORT } = process.env;
let session;

function ask(path) {
  return new Promise((resolve, reject) => {
    session ??= http2.connect(BEHIND, { ca: readFileSync(AUTHORITY) });
    const call = session.request({ ':path': path });
    call.setEncoding('utf8');
    let text = '';
    call.on('data', (part) => { text += part; });
    call.on('end', () => resolve(text));
    call.on('error', reject);
    call.end();
  });
}

const options = { cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) };
const server = http2.createSecureServer(options, async (request, response) => {
  const path = request.url;
  response.end(path.startsWith('/go/') ? await ask(path.replace('/go/', '/leaf/')) : path);
});
server.listen(Number(PORT), '127.0.0.1');
