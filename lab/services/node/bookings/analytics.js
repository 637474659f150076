'use strict';
const log = require('./log');

let events = 0;
async function flush() {
  try {
    await fetch(process.env.ANALYTICS_URL, { method: 'POST', body: JSON.stringify({ events }) });
    events = 0;
  } catch (e) {
    log.error({ err: e.cause || e, pending: events }, 'analytics flush failed, will retry');
  }
}
if (process.env.ANALYTICS_URL) setInterval(flush, 37000).unref();

module.exports = { count: () => { events += 1; } };
