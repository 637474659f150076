'use strict';
const Fastify = require('fastify');
const prom = require('prom-client');

prom.collectDefaultMetrics();
const resolved = new prom.Counter({ name: 'graphql_operations_total', help: 'Operations by outcome', labelNames: ['operation', 'outcome'] });
const app = Fastify({ logger: { base: undefined, timestamp: () => `,"time":"${new Date().toISOString()}"`, formatters: { level: (l) => ({ level: l.toUpperCase() }) } }, requestIdHeader: 'x-request-id', disableRequestLogging: true });
const { PLAYS_URL, PLAYS_KEY } = process.env;

async function plays(path, init = {}) {
  const res = await fetch(PLAYS_URL + path, { ...init, headers: { 'x-api-key': PLAYS_KEY, 'content-type': 'application/json' }, signal: AbortSignal.timeout(3000) });
  if (res.status === 404) return null;
  if (!res.ok) {
    const err = new Error(`${init.method || 'GET'} ${path.split('?')[0]}: upstream said ${res.status} ${(await res.text()).trim()}`);
    err.extensions = { code: 'UPSTREAM', service: 'plays', status: res.status };
    throw err;
  }
  return res.json();
}

const operations = {
  Charts: (v) => plays(`/charts/${v.country}`),
  Listener: (v) => plays(`/listeners/${v.id}`),
  AddPlay: (v) => plays('/plays', { method: 'POST', body: JSON.stringify(v) }),
  Viewer: async () => ({ name: 'guest' }),
};

app.get('/metrics', async (req, reply) => reply.type('text/plain').send(await prom.register.metrics()));
app.post('/graphql', async (req) => {
  const { operationName: op, variables } = req.body;
  const began = process.hrtime.bigint();
  try {
    const data = await operations[op](variables || {});
    resolved.inc({ operation: op, outcome: 'ok' });
    return { data: { [op]: data } };
  } catch (err) {
    resolved.inc({ operation: op, outcome: 'error' });
    req.log.error({ op, errors: [{ message: err.message, path: [op], extensions: err.extensions }] }, 'GraphQL operation returned errors');
    return { data: { [op]: null }, errors: [{ message: 'Something went wrong', path: [op] }] };
  } finally {
    req.log.info({ op, reqId: req.id, took: Number((process.hrtime.bigint() - began) / 1000000n) }, 'operation');
  }
});

app.listen({ host: process.env.HOST, port: Number(process.env.PORT) });
