'use strict';
const db = require('./db');
const carts = require('./carts');
const payments = require('./payments');
const metrics = require('./metrics');

// place charges the card for a cart and keeps the order.
async function place(cartId, card, channel) {
  const cart = await carts.load(cartId);
  if (!cart) return { status: 400, body: { error: 'no such cart' } };
  const charge = await payments.charge(cart, card);
  if (charge.declined) {
    metrics.orders.inc({ channel, outcome: 'declined' });
    return { status: 402, body: { error: 'card declined' } };
  }
  const { rows } = await db.query('INSERT INTO orders (user_id, cents, payment_id) VALUES ($1, $2, $3) RETURNING id', [cart.user_id, cart.total_cents, charge.id]);
  metrics.orders.inc({ channel, outcome: 'placed' });
  return { status: 201, body: { order: rows[0].id } };
}

async function ofUser(user) {
  const { rows } = await db.query(`SELECT o.id, o.cents, o.created_at, (SELECT count(*) FROM order_lines l WHERE l.order_id = o.id) AS lines
    FROM orders o WHERE o.user_id = $1 ORDER BY o.id DESC LIMIT 20`, [user]);
  return rows;
}

module.exports = { place, ofUser };
