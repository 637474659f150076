'use strict';
const http = require('node:http');
const prom = require('prom-client');
const logger = require('./logger');
const kitchen = require('./kitchen');
const delivery = require('./delivery');

prom.collectDefaultMetrics();
const handled = new prom.Counter({ name: 'menu_requests_total', help: 'Requests', labelNames: ['endpoint', 'status'] });

const endpoints = [
  ['GET', /^\/menu\/(\d+)$/, 'menu', (m) => kitchen.menu(Number(m[1]))],
  ['GET', /^\/menu\/(\d+)\/hours$/, 'hours', (m) => kitchen.hours(Number(m[1]))],
  ['POST', /^\/baskets$/, 'basket-new', (m, body) => kitchen.basket(body)],
  ['GET', /^\/baskets\/(\d+)$/, 'basket', (m) => kitchen.show(Number(m[1]))],
  ['GET', /^\/delivery\/(\w+)$/, 'delivery', (m) => delivery.estimate(m[1])],
];

async function read(req) {
  let text = '';
  for await (const piece of req) text += piece;
  return text ? JSON.parse(text) : null;
}

async function answer(req, res) {
  const path = req.url.split('?')[0];
  if (path === '/ping') return res.end('pong');
  if (path === '/metrics') return res.end(await prom.register.metrics());
  for (const [method, pattern, name, run] of endpoints) {
    const m = req.method === method && pattern.exec(path);
    if (!m) continue;
    let status = 200;
    let out;
    try {
      out = await run(m, await read(req));
      if (out === null) { status = 404; out = { problem: 'not found' }; }
    } catch (e) {
      status = 500;
      out = { problem: 'unexpected' };
      logger.error('menu.http', `${req.method} ${path} failed: ${e.stack}`);
    }
    handled.inc({ endpoint: name, status });
    logger.info('menu.access', `${req.method} ${req.url} -> ${status}`);
    res.writeHead(status, { 'content-type': 'application/json' });
    return res.end(JSON.stringify(out));
  }
  res.writeHead(404);
  return res.end();
}

http.createServer((req, res) => { answer(req, res).catch((e) => { logger.error('menu.http', e.stack); res.destroy(); }); })
  .listen(Number(process.env.PORT), process.env.HOST, () => logger.info('menu', `release ${process.env.APP_VERSION} ready on port ${process.env.PORT}`));
