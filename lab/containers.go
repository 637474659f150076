package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// Containers serves what the kernel counts in the CPU groups of the given parts, under the names that cAdvisor gives it.
func (e *Env) Containers(addr, node string, parts map[string]string) {
	l, err := net.Listen("tcp", addr)
	must(err, "listen %s", addr)
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		for _, family := range []struct{ name, key, typ string }{{"container_cpu_cfs_periods_total", "nr_periods", "counter"}, {"container_cpu_cfs_throttled_periods_total", "nr_throttled", "counter"},
			{"container_cpu_cfs_throttled_seconds_total", "throttled_time", "counter"}, {"container_spec_cpu_quota", "", "gauge"}} {
			fmt.Fprintf(w, "# TYPE %s %s\n", family.name, family.typ)
			for part, pod := range parts {
				dir := filepath.Join(cpuGroup(e.S.Name), part)
				v := cpuStat(dir, family.key)
				if family.key == "throttled_time" {
					v = fmt.Sprintf("%.3f", number(v)/1e9)
				}
				fmt.Fprintf(w, "%s{container=%q,namespace=\"travel\",pod=%q} %s\n", family.name, part, pod, v)
			}
		}
	})
	go func() { _ = http.Serve(l, mux) }() // ends with the process
	e.Scrape("cadvisor", node, "http://"+addr+"/metrics")
}

func number(s string) float64 {
	var v float64
	fmt.Sscan(s, &v)
	return v
}

// cpuStat reads one field of cpu.stat, or the quota when key is empty.
func cpuStat(dir, key string) string {
	if key == "" {
		b, _ := os.ReadFile(filepath.Join(dir, "cpu.cfs_quota_us"))
		return strings.TrimSpace(string(b))
	}
	f, err := os.Open(filepath.Join(dir, "cpu.stat"))
	if err != nil {
		return "0"
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if v, ok := strings.CutPrefix(sc.Text(), key+" "); ok {
			return v
		}
	}
	return "0"
}
