// The same as talk.py by the package ws: `node talk.js serve PORT`, `node talk.js call URL`.
const { once } = require('events');
const { WebSocket, WebSocketServer } = require('ws');

const LARGE = 300_000;

function serve(port) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: Number(port), perMessageDeflate: true });
  server.on('connection', (socket) => {
    socket.on('message', (message, binary) => socket.send(message, { binary }));
  });
  server.on('listening', () => console.log('ready'));
}

async function call(url) {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const say = async (...pieces) => {
    pieces.forEach((piece, at) => socket.send(piece, { fin: at === pieces.length - 1 }));
    await once(socket, 'message');
  };
  await say('hunter2-is-my-password');
  await say('in ', 'three ', 'pieces');
  socket.ping();
  await once(socket, 'pong');
  await new Promise((resolve) => { setTimeout(resolve, 300); });
  for (const message of ['x'.repeat(LARGE), Buffer.alloc(1000), '']) await say(message);
  socket.close(1000);
  await once(socket, 'close');
}

const [way, where] = process.argv.slice(2);
({ serve, call })[way](where);
