// The same on Node.js, where requests share an event loop, and connections a pool.
'use strict';
const http = require('http');
const Redis = require('ioredis');
const mysql = require('mysql2/promise');
const { Pool } = require('pg');

const env = process.env;
const postgres = new Pool({ host: env.POSTGRES_HOST, port: +env.POSTGRES_PORT, user: 'shop', database: 'shop', max: 16 });
const maria = mysql.createPool({
  host: '127.0.0.1', port: +env.MYSQL_PORT, user: 'shop', password: 'hunter2', database: 'shop', connectionLimit: 16,
});
const cache = new Redis({ host: '127.0.0.1', port: +env.REDIS_PORT });

const modes = {
  pg: async (n) => (await postgres.query(`SELECT name, price AS t_pg_${n} FROM items WHERE price > $1`, [150])).rowCount,
  mysql2: async (n) => (await maria.query(`SELECT name, price AS t_mysql2_${n} FROM items WHERE price > ?`, [150]))[0].length,
  execute: async (n) => (await maria.execute(`SELECT name, price AS t_execute_${n} FROM items WHERE price > ?`, [150]))[0].length,
  ioredis: async (n) => {
    await cache.set(`t_ioredis_${n}`, 'hunter2');
    return cache.get(`t_ioredis_${n}`);
  },
};

http.createServer(async (request, response) => {
  const [, mode, number] = request.url.split('/');
  response.end(String(await modes[mode](number)));
}).listen(+env.PORT, '127.0.0.1');
