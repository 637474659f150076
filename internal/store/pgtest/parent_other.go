//go:build !linux

package pgtest

import "syscall"

// DieWithParent can do nothing here.
func DieWithParent(*syscall.SysProcAttr) {}
