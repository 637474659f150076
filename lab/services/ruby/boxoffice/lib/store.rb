# frozen_string_literal: true

# One MariaDB connection for each thread, as many servers do.
module Store
  def self.db
    Thread.current[:db] ||= Mysql2::Client.new(host: ENV.fetch('DB_HOST'), username: ENV.fetch('DB_USER'), password: ENV.fetch('DB_PASSWORD'), database: ENV.fetch('DB_NAME'),
                                               reconnect: true, connect_timeout: 3, read_timeout: 15, init_command: 'set innodb_lock_wait_timeout = 3')
  end

  def self.rows(sql, *args)
    statement = db.prepare(sql)
    statement.execute(*args).to_a
  ensure
    statement&.close
  end

  def self.transaction
    db.query('begin')
    result = yield
    db.query('commit')
    result
  rescue StandardError
    db.query('rollback')
    raise
  end
end
