package academy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.HikariPoolMXBean;
import java.sql.Connection;
import java.sql.SQLException;

/** Ten connections. */
final class DatabasePool {
  private static final int MAX = 10;
  private final HikariDataSource source;

  DatabasePool(String url, String user) {
    HikariConfig c = new HikariConfig();
    c.setPoolName("academy-pool");
    c.setJdbcUrl(url);
    c.setUsername(user);
    c.setMaximumPoolSize(MAX);
    c.setConnectionTimeout(4000);
    c.setValidationTimeout(1000);
    source = new HikariDataSource(c);
  }

  Connection borrow() throws SQLException { return source.getConnection(); }

  private HikariPoolMXBean bean() { return source.getHikariPoolMXBean(); }
  int total() { return bean().getTotalConnections(); }
  int active() { return bean().getActiveConnections(); }
  int idle() { return bean().getIdleConnections(); }
  int pending() { return bean().getThreadsAwaitingConnection(); }
  int max() { return MAX; }
}
