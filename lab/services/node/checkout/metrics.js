'use strict';
const prom = require('prom-client');

prom.collectDefaultMetrics();
const seconds = new prom.Histogram({ name: 'http_request_duration_seconds', help: 'Duration of requests', labelNames: ['method', 'route', 'status'], buckets: [0.05, 0.5, 2, 5, 10] });
const db = new prom.Histogram({ name: 'db_query_duration_seconds', help: 'Duration of queries, the wait for a connection included', labelNames: ['outcome'], buckets: [0.01, 0.1, 1, 5] });
const payment = new prom.Histogram({ name: 'payment_request_duration_seconds', help: 'Duration of calls to the payment provider', labelNames: ['outcome'], buckets: [0.1, 0.5, 2, 5] });
const orders = new prom.Counter({ name: 'orders_total', help: 'Orders', labelNames: ['channel', 'outcome'] });

function pool(p) {
  const gauge = (name, help, value) => new prom.Gauge({ name, help, collect() { this.set(value()); } });
  gauge('pg_pool_total_connections', 'Open', () => p.totalCount);
  gauge('pg_pool_idle_connections', 'Idle', () => p.idleCount);
  gauge('pg_pool_waiting_requests', 'Waiting', () => p.waitingCount);
  gauge('pg_pool_max_connections', 'Limit', () => p.options.max);
}

module.exports = { prom, seconds, db, payment, orders, pool };
