'use strict';
const Fastify = require('fastify');
const Redis = require('ioredis');
const prom = require('prom-client');
const address = require('./address');
const routing = require('./routing');

prom.collectDefaultMetrics();
const seconds = new prom.Histogram({ name: 'http_request_duration_seconds', help: 'Time to answer', labelNames: ['method', 'route', 'status_code'], buckets: [0.02, 0.1, 0.5, 1, 3, 8] });
const app = Fastify({ logger: { base: { svc: process.env.SERVICE_NAME }, level: 'info' }, requestIdHeader: 'x-request-id', genReqId: () => Math.random().toString(36).slice(2, 10) });
const kv = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: 2, commandTimeout: 2000, connectionName: process.env.SERVICE_NAME });
kv.on('error', (err) => app.log.warn({ err: { message: err.message, code: err.code } }, 'kv connection'));

app.addHook('onResponse', async (req, reply) => {
  if (req.url !== '/metrics') seconds.observe({ method: req.method, route: req.routeOptions.url || 'none', status_code: reply.statusCode }, reply.elapsedTime / 1000);
});
app.get('/metrics', { logLevel: 'silent' }, async (req, reply) => reply.type('text/plain').send(await prom.register.metrics()));
app.get('/ready', { logLevel: 'silent' }, async () => ({ ready: true }));

app.get('/lockers/:id', async (req, reply) => {
  const id = Number(req.params.id);
  if (id > 900) return reply.code(404).send({ message: 'no such locker' });
  const held = await kv.hlen(`held:${id}`);
  return { id, boxes: 24, free: Math.max(0, 24 - held) };
});

app.post('/lockers/:id/holds', async (req, reply) => {
  const { parcel } = req.body;
  await kv.hset(`held:${req.params.id}`, parcel, new Date().toISOString());
  await kv.expire(`held:${req.params.id}`, 900);
  return reply.code(201).send({ parcel, code: Math.floor(Math.random() * 1e6) });
});

app.post('/addresses/check', async (req) => ({ valid: address.valid(req.body.line) }));

app.get('/lockers/:id/way', async (req) => routing.way(req.log, Number(req.params.id)));

app.listen({ host: process.env.HOST, port: Number(process.env.PORT) }).catch((err) => { app.log.fatal(err); process.exit(1); });
