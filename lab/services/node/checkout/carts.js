'use strict';
const db = require('./db');
const flags = require('./flags');
const promo = require('./promo');

async function create({ user, product, quantity, coupon }) {
  const found = await db.query('SELECT id, name, price_cents FROM products WHERE id = $1', [product]);
  if (found.rows.length === 0) return null;
  const price = found.rows[0].price_cents * quantity;
  const off = await promo.discount(coupon, price);
  const { rows } = await db.query('INSERT INTO carts (user_id, product_id, quantity, total_cents) VALUES ($1, $2, $3, $4) RETURNING id, total_cents',
    [user, product, quantity, price - off]);
  const cart = rows[0];
  if (flags.on('coupon_suggestions')) cart.suggested = await promo.suggest(price);
  return cart;
}

async function load(id) {
  const { rows } = await db.query('SELECT c.id, c.user_id, c.quantity, c.total_cents, p.name FROM carts c JOIN products p ON p.id = c.product_id WHERE c.id = $1', [id]);
  return rows[0] || null;
}

module.exports = { create, load };
