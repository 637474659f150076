'use strict';
const db = require('./db');

// discount is what a coupon takes off, in cents; an unknown code takes off nothing.
async function discount(code, cents) {
  if (!code) return 0;
  const { rows } = await db.query('SELECT code, percent FROM coupons WHERE code = $1', [code]);
  if (rows.length === 0) return 0;
  return Math.round((cents * rows[0].percent) / 100);
}

// suggest finds the codes that together take off the most without going over half the price.
async function suggest(cents) {
  const { rows } = await db.query('SELECT code, percent FROM coupons ORDER BY code LIMIT 23');
  let best = { off: 0, codes: [] };
  for (let set = 1; set < 1 << rows.length; set += 1) {
    const codes = [];
    let off = 0;
    rows.forEach((c, i) => {
      if (set & (1 << i)) {
        codes.push(c.code);
        off += Math.round((cents * c.percent) / 100);
      }
    });
    if (off <= cents / 2 && off > best.off) best = { off, codes };
  }
  return best.codes;
}

module.exports = { discount, suggest };
