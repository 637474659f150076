'use strict';
const { Pool } = require('pg');
const log = require('./log');
const metrics = require('./metrics');

const pool = new Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.DB_POOL_MAX || 8),
  connectionTimeoutMillis: 4000,
  idleTimeoutMillis: 20000,
  application_name: process.env.INSTANCE,
});
pool.on('error', (err) => log.warn({ err }, 'idle database connection lost'));
metrics.pool(pool);

module.exports = pool;
