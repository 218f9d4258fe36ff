// The same as flask_service.py in Node.js, each call over a connection of its own.
const https = require('https');
const { readFileSync } = require('fs');

const { BEHIND, AUTHORITY, CERTIFICATE, KEY, PORT } = process.env;
const ca = readFileSync(AUTHORITY);
const agent = new https.Agent({ keepAlive: false, ca });

function ask(path) {
  return new Promise((resolve, reject) => {
    const call = https.get(BEHIND + path, { agent }, (answer) => {
      let text = '';
      answer.on('data', (part) => { text += part; });
      answer.on('end', () => resolve(text));
    });
    call.on('error', reject);
  });
}

async function answer(request, response) {
  if (request.url.startsWith('/go/')) {
    response.end(await ask(request.url.replace('/go/', '/leaf/')));
  } else {
    response.end(request.url);
  }
}

const options = { cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) };
https.createServer(options, answer).listen(Number(PORT), '127.0.0.1');
