package academy;

import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The courses service of a learning platform. */
public final class Main {
  private static final Logger log = LoggerFactory.getLogger(Main.class);

  public static void main(String[] args) throws Exception {
    System.setProperty("sun.net.httpserver.nodelay", "true");
    DatabasePool pool = new DatabasePool(System.getenv("DATABASE_URL"), System.getenv("DATABASE_USER"));
    Courses courses = new Courses(pool);
    Certificates certificates = new Certificates(pool);
    HttpServer server = HttpServer.create(
        new InetSocketAddress(System.getenv("HOST"), Integer.parseInt(System.getenv("PORT"))), 256);
    ExecutorService workers = Executors.newFixedThreadPool(60);
    server.setExecutor(workers);
    server.createContext("/metrics", x -> Http.send(x, 200, Metrics.render(pool)));
    server.createContext("/healthz", x -> Http.send(x, 200, "{\"status\":\"ok\"}"));
    server.createContext("/courses", x -> Http.handle(x, courses::route));
    server.createContext("/enrolments", x -> Http.handle(x, courses::enrol));
    server.createContext("/certificates", x -> Http.handle(x, certificates::route));
    server.start();
    log.info("courses {} listening on {}", System.getenv("APP_VERSION"), server.getAddress());
  }
}
