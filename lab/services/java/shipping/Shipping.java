package com.shop.shipping;

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

/** Shipping: quotes from the carrier, labels in the database and on disk. */
public final class Shipping {
  private static final Logger log = LoggerFactory.getLogger("com.shop.shipping.Shipping");

  record Answer(int status, String body) {}

  interface Handler { Answer handle(String body) throws Exception; }

  static String env(String name, String otherwise) {
    String v = System.getenv(name);
    return v == null ? otherwise : v;
  }

  public static void main(String[] args) throws Exception {
    LabelService labels = new LabelService();
    QuoteService quotes = new QuoteService();
    String host = System.getenv("HOST");
    HttpServer server = HttpServer.create(new InetSocketAddress(host, 8090), 256);
    AtomicInteger n = new AtomicInteger();
    ThreadPoolExecutor workers = (ThreadPoolExecutor) Executors.newFixedThreadPool(Integer.parseInt(env("HTTP_WORKERS", "12")), r -> new Thread(r, "http-worker-" + n.incrementAndGet()));
    server.setExecutor(workers);
    server.createContext("/healthz", x -> send(x, new Answer(200, "ok")));
    server.createContext("/api/shipping/quote", x -> route(x, quotes::quote));
    server.createContext("/api/shipping/labels", x -> route(x, labels::create));
    server.start();
    HttpServer metrics = HttpServer.create(new InetSocketAddress(host, 8091), 16);
    metrics.createContext("/metrics", x -> send(x, new Answer(200, Metrics.render(workers))));
    metrics.start();
    log.info("shipping {} listening on {}, {} workers", System.getenv("APP_VERSION"), server.getAddress(), workers.getMaximumPoolSize());
  }

  static void route(HttpExchange x, Handler h) throws IOException {
    long began = System.nanoTime();
    String id = x.getRequestHeaders().getFirst("X-Request-Id");
    String what = x.getRequestMethod() + " " + x.getRequestURI().getPath();
    Answer a;
    try {
      a = h.handle(new String(x.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
    } catch (Exception e) {
      log.error("request failed {} requestId={}", what, id, e);
      a = new Answer(500, "{\"error\":\"internal error\"}");
    }
    long ms = (System.nanoTime() - began) / 1_000_000;
    Metrics.request(x.getRequestURI().getPath(), a.status(), ms);
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
