package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Vote is what somebody says to an approval. Each person has one vote, the last
// one before it closes; the first rejection closes it, and so do as many
// approvals as it requires. The same vote again decides nothing. That the voter
// is one of those who may is known before.
//
// Refusals: NotApproval, ApprovalNotOpen, ApprovalClosed, FourEyes.
type Vote struct {
	Now     time.Time
	Task    int32
	Actor   string
	Reject  bool
	Comment string // the voter's words; they are kept in the open
	// Requester is who started the run. Whoever retried it has asked for it too.
	Requester string
	// Generation is the one that the voter saw. Zero means whichever is current.
	Generation int32
	// Live holds the run's live leases. Needed only if Graph.StopsOnFailure.
	Live []Lease
}

func (c Vote) now() time.Time { return c.Now }

// Ballot is one person's last word to an approval.
type Ballot struct {
	Actor  string
	Reject bool
	At     UnixMilli
}

func (x *decider) vote(c *Vote) error {
	s := x.s
	if c.Task < 0 || int(c.Task) >= len(s.Tasks) || x.g.Task(s, c.Task).Approve == nil {
		return refuse(RefusedNotApproval, "the task is no approval")
	}
	if c.Generation != 0 && c.Generation < s.Generation {
		return nil
	}
	p := x.g.Task(s, c.Task).Approve
	repeated := slices.ContainsFunc(s.Votes[c.Task], func(b Ballot) bool { return b.Actor == c.Actor && b.Reject == c.Reject })
	switch state := s.Tasks[c.Task].State; {
	case repeated:
		return nil
	case state == TaskPending || state == TaskOpen || state == TaskExpanding:
		return refuse(RefusedApprovalNotOpen, "the approval is not asked for yet")
	case state != TaskHeld:
		return refuse(RefusedApprovalClosed, "the approval is closed: it "+state.String())
	case p.NotRequester && (c.Actor == c.Requester || c.Actor == s.RetriedBy):
		return refuse(RefusedFourEyes, "whoever asked for the run does not decide on it: another pair of eyes must")
	}
	x.live = leases{given: c.Live, ended: NoTask}
	e := Entry{Kind: KindTaskApproved, Task: c.Task, Next: TaskHeld, Actor: c.Actor, Reason: c.Comment}
	if c.Reject {
		e.Kind = KindTaskRejected
	}
	if err := x.emit(e); err != nil {
		return err
	}
	switch {
	case c.Reject:
		return x.inVain(c.Task, p.OnReject, CauseControl, "rejected by "+c.Actor)
	case s.approvals(c.Task) >= max(p.Required, 1):
		return x.unheld(Entry{Task: c.Task, Next: TaskSucceeded, Reason: "approved by " + s.approvers(c.Task)})
	}
	return nil
}

func applyVote(s *State, e *Entry) error {
	if _, held := s.Holds[e.Task]; !held {
		return fmt.Errorf("task %d is not held", e.Task)
	}
	cast := Ballot{Actor: e.Actor, Reject: e.Kind == KindTaskRejected, At: milli(e.At)}
	list := slices.DeleteFunc(slices.Clone(s.Votes[e.Task]), func(b Ballot) bool { return b.Actor == e.Actor })
	if s.Votes == nil {
		s.Votes = map[int32][]Ballot{}
	}
	s.Votes[e.Task] = append(list, cast)
	return nil
}

// approvals counts those who approve of a task.
func (s *State) approvals(i int32) int {
	n := 0
	for _, b := range s.Votes[i] {
		if !b.Reject {
			n++
		}
	}
	return n
}

func (s *State) approvers(i int32) string {
	var who []string
	for _, b := range s.Votes[i] {
		if !b.Reject {
			who = append(who, b.Actor)
		}
	}
	return strings.Join(who, ", ")
}

// rejection says who rejected a task; empty if nobody did.
func (s *State) rejection(i int32) string {
	for _, b := range s.Votes[i] {
		if b.Reject {
			return "rejected by " + b.Actor
		}
	}
	return ""
}

// forgetVotes lets a task be voted on anew.
func (s *State) forgetVotes(i int32) {
	delete(s.Votes, i)
	if len(s.Votes) == 0 {
		s.Votes = nil
	}
}
