'use strict';
const { Pool } = require('pg');
const log = require('./log');
const metrics = require('./metrics');

const pool = new Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.DB_POOL_MAX || 8),
  connectionTimeoutMillis: 5000,
  idleTimeoutMillis: Number(process.env.DB_IDLE_MS || 30000),
  application_name: process.env.INSTANCE,
});
pool.on('error', (err) => log.warn({ err }, 'idle client error'));
metrics.pool(pool);

async function query(text, values) {
  const end = metrics.db.startTimer();
  try {
    const result = await pool.query(text, values);
    end({ outcome: 'ok' });
    return result;
  } catch (err) {
    end({ outcome: 'error' });
    throw err;
  }
}

module.exports = { query };
