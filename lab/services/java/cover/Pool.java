package cover;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.HikariPoolMXBean;

/** Eight connections to MariaDB. */
final class Pool {
  static final int MAX = 8;
  private static HikariDataSource source;

  static HikariDataSource open() {
    HikariConfig c = new HikariConfig();
    c.setPoolName("cover");
    c.setJdbcUrl(System.getenv("JDBC_URL"));
    c.setUsername(System.getenv("DB_USER"));
    c.setPassword(System.getenv("DB_PASSWORD"));
    c.setMaximumPoolSize(MAX);
    c.setConnectionTimeout(4000);
    source = new HikariDataSource(c);
    return source;
  }

  static HikariPoolMXBean bean() {
    return source.getHikariPoolMXBean();
  }
}
