package engine

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// An attempt of a gang has a lease for each of its members. The end of a member
// is an entry that leaves the task open; the attempt ends, by an entry of its
// own, when all members have: as the first one ended that did not succeed, else
// as member 0, whose outputs it takes over. When one does not succeed, the others
// are told to stop.

// Gang is what is known of the members of an open attempt that have ended; it is
// there from the first to the last of them.
type Gang struct {
	Ended   int32
	BusyMS  int64     // what those that have ended took together
	Started UnixMilli // the first start of a member
	Lead    MemberEnd // member 0
	Broken  MemberEnd // the first that did not succeed
}

// MemberEnd is how a member ended; zero: it has not.
type MemberEnd struct {
	Seq      int64 // of its entry
	Rank     int32
	Agent    id.UUID // id.Nil: no agent told, see GangTimeout
	Granted  UnixMilli
	Outcome  Outcome
	Cause    Cause
	ExitCode int32
	Final    bool
	Reason   string
	Planned  []Member
}

// GangTimeout ends an attempt of a gang of which not all members have told that
// they run: those that live are told to stop. It decides nothing if all have, or
// the attempt is another one.
type GangTimeout struct {
	Now     time.Time
	Task    int32
	Attempt int32
	Live    []Lease // all live leases of the run
}

func (c GangTimeout) now() time.Time { return c.Now }

// reportMember ends one member of the open attempt, and with the last one the
// attempt.
func (x *decider) reportMember(c *Report) error {
	l := &c.Lease
	broken := x.s.Gangs[l.Task].Broken.Seq != 0
	e := x.memberEnd(l, c.Finished, c.Outcome, c.Cause)
	e.ExitCode, e.Reason = c.ExitCode, c.Reason
	e.Detail.Final = c.Final
	if c.Outcome == OutcomeSucceeded {
		e.Detail.Members = c.Members
	}
	if c.Outcome != OutcomeSucceeded && !broken {
		e.Outcome = settleOutcome(x.s, c, modeOf(x.g, x.s, l.Task))
	}
	e.Reason = cmp.Or(e.Reason, endReason(e.Outcome, c))
	if err := x.emit(e); err != nil {
		return err
	}
	if x.s.Gangs[l.Task].Ended >= l.Gang {
		return x.endGang(c)
	}
	if !broken && e.Outcome != OutcomeSucceeded {
		x.d.Stop = append(x.d.Stop, Stop{Task: l.Task, Attempt: l.Attempt, Grace: x.grace(l.Task)})
	}
	return nil
}

func (x *decider) memberEnd(l *Lease, finished time.Time, o Outcome, cause Cause) Entry {
	return Entry{
		Kind: KindMemberEnded, Task: l.Task, Attempt: l.Attempt, Next: TaskOpen,
		Lease: l.ID, Agent: l.Agent, Granted: l.Granted, Started: l.Started, Finished: finished,
		Outcome: o, Cause: cause, Detail: &Detail{Rank: l.Rank},
	}
}

// endGang ends the attempt whose last member has ended.
func (x *decider) endGang(c *Report) error {
	g := x.s.Gangs[c.Lease.Task]
	end := g.Broken
	if end.Seq == 0 {
		end = g.Lead
	}
	if end.Seq == 0 {
		return errors.New("decide: a gang without member 0")
	}
	whole := Report{
		Now: c.Now, Lease: Lease{Task: c.Lease.Task, Attempt: c.Lease.Attempt, Agent: end.Agent, Granted: end.Granted.Time(), Started: g.Started.Time()},
		Finished: c.Finished, Outcome: end.Outcome, Cause: end.Cause, ExitCode: end.ExitCode, Final: end.Final, Reason: end.reason(),
		Members: end.Planned, Live: c.Live,
	}
	x.live = leases{given: c.Live, ended: c.Lease.Task}
	return x.endAttempt(&whole, Detail{Member: end.Seq, Gang: g.Ended, BusyMS: g.BusyMS})
}

// reason says which member it was, where that is not plain.
func (m *MemberEnd) reason() string {
	if m.Outcome == OutcomeSucceeded || m.Agent == id.Nil {
		return m.Reason
	}
	return "member " + strconv.Itoa(int(m.Rank)) + ": " + m.Reason
}

// gangTimeout has a gang given up whose members did not all start.
func (x *decider) gangTimeout(c *GangTimeout) error {
	if x.open(c.Task, c.Attempt) == nil || x.s.Gangs[c.Task].Broken.Seq != 0 {
		return nil
	}
	x.live = leases{given: c.Live, ended: NoTask}
	members := x.live.all(c.Task, c.Attempt)
	missing := 0
	for i := range members {
		if members[i].Started.IsZero() {
			missing++
		}
	}
	if missing == 0 {
		return nil
	}
	e := x.memberEnd(&Lease{Task: c.Task, Attempt: c.Attempt}, time.Time{}, OutcomeLost, CauseInfra)
	e.Reason = fmt.Sprintf("%d of %d members did not start in time", missing, members[0].Gang)
	if err := x.emit(e); err != nil {
		return err
	}
	x.d.Stop = append(x.d.Stop, Stop{Task: c.Task, Attempt: c.Attempt, Grace: x.grace(c.Task)})
	return nil
}

// forceGang ends all live members of an attempt, and the attempt.
func (x *decider) forceGang(l *Lease, open TaskState, cause Cause, reason string) error {
	for _, m := range x.live.all(l.Task, l.Attempt) {
		e := x.memberEnd(&m, x.now, OutcomeCanceled, cause)
		e.Reason = reason
		if err := x.emit(e); err != nil {
			return err
		}
	}
	g := x.s.Gangs[l.Task]
	return x.emit(Entry{
		Kind: KindAttemptEnded, Task: l.Task, Attempt: l.Attempt,
		Agent: l.Agent, Granted: l.Granted, Started: g.Started.Time(), Finished: x.now,
		Outcome: OutcomeCanceled, Cause: cause, Next: open, Reason: reason,
		Detail: &Detail{Gang: g.Ended, BusyMS: g.BusyMS},
	})
}

// applyMember counts the end of a member.
func applyMember(s *State, e *Entry) error {
	if e.Task < 0 || int(e.Task) >= len(s.Tasks) {
		return fmt.Errorf("task %d does not exist", e.Task)
	}
	if t := &s.Tasks[e.Task]; t.State != TaskOpen || t.Try() != e.Attempt {
		return fmt.Errorf("task %d: attempt %d is not open", e.Task, e.Attempt)
	}
	if e.Detail == nil {
		return fmt.Errorf("task %d: a member without a rank", e.Task)
	}
	g, end := s.Gangs[e.Task], MemberEnd{
		Seq: e.Seq, Rank: e.Detail.Rank, Agent: e.Agent, Granted: milli(e.Granted), Outcome: e.Outcome, Cause: e.Cause,
		ExitCode: e.ExitCode, Final: e.Detail.Final, Reason: e.Reason, Planned: e.Detail.Members,
	}
	if e.Lease != 0 {
		g.Ended++
		if end.Rank == 0 {
			g.Lead = end
		}
	}
	if e.Outcome != OutcomeSucceeded && g.Broken.Seq == 0 {
		g.Broken = end
	}
	if began := milli(e.Started); began != 0 {
		g.BusyMS += max(0, int64(milli(e.Finished)-began))
		if g.Started == 0 || began < g.Started {
			g.Started = began
		}
	}
	if s.Gangs == nil {
		s.Gangs = map[int32]Gang{}
	}
	s.Gangs[e.Task] = g
	return nil
}
