package shop.checkout;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Orders in PostgreSQL. */
final class OrderRepository {
  private final DatabasePool pool;

  OrderRepository(DatabasePool pool) { this.pool = pool; }

  long insert(String email, long cents) throws SQLException {
    try (Connection c = pool.borrow();
        PreparedStatement q = c.prepareStatement("insert into orders (customer_email, cents) values (?, ?) returning id")) {
      q.setString(1, email);
      q.setLong(2, cents);
      try (ResultSet r = q.executeQuery()) {
        r.next();
        return r.getLong(1);
      }
    }
  }

  /** Loyalty points are a share of what the customer spent this year. */
  String loyalty(String email) throws SQLException {
    try (Connection c = pool.borrow();
        PreparedStatement q = c.prepareStatement(
            "select count(*), coalesce(sum(cents), 0) from orders where customer_email = ? and placed_at > now() - interval '365 days'")) {
      q.setString(1, email);
      try (ResultSet r = q.executeQuery()) {
        r.next();
        return "{\"orders\":" + r.getLong(1) + ",\"points\":" + r.getLong(2) / 100 + "}";
      }
    }
  }

  String cart(long id) throws SQLException {
    try (Connection c = pool.borrow();
        PreparedStatement q = c.prepareStatement("select sku, quantity from cart_items where cart_id = ?")) {
      q.setLong(1, id);
      StringBuilder s = new StringBuilder("[");
      try (ResultSet r = q.executeQuery()) {
        while (r.next()) {
          s.append(s.length() > 1 ? "," : "").append("{\"sku\":\"").append(r.getString(1)).append("\",\"quantity\":").append(r.getInt(2)).append('}');
        }
      }
      return s.append(']').toString();
    }
  }
}
