package local

import "github.com/signalboxhq/signalbox/proto/id"

// Started is an attempt whose step runs, or has run.
type Started struct {
	Run     id.UUID
	Task    string
	Attempt uint32
	// Nested is the pipeline's name and number of a run that another one started;
	// empty for the run itself.
	Nested string
}

// Started lists the attempts that have started, without the first ones that the
// caller knows, and what is closed at the next change.
func (p *Plane) Started(known int) ([]Started, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Started(nil), p.started[known:]...), p.changed
}

// begun notes once that the step of an attempt runs, or has run. The lock is held.
func (p *Plane) begun(l *lease) {
	if l == nil || l.shown || l.attempt < 1 {
		return
	}
	l.shown = true
	s := Started{Run: l.run.id, Task: l.message.GetTask(), Attempt: uint32(l.attempt)}
	if l.run.parent != nil {
		s.Nested = l.run.name()
	}
	p.started = append(p.started, s)
}
