'use strict';
const { Pool } = require('pg');
const logger = require('./logger');

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: Number(process.env.POOL || 6), connectionTimeoutMillis: 3000, idleTimeoutMillis: 2000, application_name: 'menu' });
pool.on('error', (e) => logger.warn('menu.db', `idle connection lost: ${e.message}`));

async function menu(id) {
  const { rows } = await pool.query('select id, title, cents from dishes where restaurant_id = $1 order by id limit 12', [id]);
  return rows.length > 0 ? rows : null;
}

async function hours(id) {
  const { rows } = await pool.query('select name, opens from restaurants where id = $1', [id]);
  if (rows.length === 0) return null;
  return { name: rows[0].name, today: `${rows[0].opens.from}:00-${rows[0].opens.to}:00` };
}

async function basket(body) {
  const { rows } = await pool.query('insert into baskets (restaurant_id, lines) values ($1, $2) returning id', [body.restaurant, JSON.stringify(body.lines)]);
  return { basket: rows[0].id };
}

async function show(id) {
  const { rows } = await pool.query('select id, restaurant_id, lines from baskets where id = $1', [id]);
  return rows[0] || null;
}

module.exports = { menu, hours, basket, show, pool };
