package follow

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// maxDepth is where the tree stops to move to the right: a chain of a hundred
// tasks would otherwise leave no room for their names.
const maxDepth = 8

// Tree draws a run. A task stands below the last of the tasks that it needs, and
// names the others; so a graph fits a tree.
func Tree(p output.Painter, res *runv1.WatchRunResponse, now time.Time) []string {
	run := res.GetRun()
	sign := output.Sign(run.GetState())
	lines := []string{p.Paint(sign.Tone, sign.Text) + " " + p.Paint(output.Strong, Title(run, now))}
	rows := arrange(res.GetTasks())
	longest := 0
	for _, r := range rows {
		longest = max(longest, utf8.RuneCountInString(r.prefix+r.task.GetName()))
	}
	for _, r := range rows {
		lines = append(lines, r.draw(p, longest, now))
	}
	return lines
}

// row is one task in the tree.
type row struct {
	prefix string
	task   *runv1.Task
	others []string // what it needs besides the task above it
}

func (r row) draw(p output.Painter, longest int, now time.Time) string {
	state := output.State(StateOf(r.task))
	sign, word, found := strings.Cut(state.Text, " ")
	if !found {
		sign, word = "·", state.Text
	}
	name := r.task.GetName()
	pad := strings.Repeat(" ", longest-utf8.RuneCountInString(r.prefix+name))
	var b strings.Builder
	b.WriteString(p.Paint(output.Faint, r.prefix) + p.Paint(state.Tone, sign) + " " + name + pad + "  ")
	b.WriteString(p.Paint(state.Tone, padTo(word, 15)))
	elapsed := ""
	if d, ok := Took(r.task, now); ok {
		elapsed = output.Duration(d)
	}
	b.WriteString(" " + padTo(elapsed, 8))
	text := note(r.task, now)
	if len(r.others) > 0 {
		text = join([]string{text, "also needs " + strings.Join(r.others, ", ")})
	}
	if r.task.GetExit() != "" {
		text = join([]string{"on exit: " + r.task.GetExit(), text})
	}
	if text != "" {
		b.WriteString(" " + p.Paint(output.Faint, text))
	}
	return strings.TrimRight(b.String(), " ")
}

func padTo(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}

// arrange puts the tasks, which come in the order of the file, into the order of
// the tree, with the lines that lead to them. What is part of a task stands below
// it.
func arrange(tasks []*runv1.Task) []row {
	place := make(map[string]int, len(tasks))
	for i, t := range tasks {
		place[t.GetName()] = i
	}
	children := make(map[int][]int)
	others := make(map[int][]string)
	const top = -1
	for i, t := range tasks {
		parent := top
		if at, ok := place[t.GetParent()]; ok && at < i && t.GetParent() != "" {
			parent = at
		}
		for _, need := range t.GetNeeds() {
			// A need that stands further down in the file is only named.
			if at, ok := place[need]; ok && at < i && at > parent {
				parent = at
			}
		}
		for _, need := range t.GetNeeds() {
			if _, shown := place[need]; !shown {
				continue
			}
			if parent == top || need != tasks[parent].GetName() {
				others[i] = append(others[i], need)
			}
		}
		children[parent] = append(children[parent], i)
	}
	var rows []row
	var walk func(parent, depth int, indent string)
	walk = func(parent, depth int, indent string) {
		list := children[parent]
		for k, i := range list {
			branch, next := "├─ ", indent+"│  "
			if k == len(list)-1 {
				branch, next = "└─ ", indent+"   "
			}
			if depth >= maxDepth {
				next = indent
			}
			rows = append(rows, row{indent + branch, tasks[i], others[i]})
			walk(i, depth+1, next)
		}
	}
	walk(top, 0, "")
	return rows
}
