package local

import (
	"os/exec"
	"syscall"
)

// dieWithUs asks the kernel to send sig to cmd's process when the thread that
// starts it ends, which a kill -9 of this process brings about too.
func dieWithUs(cmd *exec.Cmd, sig syscall.Signal) { cmd.SysProcAttr.Pdeathsig = sig }
