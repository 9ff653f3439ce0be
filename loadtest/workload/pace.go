package workload

import (
	"context"
	"runtime"
	"syscall"
	"time"
)

// pace calls do at each time that is due, at a steady rate. The runtime's timers
// wake up to a millisecond late, which is more than what is measured, so a
// thread of its own asks the kernel. Being late delays no later call: those that
// were missed are made at once.
func pace(ctx context.Context, rate float64, during time.Duration, do func(i int, due time.Time)) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		begin := time.Now()
		for i := range int(rate * during.Seconds()) {
			due := begin.Add(time.Duration(float64(i) / rate * float64(time.Second)))
			if wait := time.Until(due); wait > 0 {
				t := syscall.NsecToTimespec(wait.Nanoseconds())
				_ = syscall.Nanosleep(&t, nil) // being woken early makes one call early
			}
			if ctx.Err() != nil {
				return
			}
			do(i, due)
		}
	}()
	<-ended
}
