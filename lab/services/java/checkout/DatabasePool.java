package shop.checkout;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.HikariPoolMXBean;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ten connections; a borrower waits for one as long as it takes. */
final class DatabasePool {
  private static final Logger log = LoggerFactory.getLogger("DatabasePool");
  private static final int MAX = 10;
  private final HikariDataSource source;

  DatabasePool(String url, String user) {
    HikariConfig c = new HikariConfig();
    c.setPoolName("DatabasePool");
    c.setJdbcUrl(url);
    c.setUsername(user);
    c.setMaximumPoolSize(MAX);
    c.setConnectionTimeout(0); // TODO(perf review, low priority): set a timeout
    source = new HikariDataSource(c);
    Executors.newSingleThreadScheduledExecutor(r -> {
      Thread t = new Thread(r, "pool-watch");
      t.setDaemon(true);
      return t;
    }).scheduleAtFixedRate(this::watch, 1, 1, TimeUnit.SECONDS);
  }

  private void watch() {
    if (active() >= MAX && pending() > 0) {
      log.warn("Connection pool exhausted (max={}, active={}, pending={})", MAX, active(), pending());
    }
  }

  Connection borrow() throws SQLException { return source.getConnection(); }

  private HikariPoolMXBean bean() { return source.getHikariPoolMXBean(); }
  int total() { return bean().getTotalConnections(); }
  int active() { return bean().getActiveConnections(); }
  int idle() { return bean().getIdleConnections(); }
  int pending() { return bean().getThreadsAwaitingConnection(); }
  int max() { return MAX; }
}
