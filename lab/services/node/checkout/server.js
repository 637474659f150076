'use strict';
const express = require('express');
const log = require('./log');
const metrics = require('./metrics');
const db = require('./db');
const carts = require('./carts');
const orders = require('./orders');
const analytics = require('./analytics');

const app = express();
app.disable('x-powered-by');

app.get('/healthz', (req, res) => res.send('ok'));
app.get('/metrics', async (req, res) => res.type('text/plain').send(await metrics.prom.register.metrics()));

const told = (req) => ({ id: req.get('x-request-id'), method: req.method, url: req.originalUrl });

app.use((req, res, next) => {
  const began = process.hrtime.bigint();
  const took = () => Number(process.hrtime.bigint() - began) / 1e9;
  res.on('finish', () => {
    metrics.seconds.observe({ method: req.method, route: req.route ? req.route.path : 'unmatched', status: res.statusCode }, took());
    const level = res.statusCode >= 500 ? 'error' : res.statusCode >= 400 ? 'warn' : 'info';
    log[level]({ req: told(req), res: { statusCode: res.statusCode }, responseTime: Math.round(took() * 1000) }, res.statusCode >= 500 ? 'request errored' : 'request completed');
  });
  res.on('close', () => {
    if (!res.writableFinished) log.warn({ req: told(req), responseTime: Math.round(took() * 1000) }, 'request aborted');
  });
  analytics.count();
  next();
});
app.use(express.json());

const handle = (fn) => (req, res, next) => fn(req, res).catch(next);

app.post('/api/cart', handle(async (req, res) => {
  if (!(req.body.quantity > 0)) return res.status(400).json({ error: 'quantity must be positive' });
  const cart = await carts.create(req.body);
  return cart ? res.status(201).json(cart) : res.status(404).json({ error: 'no such product' });
}));

app.get('/api/cart/:id(\\d+)', handle(async (req, res) => {
  const cart = await carts.load(Number(req.params.id));
  return cart ? res.json(cart) : res.status(404).json({ error: 'no such cart' });
}));

app.get('/api/orders', handle(async (req, res) => res.json(await orders.ofUser(Number(req.query.user)))));

app.post('/api/checkout', handle(async (req, res) => {
  const { status, body } = await orders.place(Number(req.body.cart), req.body.card, 'web');
  res.status(status).json(body);
}));

// Old versions of the app take every status but 200 for "no network": they read the outcome from the body.
app.post('/api/mobile/order', handle(async (req, res) => {
  try {
    const { status, body } = await orders.place(Number(req.body.cart), req.body.card, 'app');
    res.json({ ok: status === 201, ...body });
  } catch (err) {
    log.warn({ req: told(req), reason: err.message }, 'mobile order not completed');
    res.json({ ok: false, error: 'TRY_LATER' });
  }
}));

app.post('/api/webhooks/payment', handle(async (req, res) => {
  try {
    await db.query('INSERT INTO payment_events (body) VALUES ($1)', [req.body]);
  } catch (err) {
    log.warn({ req: told(req), reason: err.message }, 'webhook not stored, provider will resend');
  }
  res.status(202).end();
}));

app.use((err, req, res, next) => {
  if (err.type === 'entity.parse.failed') return res.status(400).json({ error: 'bad json' });
  log.error({ req: told(req), err }, 'request failed');
  return res.status(500).json({ error: 'internal error' });
});

const server = app.listen(Number(process.env.PORT), process.env.HOST, () => log.info({ port: Number(process.env.PORT) }, 'checkout listening'));
server.keepAliveTimeout = 75000;
process.on('SIGTERM', () => {
  log.info('SIGTERM received, shutting down');
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  setTimeout(() => process.exit(0), 1500).unref();
});
