package shop.checkout;

import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.TreeMap;

/** Prometheus exposition of the process, the pool and the requests. */
final class Metrics {
  private static final Map<String, double[]> requests = new TreeMap<>();

  static synchronized void request(String method, String uri, int status, double seconds) {
    double[] c = requests.computeIfAbsent("method=\"" + method + "\",status=\"" + status + "\",uri=\"" + uri + "\"", k -> new double[2]);
    c[0]++;
    c[1] += seconds;
  }

  static String route(String path) {
    return path.replaceAll("/[0-9]+", "/{id}");
  }

  static synchronized String render(DatabasePool pool) {
    StringBuilder s = new StringBuilder();
    s.append("# TYPE http_server_requests_seconds summary\n");
    requests.forEach((k, c) -> {
      s.append("http_server_requests_seconds_count{").append(k).append("} ").append((long) c[0]).append('\n');
      s.append("http_server_requests_seconds_sum{").append(k).append("} ").append(c[1]).append('\n');
    });
    gauge(s, "hikaricp_connections{pool=\"DatabasePool\"}", pool.total());
    gauge(s, "hikaricp_connections_active{pool=\"DatabasePool\"}", pool.active());
    gauge(s, "hikaricp_connections_idle{pool=\"DatabasePool\"}", pool.idle());
    gauge(s, "hikaricp_connections_pending{pool=\"DatabasePool\"}", pool.pending());
    gauge(s, "hikaricp_connections_max{pool=\"DatabasePool\"}", pool.max());
    Runtime rt = Runtime.getRuntime();
    gauge(s, "jvm_memory_used_bytes{area=\"heap\"}", rt.totalMemory() - rt.freeMemory());
    gauge(s, "jvm_memory_max_bytes{area=\"heap\"}", rt.maxMemory());
    gauge(s, "jvm_threads_live_threads", ManagementFactory.getThreadMXBean().getThreadCount());
    var os = (com.sun.management.UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    gauge(s, "process_files_open_files", os.getOpenFileDescriptorCount());
    gauge(s, "process_files_max_files", os.getMaxFileDescriptorCount());
    gauge(s, "process_cpu_usage", os.getProcessCpuLoad());
    return s.toString();
  }

  private static void gauge(StringBuilder s, String name, double v) {
    String family = name.contains("{") ? name.substring(0, name.indexOf('{')) : name;
    s.append("# TYPE ").append(family).append(" gauge\n").append(name).append(' ').append(v).append('\n');
  }
}
