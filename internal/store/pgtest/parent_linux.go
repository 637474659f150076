package pgtest

import "syscall"

// DieWithParent: a test that panics leaves no server behind.
func DieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGQUIT }
