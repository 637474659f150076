'use strict';
const db = require('./db');
const cache = require('./cache');

async function list() {
  return cache.remember('events:list', 5, async () => {
    const { rows } = await db.query('select id, name, venue, starts_at, price_cents from events order by starts_at limit 20');
    return rows;
  });
}

async function get(id) {
  return cache.remember(`events:${id}`, 5, async () => {
    const { rows } = await db.query('select id, name, venue, starts_at, price_cents, seats_left from events where id = $1', [id]);
    return rows[0] || null;
  });
}

module.exports = { list, get };
