package host

import "runtime"

// CPUMillis is how many thousandths of a core the agent may use. Go's own count
// heeds the affinity mask and the CPU limit of a cgroup.
func CPUMillis() int64 { return int64(runtime.GOMAXPROCS(0)) * 1000 }

// MemoryBytes is how much memory the agent may use, 0 if that cannot be told.
func MemoryBytes() int64 { return memory() }
