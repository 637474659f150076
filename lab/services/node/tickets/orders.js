'use strict';
const db = require('./db');
const events = require('./events');
const payments = require('./payments');
const analytics = require('./analytics');

async function price(order) {
  const event = await events.get(order.eventId);
  if (!event) return null;
  let total = event.price_cents * order.seats;
  if (order.coupon) {
    const { rows } = await db.query('select code, percent from coupons where code = $1', [order.coupon]);
    if (rows.length > 0) total -= Math.round((total * rows[0].percent) / 100);
  }
  return total;
}

async function place(order) {
  const total = await price(order);
  if (total === null) return { status: 404, body: { error: 'NO_SUCH_EVENT' } };
  const { rows } = await db.query(
    'insert into orders (event_id, seats, email, total_cents) values ($1, $2, $3, $4) returning id',
    [order.eventId, order.seats, order.email, total]);
  analytics.track('order_placed', { id: rows[0].id });
  return { status: 201, body: { id: rows[0].id, total } };
}

async function get(id) {
  const { rows } = await db.query('select id, event_id, seats, total_cents, state from orders where id = $1', [id]);
  return rows[0] || null;
}

async function pay(id, card) {
  const order = await get(id);
  if (!order) return { status: 404, body: { error: 'NO_SUCH_ORDER' } };
  const receipt = await payments.charge(order, card);
  await db.query('update orders set state = $2 where id = $1', [id, 'paid']);
  return { status: 200, body: { id, receipt: receipt.id } };
}

module.exports = { place, get, pay };
