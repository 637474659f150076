package academy;

import com.sun.net.httpserver.HttpExchange;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Courses and enrolments. */
final class Courses {
  private final DatabasePool pool;

  Courses(DatabasePool pool) { this.pool = pool; }

  Http.Answer route(HttpExchange x) throws Exception {
    String[] p = x.getRequestURI().getPath().split("/");
    if (p.length == 2) {
      return list();
    }
    if (p.length == 4 && p[3].equals("progress")) {
      return progress(Long.parseLong(p[2]));
    }
    return course(Long.parseLong(p[2]));
  }

  private Http.Answer list() throws SQLException {
    try (Connection c = pool.borrow(); PreparedStatement q = c.prepareStatement("select id, title from courses order by id limit 25");
        ResultSet r = q.executeQuery()) {
      StringBuilder s = new StringBuilder("[");
      while (r.next()) {
        s.append(s.length() > 1 ? "," : "").append("{\"id\":").append(r.getLong(1)).append(",\"title\":\"").append(r.getString(2)).append("\"}");
      }
      return new Http.Answer(200, s.append(']').toString());
    }
  }

  private Http.Answer course(long id) throws SQLException {
    try (Connection c = pool.borrow(); PreparedStatement q = c.prepareStatement("select title, lessons from courses where id = ?")) {
      q.setLong(1, id);
      try (ResultSet r = q.executeQuery()) {
        return r.next() ? new Http.Answer(200, "{\"title\":\"" + r.getString(1) + "\",\"lessons\":" + r.getInt(2) + "}")
            : new Http.Answer(404, "{\"error\":\"NO_SUCH_COURSE\"}");
      }
    }
  }

  private Http.Answer progress(long learner) throws SQLException {
    try (Connection c = pool.borrow();
        PreparedStatement q = c.prepareStatement("select count(*), coalesce(max(lesson), 0) from lesson_views where learner_id = ?")) {
      q.setLong(1, learner);
      try (ResultSet r = q.executeQuery()) {
        r.next();
        return new Http.Answer(200, "{\"views\":" + r.getLong(1) + ",\"lesson\":" + r.getInt(2) + "}");
      }
    }
  }

  Http.Answer enrol(HttpExchange x) throws Exception {
    String body = new String(x.getRequestBody().readAllBytes());
    long learner = Long.parseLong(body.replaceAll(".*\"learner\":(\\d+).*", "$1"));
    try (Connection c = pool.borrow();
        PreparedStatement q = c.prepareStatement("insert into enrolments (learner_id, course_id) values (?, 1 + ? % 200) returning id")) {
      q.setLong(1, learner);
      q.setLong(2, learner);
      try (ResultSet r = q.executeQuery()) {
        r.next();
        return new Http.Answer(201, "{\"id\":" + r.getLong(1) + "}");
      }
    }
  }
}
