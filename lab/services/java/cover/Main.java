package cover;

import java.io.File;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Insurance for travellers. */
public final class Main {
  private static final Logger log = LoggerFactory.getLogger(Main.class);

  public static void main(String[] args) throws Exception {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(System.getenv("CATALINA_BASE"));
    tomcat.setHostname("localhost");
    tomcat.setPort(Integer.parseInt(System.getenv("PORT")));
    tomcat.getConnector().setProperty("address", System.getenv("HOST"));
    tomcat.getConnector().setProperty("maxThreads", System.getenv().getOrDefault("MAX_THREADS", "60"));
    Context context = tomcat.addContext("", new File("/var/tmp").getAbsolutePath());
    Policies policies = new Policies(Pool.open());
    add(context, "quotes", new Quotes(), "/quotes");
    add(context, "policies", policies, "/policies/*");
    add(context, "health", new Health(), "/health");
    add(context, "metrics", new Metrics(), "/metrics");
    tomcat.start();
    log.info("cover {} started on port {}", System.getenv("APP_VERSION"), System.getenv("PORT"));
    tomcat.getServer().await();
  }

  private static void add(Context context, String name, jakarta.servlet.Servlet servlet, String path) {
    Tomcat.addServlet(context, name, servlet);
    context.addServletMappingDecoded(path, name);
  }
}
