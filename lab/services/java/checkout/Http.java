package shop.checkout;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What every request passes through: the answer, its metrics, and the handler of last resort. */
final class Http {
  private static final Logger log = LoggerFactory.getLogger("CheckoutService");

  record Answer(int status, String body) {}

  interface Handler { Answer handle(HttpExchange x) throws Exception; }

  static void handle(HttpExchange x, Handler h) throws IOException {
    long began = System.nanoTime();
    Answer a;
    try {
      a = h.handle(x);
    } catch (Exception e) {
      String errorId = "ERR-" + Long.toHexString(System.nanoTime()).toUpperCase();
      log.error("Unhandled exception during {} {} requestId={} errorId={}", x.getRequestMethod(), x.getRequestURI().getPath(),
          x.getRequestHeaders().getFirst("X-Request-Id"), errorId, e);
      a = new Answer(500, "{\"error\":\"Something went wrong. Please try again.\",\"errorId\":\"" + errorId + "\"}");
    }
    Metrics.request(x.getRequestMethod(), Metrics.route(x.getRequestURI().getPath()), a.status(), (System.nanoTime() - began) / 1e9);
    send(x, a.status(), a.body());
  }

  static void send(HttpExchange x, int status, String body) throws IOException {
    byte[] b = body.getBytes(StandardCharsets.UTF_8);
    try (x) {
      x.getRequestBody().readAllBytes();
      x.getResponseHeaders().set("Content-Type", body.startsWith("#") ? "text/plain" : "application/json");
      x.sendResponseHeaders(status, b.length);
      x.getResponseBody().write(b);
    } catch (IOException gone) {
      log.debug("client left: {}", gone.getMessage());
    }
  }
}
