package pgtest

import "syscall"

// dieWithParent: a test that panics leaves no server behind.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGQUIT }
