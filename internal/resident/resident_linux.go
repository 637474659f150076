package resident

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// ForgetStart gives back the pages of the program's own file that only its start has touched: tables, and the code that sets up
// libraries that this run never uses. What is needed again is mapped again from the page cache, and pages that can be written to
// stay. It is advice (madvise(2), MADV_DONTNEED): where it is not taken, nothing changes.
func ForgetStart() {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return // no /proc: the pages stay
	}
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }() // only read
	for s := bufio.NewScanner(f); s.Scan(); {
		var from, to uint64
		var mode string
		if n, _ := fmt.Sscanf(s.Text(), "%x-%x %4s", &from, &to, &mode); n < 3 || mode[0] != 'r' || mode[1] == 'w' || !strings.HasSuffix(s.Text(), " "+exe) {
			continue
		}
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, uintptr(from), uintptr(to-from), syscall.MADV_DONTNEED) // it is advice
	}
}
