package com.shop.shipping;

import java.io.File;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadPoolExecutor;

/** Prometheus exposition of the process, the workers and the requests. */
final class Metrics {
  private static final Map<String, long[]> requests = new TreeMap<>();

  static synchronized void request(String path, int status, long ms) {
    long[] c = requests.computeIfAbsent("{route=\"" + path + "\",status=\"" + status + "\"} ", k -> new long[2]);
    c[0]++;
    c[1] += ms;
  }

  static synchronized String render(ThreadPoolExecutor workers) {
    StringBuilder s = new StringBuilder("# TYPE http_server_requests_total counter\n");
    requests.forEach((k, c) -> s.append("http_server_requests_total").append(k).append(c[0]).append('\n'));
    s.append("# TYPE http_server_requests_ms_total counter\n");
    requests.forEach((k, c) -> s.append("http_server_requests_ms_total").append(k).append(c[1]).append('\n'));
    gauge(s, "executor_active_threads", workers.getActiveCount());
    gauge(s, "executor_pool_max_threads", workers.getMaximumPoolSize());
    gauge(s, "executor_queued_tasks", workers.getQueue().size());
    Runtime rt = Runtime.getRuntime();
    gauge(s, "jvm_memory_used_bytes", rt.totalMemory() - rt.freeMemory());
    gauge(s, "jvm_memory_max_bytes", rt.maxMemory());
    gauge(s, "jvm_threads_live_threads", ManagementFactory.getThreadMXBean().getThreadCount());
    File labels = LabelService.FOLDER.toFile();
    gauge(s, "label_volume_free_bytes", labels.getUsableSpace());
    gauge(s, "label_volume_size_bytes", labels.getTotalSpace());
    return s.toString();
  }

  private static void gauge(StringBuilder s, String name, double v) {
    s.append("# TYPE ").append(name).append(" gauge\n").append(name).append(' ').append(v).append('\n');
  }
}
