'use strict';
const https = require('node:https');
const fs = require('node:fs');
const metrics = require('./metrics');

const ca = process.env.PAY_CA ? fs.readFileSync(process.env.PAY_CA) : undefined;
const agent = new https.Agent({ keepAlive: false, ca });

function post(url, body, headers) {
  return new Promise((resolve, reject) => {
    const req = https.request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json', ...headers }, timeout: 6000 }, (res) => {
      let text = '';
      res.on('data', (d) => { text += d; });
      res.on('end', () => resolve({ status: res.statusCode, text }));
    });
    req.on('timeout', () => req.destroy(new Error(`payment provider gave no answer within 6000 ms`)));
    req.on('error', reject);
    req.end(JSON.stringify(body));
  });
}

function credentials() {
  const key = process.env.PAY_SECRET_KEY;
  if (!key) throw new Error('cannot sign charge: PAY_SECRET_KEY is not set');
  return { authorization: `Bearer ${key}` };
}

async function charge(booking, card) {
  if (card === 'tok_declined') {
    metrics.payments.inc({ outcome: 'declined' });
    return { declined: true };
  }
  const res = await post(`${process.env.PAY_URL}/v2/charges`, { reference: booking.id, cents: booking.cents, card }, credentials());
  if (res.status !== 200) {
    metrics.payments.inc({ outcome: 'error' });
    throw new Error(`payment provider answered ${res.status}: ${res.text.trim().slice(0, 200)}`);
  }
  metrics.payments.inc({ outcome: 'ok' });
  return { charge: JSON.parse(res.text).id };
}

module.exports = { charge };
