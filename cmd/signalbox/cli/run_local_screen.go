package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/follow"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// localScreen is what a local run writes to: lines, and on a terminal the tree
// below them, which is drawn anew. One writer at a time.
type localScreen struct {
	out     io.Writer
	painter output.Painter
	now     func() time.Time
	tree    *follow.Screen // nil where there is no terminal

	mu   sync.Mutex
	last *runv1.WatchRunResponse
	gone bool
	done chan struct{} // closed when the run has ended
}

// Write writes whole lines above the tree.
func (s *localScreen) Write(b []byte) (n int, err error) {
	s.beside(func() { n, err = s.out.Write(b) })
	return n, err
}

// beside does something that writes to the terminal, with the tree out of the way.
func (s *localScreen) beside(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tree != nil {
		s.tree.Clear()
	}
	do()
	s.redraw()
}

// draw shows the run as it stands; nil: with the clocks gone on.
func (s *localScreen) draw(res *runv1.WatchRunResponse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if res != nil {
		s.last = res
	}
	s.redraw()
}

func (s *localScreen) redraw() {
	if s.tree != nil && s.last != nil && !s.gone {
		s.tree.Draw(follow.Tree(s.painter, s.last, s.now()))
	}
}

func (s *localScreen) print(text string) error {
	_, err := io.WriteString(s, text)
	return err
}

// over says that the run has ended: what comes now are the ends of its logs.
func (s *localScreen) over() { close(s.done) }

func (s *localScreen) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// end leaves the run as it ended.
func (s *localScreen) end(res *runv1.WatchRunResponse) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tree != nil {
		s.tree.Clear()
	}
	s.gone = true
	_, err := fmt.Fprintln(s.out, "\n"+strings.Join(follow.Tree(s.painter, res, s.now()), "\n"))
	return err
}
