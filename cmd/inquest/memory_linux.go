package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// forgetStart gives back the pages of the program's own file that only its start has touched: the libraries of the server, linked
// into the same binary, set themselves up even where a folder is investigated, some 20 MB of code and tables. What is needed again
// is mapped again from the page cache. Pages that can be written to stay.
func forgetStart() {
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
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, uintptr(from), uintptr(to-from), unix.MADV_DONTNEED) // it is advice
	}
}
