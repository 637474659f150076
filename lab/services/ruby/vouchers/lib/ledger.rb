# frozen_string_literal: true

# What was sold and used, in PostgreSQL.
module Ledger
  POOL = Queue.new
  Integer(ENV.fetch('DB_CONNECTIONS', '6')).times { POOL << PG.connect(ENV.fetch('DATABASE_URL')) }

  module_function

  def query(sql, args = [])
    conn = POOL.pop
    conn.exec_params(sql, args).to_a
  ensure
    POOL << conn if conn
  end

  def rooms = query('SELECT room, count(*) AS sold FROM vouchers WHERE sold_at > now() - interval \'3 hours\' GROUP BY room ORDER BY 2 DESC LIMIT 12')

  def find(code) = query('SELECT code, room, cents, used_at FROM vouchers WHERE code = $1', [code]).first

  def sell(room, cents)
    code = SecureRandom.hex(4)
    row = query('INSERT INTO vouchers (code, room, cents) VALUES ($1, $2, $3) RETURNING id, code', [code, room, cents]).first
    query('INSERT INTO audit_entries (voucher_id, what) VALUES ($1, $2)', [row['id'], 'sold'])
    row
  end

  def redeem(code)
    row = query('UPDATE vouchers SET used_at = now() WHERE code = $1 AND used_at IS NULL RETURNING id, code', [code]).first
    query('INSERT INTO audit_entries (voucher_id, what) VALUES ($1, $2)', [row['id'], 'redeemed']) if row
    row
  end
end
