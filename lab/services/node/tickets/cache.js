'use strict';
const Redis = require('ioredis');
const log = require('./log');

const redis = process.env.REDIS_URL
  ? new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: 1, commandTimeout: 300, enableOfflineQueue: false, lazyConnect: false })
  : null;
if (redis) redis.on('error', () => {});

async function remember(key, seconds, load) {
  if (!redis) return load();
  try {
    const hit = await redis.get(key);
    if (hit) return JSON.parse(hit);
  } catch (err) {
    log.warn({ err: { type: err.name, message: err.message }, key }, 'cache read failed, falling back to database');
  }
  const value = await load();
  redis.set(key, JSON.stringify(value), 'EX', seconds).catch(() => {});
  return value;
}

module.exports = { remember };
