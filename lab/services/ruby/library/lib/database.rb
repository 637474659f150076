# frozen_string_literal: true

# A small pool of connections.
class Database
  SIZE = Integer(ENV.fetch('DB_POOL', '5'))
  POOL = Queue.new
  MUTEX = Mutex.new
  @made = 0
  @active = 0
  @queries = 0

  class << self
    def query(sql, args = [])
      with { |c| c.exec_params(sql, args).to_a }
    end

    def with
      conn = checkout
      @active += 1
      yield conn
    rescue PG::ConnectionBad, PG::UnableToSend
      conn&.close rescue nil
      conn = nil
      MUTEX.synchronize { @made -= 1 }
      raise
    ensure
      @active -= 1 if conn
      POOL << conn if conn
    end

    def checkout
      return POOL.pop(true) if POOL.size.positive?

      make = MUTEX.synchronize { @made < SIZE && (@made += 1) }
      return POOL.pop unless make

      begin
        PG.connect(ENV.fetch('DATABASE_URL'))
      rescue PG::Error
        MUTEX.synchronize { @made -= 1 }
        raise
      end
    rescue ThreadError
      retry
    end

    def metrics
      fds = Dir.children('/proc/self/fd').size
      rss = File.read('/proc/self/status')[/VmRSS:\s+(\d+)/, 1].to_i * 1024
      "# TYPE db_pool_connections gauge\ndb_pool_connections{state=\"active\"} #{@active}\ndb_pool_connections{state=\"max\"} #{SIZE}\n" \
        "# TYPE process_open_fds gauge\nprocess_open_fds #{fds}\n# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes #{rss}\n"
    end
  end
end
