package line.freight;

import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadPoolExecutor;

/** Prometheus exposition of the process, the workers and the requests. */
final class Metrics {
  private static final Map<String, double[]> requests = new TreeMap<>();

  static synchronized void request(String method, String uri, int status, long ms) {
    double[] c = requests.computeIfAbsent("method=\"" + method + "\",status=\"" + status + "\",uri=\"" + uri + "\"", k -> new double[2]);
    c[0]++;
    c[1] += ms / 1e3;
  }

  static synchronized String render(ThreadPoolExecutor workers) {
    StringBuilder s = new StringBuilder("# TYPE http_server_requests_seconds summary\n");
    requests.forEach((k, c) -> {
      s.append("http_server_requests_seconds_count{").append(k).append("} ").append((long) c[0]).append('\n');
      s.append("http_server_requests_seconds_sum{").append(k).append("} ").append(c[1]).append('\n');
    });
    gauge(s, "executor_active_threads", workers.getActiveCount());
    gauge(s, "executor_pool_max_threads", workers.getMaximumPoolSize());
    gauge(s, "executor_queued_tasks", workers.getQueue().size());
    Runtime rt = Runtime.getRuntime();
    gauge(s, "jvm_memory_used_bytes", rt.totalMemory() - rt.freeMemory());
    gauge(s, "jvm_memory_max_bytes", rt.maxMemory());
    gauge(s, "jvm_threads_live_threads", ManagementFactory.getThreadMXBean().getThreadCount());
    return s.toString();
  }

  private static void gauge(StringBuilder s, String name, double v) {
    s.append("# TYPE ").append(name).append(" gauge\n").append(name).append(' ').append(v).append('\n');
  }
}
