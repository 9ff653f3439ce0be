package leasecheck

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/anishathalye/porcupine"
)

// Kind is what somebody did.
type Kind uint8

// What may be done to a lease.
const (
	Grant  Kind = iota // an agent received it, the first time or again
	Report             // its agent said how the attempt ended
	Lose               // it was taken back from a session that had ended
	Force              // all leases of the run were fenced off
)

// Answer is what came back.
type Answer uint8

// The answers. Unknown: none came back, or one that says nothing.
const (
	Unknown Answer = iota
	Accepted
	Stale
	Done
)

// input and output of an operation, as porcupine passes them.
type (
	input struct {
		kind  Kind
		lease int64
	}
	output struct{ answer Answer }
)

// register is the state of a task: the lease that lives, and how earlier ones
// ended. Both are values, so that states can be compared.
type register struct {
	held  int64
	ended string // ";17=accepted;23=lost"
}

func (r register) end(lease int64) string {
	mark := ";" + strconv.FormatInt(lease, 10) + "="
	_, rest, found := strings.Cut(r.ended, mark)
	if !found {
		return ""
	}
	how, _, _ := strings.Cut(rest, ";")
	return how
}

func (r register) close(how string) register {
	return register{ended: r.ended + ";" + strconv.FormatInt(r.held, 10) + "=" + how}
}

// step lists the states that an operation with this answer may lead to.
func step(r register, in input, out output) []register {
	switch in.kind {
	case Grant:
		switch {
		case r.held == in.lease && out.answer != Unknown:
			return []register{r} // sent again
		case r.held == 0 && r.end(in.lease) == "":
			return []register{{held: in.lease, ended: r.ended}}
		}
		return nil
	case Report:
		return report(r, in.lease, out.answer)
	case Lose:
		if r.held == in.lease && out.answer == Done {
			return []register{r.close("lost"), r} // adopted by another session: it stays
		}
		if r.held == in.lease {
			return []register{r, r.close("lost")}
		}
		return []register{r}
	case Force:
		if r.held == 0 {
			return []register{r}
		}
		return []register{r.close("forced"), r} // the run had ended or begun another generation
	}
	return nil
}

func report(r register, lease int64, answer Answer) []register {
	switch answer {
	case Accepted:
		if r.held == lease {
			return []register{r.close("accepted")}
		}
		if r.end(lease) == "accepted" {
			return []register{r}
		}
		return nil
	case Stale:
		if r.held == lease || r.end(lease) == "accepted" {
			return nil
		}
		return []register{r}
	case Unknown, Done:
	}
	if r.held == lease {
		return []register{r, r.close("accepted")}
	}
	return []register{r}
}

// model is the register as porcupine wants it.
var model = porcupine.NondeterministicModel{
	Init: func() []any { return []any{register{}} },
	Step: func(state, in, out any) []any {
		next := step(state.(register), in.(input), out.(output))
		states := make([]any, len(next))
		for i := range next {
			states[i] = next[i]
		}
		return states
	},
	Equal: func(x, y any) bool { return x.(register) == y.(register) },
	DescribeOperation: func(in, out any) string {
		i, o := in.(input), out.(output)
		return fmt.Sprintf("%s(%d) → %s", kindNames[i.kind], i.lease, answerNames[o.answer])
	},
}

var (
	kindNames   = [...]string{Grant: "grant", Report: "report", Lose: "lose", Force: "force"}
	answerNames = [...]string{Unknown: "?", Accepted: "accepted", Stale: "stale", Done: "done"}
)
