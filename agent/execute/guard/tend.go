package guard

import (
	"syscall"
	"time"
)

// unkillable is how long a KILL may stay without effect before the guard gives
// up: the process belongs to another user (sudo) or hangs in the kernel.
const unkillable = 10 * time.Second

// reaped is a child that ended; a zero PID means that there is none left.
type reaped struct {
	pid    int
	status syscall.WaitStatus
	usage  syscall.Rusage
}

// tend watches over the step until nothing of it is left.
//
//	           Stop                grace is over
//	running ─────────▶ stopping ─────────────────▶ killing ──no child left──▶ done
//	   │                  └─no child left──▶ done      ▲
//	   └──main process ended──────────────────────────┘
//
// When the main process ends by itself its left-overs are killed at once; while
// stopping they have the rest of the grace, since they may be cleaning up.
func (g *guard) tend(main int) {
	deaths := reap()
	deadline := time.NewTimer(time.Hour)
	deadline.Stop()
	var killAt time.Time
	stopping, killing, ended := false, false, false

	kill := func() {
		killing = true
		deadline.Reset(unkillable)
		killAll(main, ended)
	}
	for {
		select {
		case stop := <-g.stops:
			at := time.Now().Add(stop.Grace)
			if killing || stopping && !at.Before(killAt) {
				continue
			}
			if stop.Grace <= 0 {
				stopping = true
				kill()
				continue
			}
			killAt = at
			deadline.Reset(stop.Grace)
			if !stopping {
				stopping = true
				terminate(main)
			}
		case <-deadline.C:
			if killing {
				g.finish(ended, livingChildren())
				return
			}
			kill()
		case death := <-deaths:
			switch {
			case death.pid == 0:
				g.finish(ended, nil)
				return
			case death.pid == main:
				ended = true
				g.say(Event{Ended: describe(death, stopping, time.Since(g.started))})
				if !stopping {
					kill()
				} else if !killing {
					terminateOthers(main)
				}
			case killing:
				// Whoever this one had adopted or forked is our child now.
				killAll(main, ended)
			}
		}
	}
}

// finish says goodbye; a step whose end was never seen cannot be there, unless
// even KILL does not end it.
func (g *guard) finish(ended bool, left []int) {
	if !ended {
		g.say(Event{Ended: &Ended{Code: -1, Signal: "unkillable", Stopped: true, Ran: time.Since(g.started)}})
	}
	g.say(Event{Clean: &Clean{Left: left}})
}

// reap waits for every child there is and tells their ends, last a zero.
func reap() <-chan reaped {
	deaths := make(chan reaped)
	go func() {
		for {
			var death reaped
			pid, err := syscall.Wait4(-1, &death.status, 0, &death.usage)
			if err == syscall.EINTR {
				continue
			}
			if err != nil {
				deaths <- reaped{}
				return
			}
			death.pid = pid
			deaths <- death
		}
	}()
	return deaths
}

func describe(death reaped, stopped bool, ran time.Duration) *Ended {
	ended := &Ended{
		Code:    death.status.ExitStatus(),
		Stopped: stopped,
		Ran:     ran,
		CPU:     time.Duration(death.usage.Utime.Nano() + death.usage.Stime.Nano()),
		MaxRSS:  maxRSS(&death.usage),
	}
	if death.status.Signaled() {
		ended.Signal = death.status.Signal().String()
		ended.Code = 128 + int(death.status.Signal())
	}
	return ended
}

// terminate asks the step's process group to end; CONT, because a stopped
// process would not see the TERM.
func terminate(group int) {
	_ = syscall.Kill(-group, syscall.SIGTERM)
	_ = syscall.Kill(-group, syscall.SIGCONT)
}

// terminateOthers asks the step's left-overs outside its process group, which
// have not heard the first TERM. Those inside may be cleaning up with the help
// of children that a second TERM would kill.
func terminateOthers(group int) {
	for _, pid := range livingChildren() {
		if own, err := syscall.Getpgid(pid); err == nil && own != group {
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
	}
}

// killAll kills what is left. One pass is not enough: children of a killed
// process become ours only then. The death of each is told by reap, and each
// death brings another pass.
func killAll(group int, ended bool) {
	if !ended || !adoptsOrphans {
		// Once the leader is reaped its number may name somebody else's group;
		// where orphans become our children they are found without it.
		_ = syscall.Kill(-group, syscall.SIGKILL)
	}
	for _, pid := range livingChildren() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
