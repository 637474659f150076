package pgtest

import "syscall"

// DieWithParent lets a process end with this one: a test that panics leaves no server behind.
func DieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGQUIT }
