'use strict';
const express = require('express');
const prom = require('prom-client');
const log = require('./log');
const shop = require('./shop');
const queue = require('./queue');

prom.collectDefaultMetrics();
const seconds = new prom.Histogram({ name: 'http_request_duration_seconds', help: 'Requests', labelNames: ['method', 'route', 'status'], buckets: [0.05, 0.25, 1, 2.5, 5] });
const app = express();
app.disable('x-powered-by');
app.use(express.json());

app.use((req, res, next) => {
  const done = seconds.startTimer();
  res.on('finish', () => {
    if (req.path === '/metrics') return;
    const took = done({ method: req.method, route: req.route ? req.route.path : 'none', status: res.statusCode });
    log.info({ reqId: req.get('x-request-id'), method: req.method, url: req.originalUrl, status: res.statusCode, ms: Math.round(took * 1000) }, 'request');
  });
  next();
});

app.get('/metrics', async (req, res) => res.type('text/plain').send(await prom.register.metrics()));
app.get('/bouquets', async (req, res, next) => { try { res.json(await shop.bouquets()); } catch (e) { next(e); } });
app.get('/orders/:id', async (req, res, next) => {
  try {
    const order = await shop.order(Number(req.params.id));
    if (!order) return res.status(404).json({ error: 'no such order' });
    res.json(order);
  } catch (e) { next(e); }
});
app.post('/orders', async (req, res, next) => {
  try {
    const id = await shop.place(req.body);
    await queue.publish('orders.placed', { id, bouquet: req.body.bouquet });
    res.status(201).json({ id });
  } catch (e) { next(e); }
});
app.post('/orders/:id/cancel', async (req, res, next) => {
  try {
    await queue.publish('orders.cancelled', { id: Number(req.params.id) });
    res.status(202).json({ ok: true });
  } catch (e) { next(e); }
});
app.use((err, req, res, next) => {
  log.error({ reqId: req.get('x-request-id'), method: req.method, url: req.originalUrl, err }, err.message);
  res.status(500).json({ error: 'order could not be handled' });
});

queue.start().then(() => app.listen(Number(process.env.PORT), process.env.HOST, () => log.info({ version: process.env.APP_VERSION }, 'flowers listening')));
