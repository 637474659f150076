'use strict';
const client = require('prom-client');

client.collectDefaultMetrics({ prefix: '' });

const requests = new client.Histogram({
  name: 'http_request_duration_seconds',
  help: 'Time to answer',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.1, 1, 5],
});

module.exports = { client, requests };
