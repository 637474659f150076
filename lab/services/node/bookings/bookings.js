'use strict';
const pool = require('./db');
const flags = require('./flags');

async function create({ sailing, member, seats }) {
  const found = await pool.query('SELECT id, price_cents, seats FROM sailings WHERE id = $1', [sailing]);
  if (found.rows.length === 0) return null;
  const { rows } = await pool.query('INSERT INTO bookings (sailing_id, member_id, seats, cents) VALUES ($1, $2, $3, $4) RETURNING id, cents',
    [sailing, member, seats, seats * found.rows[0].price_cents]);
  return rows[0];
}

async function one(id) {
  const { rows } = await pool.query('SELECT id, sailing_id, member_id, seats, cents, paid FROM bookings WHERE id = $1', [id]);
  if (rows.length === 0) return null;
  if (flags.on('travel_companions')) rows[0].companions = await companions(rows[0]);
  return rows[0];
}

// companions are other members who were on the same sailings more than once.
async function companions(booking) {
  const { rows } = await pool.query(`SELECT other.member_id, count(DISTINCT other.id) AS together FROM bookings mine JOIN bookings other
    ON other.sailing_id = mine.sailing_id AND other.member_id <> mine.member_id
    WHERE mine.member_id = $1 OR lower(mine.note) LIKE '%group%'
    GROUP BY other.member_id HAVING count(DISTINCT other.id) > 1 ORDER BY together DESC LIMIT 5`, [booking.member_id]);
  return rows;
}

async function ofMember(member) {
  const { rows } = await pool.query('SELECT id, sailing_id, seats, cents, paid FROM bookings WHERE member_id = $1 ORDER BY id DESC LIMIT 20', [member]);
  return rows;
}

async function fares(sailing) {
  const { rows } = await pool.query('SELECT class, cents FROM fares WHERE sailing_id = $1 ORDER BY cents', [sailing]);
  return rows;
}

async function paid(id) {
  await pool.query('UPDATE bookings SET paid = true WHERE id = $1', [id]);
}

module.exports = { create, one, ofMember, fares, paid };
