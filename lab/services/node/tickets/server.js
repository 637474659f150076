'use strict';
const express = require('express');
const log = require('./log');
const { client, requests } = require('./metrics');
const events = require('./events');
const orders = require('./orders');

const app = express();
app.use(express.json());
app.use((req, res, next) => {
  const began = process.hrtime.bigint();
  res.on('finish', () => {
    if (req.path === '/metrics' || req.path === '/healthz') return;
    const ms = Number(process.hrtime.bigint() - began) / 1e6;
    requests.observe({ method: req.method, route: req.route ? req.route.path : 'other', status: res.statusCode }, ms / 1000);
    log.info({ reqId: req.get('x-request-id'), method: req.method, url: req.originalUrl, status: res.statusCode, ms: Math.round(ms) }, 'request');
  });
  next();
});
const wrap = (fn) => (req, res, next) => fn(req, res).catch(next);

app.get('/healthz', (req, res) => res.json({ status: 'ok' }));
app.get('/metrics', wrap(async (req, res) => { res.type('text/plain').send(await client.register.metrics()); }));

app.get('/api/events', wrap(async (req, res) => res.json(await events.list())));
app.get('/api/events/:id', wrap(async (req, res) => {
  const event = await events.get(req.params.id);
  if (!event) return res.status(404).json({ error: 'NO_SUCH_EVENT' });
  return res.json(event);
}));
app.post('/api/orders', wrap(async (req, res) => {
  const result = await orders.place(req.body);
  res.status(result.status).json(result.body);
}));
app.get('/api/orders/:id', wrap(async (req, res) => {
  const order = await orders.get(req.params.id);
  if (!order) return res.status(404).json({ error: 'NO_SUCH_ORDER' });
  return res.json(order);
}));
app.post('/api/orders/:id/pay', wrap(async (req, res) => {
  const result = await orders.pay(req.params.id, req.body.card);
  res.status(result.status).json(result.body);
}));

app.use((err, req, res, next) => {
  log.error({ err, reqId: req.get('x-request-id'), method: req.method, url: req.originalUrl }, 'request failed');
  if (res.headersSent) return next(err);
  return res.status(500).json({ error: 'INTERNAL_ERROR' });
});

const server = app.listen(Number(process.env.PORT), process.env.HOST, () => {
  log.info({ address: `${process.env.HOST}:${process.env.PORT}` }, 'listening');
});
server.keepAliveTimeout = Number(process.env.KEEPALIVE_MS || 65000);
