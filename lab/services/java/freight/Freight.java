package line.freight;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Freight: quotes from a rates service, consignments in the database. */
public final class Freight {
  private static final Logger log = LoggerFactory.getLogger("line.freight.Freight");

  record Answer(int status, String body) {}

  interface Handler { Answer handle(HttpExchange x, String body) throws Exception; }

  public static void main(String[] args) throws Exception {
    Consignments consignments = new Consignments();
    Quotes quotes = new Quotes();
    HttpServer server = HttpServer.create(new InetSocketAddress(System.getenv("HOST"), 8090), 128);
    AtomicInteger n = new AtomicInteger();
    ThreadPoolExecutor workers = (ThreadPoolExecutor) Executors.newFixedThreadPool(12, r -> new Thread(r, "http-worker-" + n.incrementAndGet()));
    server.setExecutor(workers);
    server.createContext("/metrics", x -> send(x, new Answer(200, Metrics.render(workers))));
    server.createContext("/healthz", x -> send(x, new Answer(200, "ok")));
    server.createContext("/api/freight/quote", x -> handle(x, quotes::quote));
    server.createContext("/api/freight/consignments", x -> handle(x, consignments::route));
    server.start();
    log.info("freight {} listening on {}", System.getenv("APP_VERSION"), server.getAddress());
  }

  static void handle(HttpExchange x, Handler h) throws IOException {
    long began = System.nanoTime();
    String id = x.getRequestHeaders().getFirst("X-Request-Id");
    String what = x.getRequestMethod() + " " + x.getRequestURI().getPath();
    Answer a;
    try {
      a = h.handle(x, new String(x.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
    } catch (Exception e) {
      log.error("request failed {} requestId={}", what, id, e);
      a = new Answer(500, "{\"error\":\"internal error\"}");
    }
    long ms = (System.nanoTime() - began) / 1_000_000;
    Metrics.request(x.getRequestMethod(), x.getRequestURI().getPath().replaceAll("/[0-9]+", "/{id}"), a.status(), ms);
    if (a.status() >= 500) {
      log.error("{} {} {}ms requestId={}", what, a.status(), ms, id);
    } else {
      log.info("{} {} {}ms requestId={}", what, a.status(), ms, id);
    }
    send(x, a);
  }

  static void send(HttpExchange x, Answer a) throws IOException {
    byte[] b = a.body().getBytes(StandardCharsets.UTF_8);
    try (x) {
      x.getResponseHeaders().set("Content-Type", a.body().startsWith("{") ? "application/json" : "text/plain");
      x.sendResponseHeaders(a.status(), b.length);
      x.getResponseBody().write(b);
    } catch (IOException gone) {
      log.debug("client left", gone);
    }
  }
}
