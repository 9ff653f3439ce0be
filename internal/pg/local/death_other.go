//go:build unix && !linux

package local

import (
	"os/exec"
	"syscall"
)

// dieWithUs cannot be had here: after a kill -9 of this process the server
// lives on until the next Start, which finds and ends it.
func dieWithUs(*exec.Cmd, syscall.Signal) {}
