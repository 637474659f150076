package academy;

import com.sun.net.httpserver.HttpExchange;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;

/** Certificates of finished courses. */
final class Certificates {
  private final DatabasePool pool;

  Certificates(DatabasePool pool) { this.pool = pool; }

  Http.Answer route(HttpExchange x) throws Exception {
    String path = x.getRequestURI().getPath();
    long id = Long.parseLong(path.substring(path.lastIndexOf('/') + 1));
    try (Connection c = pool.borrow(); PreparedStatement q = c.prepareStatement("select learner_id, course_id from enrolments where id = ?")) {
      q.setLong(1, id);
      try (ResultSet r = q.executeQuery()) {
        if (!r.next()) {
          return new Http.Answer(404, "{\"error\":\"NOT_ENROLLED\"}");
        }
        return new Http.Answer(200, Signature.seal("{\"learner\":" + r.getLong(1) + ",\"course\":" + r.getLong(2) + "}"));
      }
    }
  }
}
