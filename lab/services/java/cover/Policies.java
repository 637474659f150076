package cover;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Contracts. */
final class Policies extends HttpServlet {
  private static final Logger log = LoggerFactory.getLogger(Policies.class);
  private final DataSource source;

  Policies(DataSource source) {
    this.source = source;
  }

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response) throws ServletException, IOException {
    String path = request.getPathInfo();
    try (Connection c = source.getConnection(); PreparedStatement q = c.prepareStatement("select holder, age from policies where id = ?")) {
      q.setLong(1, Long.parseLong(path.substring(1)));
      try (ResultSet r = q.executeQuery()) {
        if (!r.next()) {
          response.setStatus(404);
          return;
        }
        response.setContentType("application/json");
        response.getWriter().print("{\"holder\":\"" + r.getString(1) + "\",\"age\":" + r.getInt(2) + "}");
      }
    } catch (SQLException e) {
      throw new ServletException(e);
    }
  }

  @Override
  protected void doPost(HttpServletRequest request, HttpServletResponse response) throws ServletException, IOException {
    String body = new String(request.getInputStream().readAllBytes());
    int age = Integer.parseInt(body.replaceAll(".*\"age\":(\\d+).*", "$1"));
    try (Connection c = source.getConnection(); PreparedStatement q = c.prepareStatement("insert into policies (holder, age) values (?, ?)")) {
      q.setString(1, "holder " + age);
      q.setInt(2, age);
      q.executeUpdate();
      response.setStatus(201);
      response.setContentType("application/json");
      response.getWriter().print("{\"ok\":true}");
      log.info("policy for age {} written", age);
    } catch (SQLException e) {
      throw new ServletException(e);
    }
  }
}
