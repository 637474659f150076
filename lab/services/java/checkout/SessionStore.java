package shop.checkout;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A checkout session lives for eight seconds from the moment the shop issued its token. */
final class SessionStore {
  private static final Logger log = LoggerFactory.getLogger("SessionStore");
  private static final long LIFETIME_MS = 8_000;
  private final DatabasePool pool;

  SessionStore(DatabasePool pool) { this.pool = pool; }

  /** The account behind a token "accountId.issuedMillis"; null when the session is over. */
  UserAccount load(String token) throws SQLException {
    int dot = token.indexOf('.');
    try (Connection c = pool.borrow();
        PreparedStatement q = c.prepareStatement("select id, email, balance from accounts where id = ?")) {
      if (System.currentTimeMillis() - Long.parseLong(token.substring(dot + 1)) > LIFETIME_MS) {
        log.warn("session of account {} expired mid-checkout", token.substring(0, dot));
        return null;
      }
      q.setLong(1, Long.parseLong(token.substring(0, dot)));
      try (ResultSet r = q.executeQuery()) {
        return r.next() ? new UserAccount(r.getLong(1), r.getString(2), r.getLong(3)) : null;
      }
    }
  }
}
