'use strict';
const http = require('node:http');

const agent = new http.Agent({ keepAlive: true, maxSockets: 50 });

function charge(order, card) {
  const url = new URL('/v2/charges', process.env.PAYMENT_URL);
  return post(url, { amount: order.total_cents, card });
}

function post(url, body) {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { method: 'POST', agent, timeout: Number(process.env.PAYMENT_TIMEOUT_MS || 4000), headers: { 'content-type': 'application/json' } }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (d) => { text += d; });
      res.on('end', () => {
        if (res.statusCode >= 300) {
          reject(new Error(`payment provider answered ${res.statusCode}: ${text.slice(0, 120)}`));
          return;
        }
        try { resolve(JSON.parse(text)); } catch (err) { reject(err); }
      });
    });
    req.on('timeout', () => req.destroy(new Error(`no answer from ${url.host} within ${req.timeout || 4000} ms`)));
    req.on('error', reject);
    req.end(JSON.stringify(body));
  });
}

module.exports = { charge, post };
