package redact

// scanner redacts a stream. It holds back the end of the stream as long as it
// may be the beginning of a secret, and no longer, so that a live log is live.
type scanner struct {
	tree  *tree
	state int32
	held  []byte // what is not yet given out
	hide  []span // parts of held that are secret: in order, apart from each other
}

// span is a half-open range of held.
type span struct{ from, to int }

// feed takes more of the stream and returns what may be shown.
func (s *scanner) feed(p []byte) []byte {
	for _, b := range p {
		s.state = s.tree.step(s.state, b)
		s.held = append(s.held, b)
		if length := s.tree.nodes[s.state].longest; length > 0 {
			s.mark(span{len(s.held) - int(length), len(s.held)})
		}
	}
	return s.emit(len(s.held) - int(s.tree.nodes[s.state].depth))
}

// mark adds a secret part; parts that overlap become one, since a secret that
// contains another must not be shown in pieces.
func (s *scanner) mark(found span) {
	for len(s.hide) > 0 {
		last := s.hide[len(s.hide)-1]
		if last.to <= found.from {
			break
		}
		found.from = min(found.from, last.from)
		s.hide = s.hide[:len(s.hide)-1]
	}
	s.hide = append(s.hide, found)
}

// emit gives out held up to end, which may not split a secret part: what comes
// may still extend it.
func (s *scanner) emit(end int) []byte {
	for _, h := range s.hide {
		if h.to > end {
			end = min(end, h.from)
			break
		}
	}
	var out []byte
	at, hidden := 0, 0
	for _, h := range s.hide {
		if h.to > end {
			break
		}
		out = append(append(out, s.held[at:h.from]...), Mark...)
		at = h.to
		hidden++
	}
	out = append(out, s.held[at:end]...)
	s.held = append(s.held[:0], s.held[end:]...)
	s.hide = append(s.hide[:0], s.hide[hidden:]...)
	for i := range s.hide {
		s.hide[i].from -= end
		s.hide[i].to -= end
	}
	return out
}

// flush gives out the rest; the beginning of a secret is none.
func (s *scanner) flush() []byte {
	s.state = 0
	return s.emit(len(s.held))
}
