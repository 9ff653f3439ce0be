package leasecheck

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// Task names a register. Its parts mean nothing here.
type Task struct {
	Run  [16]byte
	Task int32
}

// Op is one thing that somebody did, with the times between which it took
// effect, on one clock. Return is not looked at where the answer is Unknown.
type Op struct {
	Kind         Kind
	Lease        int64
	Answer       Answer
	Call, Return time.Duration
}

// History is what was seen. It may be added to from any goroutine.
type History struct {
	mu    sync.Mutex
	tasks map[Task][]*Op
	runs  map[[16]byte][]*Op // Force concerns all tasks of a run
	seen  map[int64]Task
}

// Add records an operation on a task. What is added before its answer is known
// is completed with End; whoever dies in between leaves it Unknown.
func (h *History) Add(task Task, op Op) *Op {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.make()
	h.tasks[task] = append(h.tasks[task], &op)
	if op.Kind == Grant {
		h.seen[op.Lease] = task
	}
	return &op
}

// AddForce records that a run is ended by force.
func (h *History) AddForce(run [16]byte, op Op) *Op {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.make()
	op.Kind = Force
	h.runs[run] = append(h.runs[run], &op)
	return &op
}

// End completes an operation with its answer.
func (h *History) End(op *Op, answer Answer, at time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	op.Answer, op.Return = answer, at
}

func (h *History) make() {
	if h.tasks == nil {
		h.tasks, h.runs, h.seen = map[Task][]*Op{}, map[[16]byte][]*Op{}, map[int64]Task{}
	}
}

// Task is the task that a lease was seen to be for.
func (h *History) Task(lease int64) (Task, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	task, ok := h.seen[lease]
	return task, ok
}

// Unseen records a lease that was given without anybody having seen it: its
// answer was lost.
func (h *History) Unseen(task Task, lease int64) {
	if _, seen := h.Task(lease); !seen {
		h.Add(task, Op{Kind: Grant, Lease: lease})
	}
}

// Len is how many operations there are.
func (h *History) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, ops := range h.tasks {
		n += len(ops)
	}
	return n
}

// Check returns an error that shows the history of the first task that no
// register could have had. within bounds the search for one task; what it does
// not decide is an error as well.
func (h *History) Check(within time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	tasks := make([]Task, 0, len(h.tasks))
	for t := range h.tasks {
		tasks = append(tasks, t)
	}
	slices.SortFunc(tasks, func(x, y Task) int {
		return cmp.Or(slices.Compare(x.Run[:], y.Run[:]), cmp.Compare(x.Task, y.Task))
	})
	m := model.ToModel()
	for _, t := range tasks {
		ops := slices.Concat(h.tasks[t], h.runs[t.Run])
		switch porcupine.CheckOperationsTimeout(m, operations(ops), within) {
		case porcupine.Illegal:
			return fmt.Errorf("no register has this history of task %d of run %x:\n%s", t.Task, t.Run, describe(ops))
		case porcupine.Unknown:
			return fmt.Errorf("not decided within %s: the history of task %d of run %x:\n%s", within, t.Task, t.Run, describe(ops))
		case porcupine.Ok:
		}
	}
	return nil
}

func operations(ops []*Op) []porcupine.Operation {
	out := make([]porcupine.Operation, len(ops))
	for i, op := range ops {
		end := int64(op.Return)
		if op.Answer == Unknown {
			end = math.MaxInt64 // it may take effect at any time, or never
		}
		out[i] = porcupine.Operation{
			ClientId: i, Input: input{op.Kind, op.Lease}, Output: output{op.Answer}, Call: int64(op.Call), Return: end,
		}
	}
	return out
}

func describe(ops []*Op) string {
	ops = slices.Clone(ops)
	slices.SortStableFunc(ops, func(x, y *Op) int { return cmp.Compare(x.Call, y.Call) })
	var b strings.Builder
	for _, op := range ops {
		end := op.Return.String()
		if op.Answer == Unknown {
			end = "…"
		}
		fmt.Fprintf(&b, "  %s – %s: %s\n", op.Call, end, model.DescribeOperation(input{op.Kind, op.Lease}, output{op.Answer}))
	}
	return b.String()
}
