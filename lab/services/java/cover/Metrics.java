package cover;

import com.zaxxer.hikari.HikariPoolMXBean;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;

/** Prometheus exposition of the process and the pool. */
final class Metrics extends HttpServlet {
  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
    response.setContentType("text/plain");
    PrintWriter w = response.getWriter();
    HikariPoolMXBean pool = Pool.bean();
    gauge(w, "hikaricp_connections_active", pool.getActiveConnections());
    gauge(w, "hikaricp_connections_idle", pool.getIdleConnections());
    gauge(w, "hikaricp_connections_pending", pool.getThreadsAwaitingConnection());
    gauge(w, "hikaricp_connections_max", Pool.MAX);
    Runtime rt = Runtime.getRuntime();
    gauge(w, "jvm_memory_used_bytes", rt.totalMemory() - rt.freeMemory());
    gauge(w, "jvm_memory_max_bytes", rt.maxMemory());
    gauge(w, "jvm_threads_live_threads", ManagementFactory.getThreadMXBean().getThreadCount());
  }

  private static void gauge(PrintWriter w, String name, double v) {
    w.print("# TYPE " + name + " gauge\n" + name + " " + v + "\n");
  }
}
