'use strict';
const { Pool } = require('pg');
const { client } = require('./metrics');

const pool = new Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.DB_POOL_MAX || 10),
  connectionTimeoutMillis: Number(process.env.DB_CONNECT_TIMEOUT_MS || 3000),
  statement_timeout: Number(process.env.DB_STATEMENT_TIMEOUT_MS || 0) || undefined,
});
pool.on('error', () => {});

new client.Gauge({
  name: 'pg_pool_connections', help: 'Pool', labelNames: ['state'],
  collect() {
    this.set({ state: 'total' }, pool.totalCount);
    this.set({ state: 'idle' }, pool.idleCount);
    this.set({ state: 'waiting' }, pool.waitingCount);
    this.set({ state: 'max' }, pool.options.max);
  },
});

module.exports = { pool, query: (text, values) => pool.query(text, values) };
