package line.freight;

import com.sun.net.httpserver.HttpExchange;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;

/** Consignments in the database. */
final class Consignments {
  private final HikariDataSource source;

  Consignments() {
    HikariConfig c = new HikariConfig();
    c.setPoolName("freight-pool");
    c.setJdbcUrl(System.getenv("DATABASE_URL"));
    c.setUsername(System.getenv("DATABASE_USER"));
    c.setPassword(System.getenv("DATABASE_PASSWORD"));
    c.setMaximumPoolSize(5);
    c.setConnectionTimeout(4000);
    source = new HikariDataSource(c);
  }

  Freight.Answer route(HttpExchange x, String body) throws Exception {
    try (Connection db = source.getConnection()) {
      if (x.getRequestMethod().equals("POST")) {
        try (PreparedStatement s = db.prepareStatement("insert into consignments (country, kilos, label) values ('SE', ?, ?) returning id")) {
          s.setInt(1, body.length());
          s.setString(2, "L" + System.nanoTime());
          ResultSet r = s.executeQuery();
          r.next();
          return new Freight.Answer(201, "{\"id\":" + r.getLong(1) + "}");
        }
      }
      try (PreparedStatement s = db.prepareStatement("select id, label from consignments where id = ?")) {
        s.setInt(1, Integer.parseInt(x.getRequestURI().getPath().replaceAll(".*/", "")));
        ResultSet r = s.executeQuery();
        if (!r.next()) {
          return new Freight.Answer(404, "{\"error\":\"no such consignment\"}");
        }
        return new Freight.Answer(200, "{\"id\":" + r.getLong(1) + ",\"label\":\"" + r.getString(2) + "\"}");
      }
    }
  }
}
