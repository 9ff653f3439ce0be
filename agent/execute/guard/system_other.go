//go:build !linux

package guard

import "syscall"

const adoptsOrphans = false

// adoptOrphans has no counterpart here: left-overs are killed by process group.
func adoptOrphans() error { return nil }

func stepAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// maxRSS is in bytes, as the BSDs count it.
func maxRSS(usage *syscall.Rusage) int64 { return usage.Maxrss }

func livingChildren() []int { return nil }
