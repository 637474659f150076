'use strict';
const prom = require('prom-client');

prom.collectDefaultMetrics();
const requests = new prom.Counter({ name: 'http_requests_total', help: 'Requests', labelNames: ['method', 'route', 'status'] });
const seconds = new prom.Histogram({ name: 'http_request_duration_seconds', help: 'Duration', labelNames: ['route'], buckets: [0.05, 0.5, 2, 5, 10] });
const payments = new prom.Counter({ name: 'payments_total', help: 'Payments', labelNames: ['outcome'] });

function pool(p) {
  const gauge = (name, help, value) => new prom.Gauge({ name, help, collect() { this.set(value()); } });
  gauge('pg_pool_total_connections', 'Open', () => p.totalCount);
  gauge('pg_pool_idle_connections', 'Idle', () => p.idleCount);
  gauge('pg_pool_waiting_requests', 'Waiting', () => p.waitingCount);
  gauge('pg_pool_max_connections', 'Limit', () => p.options.max);
}

module.exports = { prom, requests, seconds, payments, pool };
