'use strict';
const express = require('express');
const log = require('./log');
const metrics = require('./metrics');
const bookings = require('./bookings');
const payments = require('./payments');
const passes = require('./passes');
const analytics = require('./analytics');

const app = express();
app.disable('x-powered-by');

app.get('/healthz', (req, res) => res.send('ok'));
app.get('/metrics', async (req, res) => res.type('text/plain').send(await metrics.prom.register.metrics()));

app.use((req, res, next) => {
  const began = process.hrtime.bigint();
  const url = req.originalUrl;
  res.on('finish', () => {
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    const route = req.route ? req.route.path : 'unmatched';
    metrics.requests.inc({ method: req.method, route, status: res.statusCode });
    metrics.seconds.observe({ route }, seconds);
    const level = res.statusCode >= 500 ? 'error' : res.statusCode >= 400 ? 'warn' : 'info';
    log[level]({ req: { id: req.get('x-request-id'), method: req.method, url }, res: { statusCode: res.statusCode }, responseTime: Math.round(seconds * 1000) }, 'request completed');
  });
  analytics.count();
  next();
});
app.use(express.json());

const handle = (fn) => (req, res, next) => fn(req, res).catch(next);

app.post('/api/bookings', handle(async (req, res) => {
  const { sailing, member, seats } = req.body;
  if (!(seats > 0)) return res.status(400).json({ error: 'seats must be positive' });
  const made = await bookings.create({ sailing, member, seats });
  if (!made) return res.status(404).json({ error: 'no such sailing' });
  return res.status(201).json(made);
}));

app.get('/api/bookings', handle(async (req, res) => res.json(await bookings.ofMember(Number(req.query.member)))));

app.get('/api/bookings/:id(\\d+)', handle(async (req, res) => {
  const found = await bookings.one(Number(req.params.id));
  return found ? res.json(found) : res.status(404).json({ error: 'no such booking' });
}));

app.post('/api/bookings/:id(\\d+)/pay', handle(async (req, res) => {
  const found = await bookings.one(Number(req.params.id));
  if (!found) return res.status(404).json({ error: 'no such booking' });
  const outcome = await payments.charge(found, req.body.card);
  if (outcome.declined) return res.status(402).json({ error: 'card declined' });
  await bookings.paid(found.id);
  return res.json(outcome);
}));

app.get('/api/bookings/:id(\\d+)/pass', handle(async (req, res) => {
  const found = await bookings.one(Number(req.params.id));
  if (!found) return res.status(404).json({ error: 'no such booking' });
  return res.type('application/pdf').send(await passes.render(found));
}));

const ops = {
  fares: (o) => bookings.fares(Number(o.sailing)),
  bookings: (o) => bookings.ofMember(Number(o.member)),
};

// The app sends several operations at once and reads the outcome of each from the body; the answer itself is always 200.
app.post('/api/app/batch', handle(async (req, res) => {
  const results = [];
  for (const o of req.body.ops || []) {
    try {
      results.push({ op: o.op, ok: true, data: await ops[o.op](o) });
    } catch (err) {
      log.error({ err, req: { id: req.get('x-request-id') }, op: o.op }, 'batch operation failed');
      results.push({ op: o.op, ok: false, error: { code: 'INTERNAL' } });
    }
  }
  res.json({ results });
}));

app.use((err, req, res, next) => {
  if (err.type === 'entity.parse.failed') return res.status(400).json({ error: 'bad json' });
  log.error({ err, req: { id: req.get('x-request-id'), method: req.method, url: req.originalUrl } }, 'request failed');
  return res.status(500).json({ error: 'internal error' });
});

const server = app.listen(Number(process.env.PORT), process.env.HOST, () => log.info({ port: Number(process.env.PORT) }, 'listening'));
server.keepAliveTimeout = 75000;
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections(); setTimeout(() => process.exit(0), 1500).unref(); });
