//go:build !linux

package resident

// ForgetStart is for Linux, where the memory of a process is told by its resident pages.
func ForgetStart() {}

// HugeHeap is for Linux.
func HugeHeap(int) {}
