'use strict';
const mysql = require('mysql2/promise');

const pool = mysql.createPool({ host: process.env.DB_HOST, user: process.env.DB_USER, password: process.env.DB_PASSWORD, database: process.env.DB_NAME, connectionLimit: 8 });

async function bouquets() {
  const [rows] = await pool.query('select id, name, cents from bouquets order by id limit 30');
  return rows;
}

async function order(id) {
  const [rows] = await pool.query('select id, bouquet_id, street, state from orders where id = ?', [id]);
  return rows[0];
}

async function place({ bouquet, street }) {
  const [result] = await pool.query('insert into orders (bouquet_id, street, state) values (?, ?, ?)', [bouquet, street, 'new']);
  return result.insertId;
}

module.exports = { bouquets, order, place };
