package guard

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// adoptsOrphans says whether orphans below the guard become its children.
const adoptsOrphans = true

// adoptOrphans makes the guard the new parent of every orphan below it.
func adoptOrphans() error {
	return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// stepAttributes puts the step into a process group of its own, and has the
// kernel kill it if the guard dies.
func stepAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// maxRSS is in bytes; Linux counts kibibytes.
func maxRSS(usage *syscall.Rusage) int64 { return usage.Maxrss << 10 }

// livingChildren lists the guard's children that are no zombies. It reads
// /proc/*/stat, because /proc/self/task/*/children is a kernel option.
func livingChildren() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	self := os.Getpid()
	var children []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if parent, state := parentOf(pid); parent == self && state != 'Z' {
			children = append(children, pid)
		}
	}
	return children
}

// parentOf reads "pid (comm) state ppid …"; comm may hold blanks and brackets,
// so what counts stands after its last bracket.
func parentOf(pid int) (parent int, state byte) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0 // it ended meanwhile
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0, 0
	}
	parent, err = strconv.Atoi(string(fields[1]))
	if err != nil {
		return 0, 0
	}
	return parent, fields[0][0]
}
