package parse_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSnapshot(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"df -h and df -i": {`$ df -h
Filesystem      Size  Used Avail Use% Mounted on
/dev/sda1        50G   50G     0 100% /
/dev/mapper/a-very-long-volume-name
                1.5T  300G  1.2T  20% /var/lib/my data

$ df -i
Filesystem      Inodes  IUsed   IFree IUse% Mounted on
/dev/sda1      3276800 3276000    800  100% /
`, []string{"3 resource=disk name=/ used=53687091200 limit=53687091200 percent=100",
			"5 resource=disk name=/var/lib/my data used=322122547200 limit=1649267441664 percent=20",
			"9 resource=inodes name=/ used=3276000 limit=3276800 percent=100"}},
		"free -h: the page cache is not in use": {`               total        used        free      shared  buff/cache   available
Mem:           8.0Gi       2.0Gi       100Mi       1.0Mi       5.9Gi       2.0Gi
Swap:             0B          0B          0B
`, []string{"2 resource=memory used=6442450944 limit=8589934592 percent=75.0", "3 resource=swap used=0 limit=0"}},
		"/proc/meminfo": {"MemTotal:        1000 kB\nMemFree:          10 kB\nMemAvailable:     50 kB\nBuffers:           1 kB\n",
			[]string{"3 resource=memory used=972800 limit=1024000 percent=95.0"}},
		"ulimit -a": {"core file size              (blocks, -c) 0\nopen files                          (-n) 1024\nmax user processes                  (-u) unlimited\n",
			[]string{"2 resource=file-descriptors limit=1024", "3 resource=threads limit=unlimited"}},
		"/proc/PID/limits": {"Limit                     Soft Limit           Hard Limit           Units     \nMax processes             100                  200                  processes \nMax open files            1024                 4096                 files     \n",
			[]string{"2 resource=threads limit=100", "3 resource=file-descriptors limit=1024"}},
		"ss -s": {"Total: 28500\nTCP:   28400 (estab 120, closed 28200, orphaned 0, timewait 28100)\n",
			[]string{"2 resource=ports used=28400 estab=120 closed=28200 orphaned=0 timewait=28100"}},
		"vmstat": {"procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----\n r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st\n 9  1      0  10240   1000  50000    0    4     1     2  100  200 90  8  1  1  0\n",
			[]string{"3 resource=cpu runnable=9 swap_in=0 swap_out=4 percent=99 iowait_percent=1 steal_percent=0"}},
		"kubectl get pods": {"NAME                    READY   STATUS             RESTARTS        AGE\ncart-7d9f8b6c5d-abcde   0/1     CrashLoopBackOff   17 (2m1s ago)   3h\nweb-1                   1/1     Running            0               9d\n",
			[]string{"2 resource=pod name=cart-7d9f8b6c5d-abcde ready=0/1 reason=CrashLoopBackOff restarts=17", "3 resource=pod name=web-1 ready=1/1 reason=Running restarts=0"}},
		"kubectl describe pod": {`Name:             cart-1
Namespace:        shop
Containers:
  cart:
    Image:          shop/cart:2.1
    State:          Running
      Started:      Fri, 20 Nov 2026 16:00:00 +0000
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          True
    Restart Count:  4
`, []string{"9 resource=pod name=cart-1 container=cart reason=OOMKilled exit_code=137 restarts=4"}},
	} {
		t.Run(name, func(t *testing.T) {
			k := readText(t, "snapshot", tc.text)
			var got []string
			for _, r := range k.records {
				var b strings.Builder
				fmt.Fprint(&b, r.Line)
				for _, f := range r.Fields {
					fmt.Fprintf(&b, " %s=%s", f.Name, f.Value)
				}
				got = append(got, b.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func FuzzSnapshot(f *testing.F) {
	for _, s := range []string{"Filesystem Size Used Avail Use% Mounted on\na 1G 2 3 4% /", "Name: x\n  c:\n Last State: T\n Reason: OOMKilled\n Restart Count: 1", "TCP: 1 (estab 2)",
		"total used free shared x\nMem: 1 2 3", "MemTotal: 1 kB\nMemAvailable: 1 kB", "NAME READY STATUS RESTARTS\na 1 b 2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range fuzzDocument(t, s, "snapshot").records {
			if !strings.Contains(s, r.Message) {
				t.Fatalf("the message %q is not in the input", r.Message)
			}
		}
	})
}
