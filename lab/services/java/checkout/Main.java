package shop.checkout;

import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The checkout service of a shop. Configuration comes from the environment. */
public final class Main {
  private static final Logger log = LoggerFactory.getLogger("Main");

  public static void main(String[] args) throws Exception {
    System.setProperty("sun.net.httpserver.nodelay", "true");
    DatabasePool pool = new DatabasePool(System.getenv("DATABASE_URL"), System.getenv("DATABASE_USER"));
    CheckoutController controller = new CheckoutController(
        new CheckoutService(new SessionStore(pool), new PaymentProcessor(), new OrderRepository(pool)), new OrderRepository(pool));
    HttpServer server = HttpServer.create(
        new InetSocketAddress(System.getenv("HOST"), Integer.parseInt(System.getenv("PORT"))), 512);
    server.setExecutor(Executors.newFixedThreadPool(400));
    server.createContext("/metrics", x -> Http.send(x, 200, Metrics.render(pool)));
    server.createContext("/healthz", x -> Http.send(x, 200, "{\"status\":\"ok\"}"));
    server.createContext("/api/", x -> Http.handle(x, controller::route));
    server.start();
    log.info("checkout {} listening on {}", System.getenv("APP_VERSION"), server.getAddress());
  }
}
