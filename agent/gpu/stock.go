package gpu

// Stock is the devices of an agent: each is free or held by one attempt. It is
// not safe for concurrent use.
type Stock struct {
	ids  []string
	held map[int64][]string // by holder
}

// NewStock returns a stock in which all devices are free.
func NewStock(ids []string) *Stock {
	s := &Stock{held: map[int64][]string{}}
	s.Replace(ids)
	return s
}

// Take gives n devices to a holder that has none. It returns false, and gives
// none, if fewer are free.
func (s *Stock) Take(holder int64, n int) ([]string, bool) {
	free := s.free()
	if n > len(free) || len(s.held[holder]) > 0 {
		return nil, false
	}
	if n <= 0 {
		return nil, true
	}
	s.held[holder] = free[:n:n]
	return s.held[holder], true
}

// Return takes back what a holder has.
func (s *Stock) Return(holder int64) { delete(s.held, holder) }

// Replace changes the devices to those that are found now. What is held stays
// with its holder, and is not given out again if it is gone by then.
func (s *Stock) Replace(ids []string) { s.ids = append([]string(nil), ids...) }

// Len is how many devices there are.
func (s *Stock) Len() int { return len(s.ids) }

// free lists what nobody holds, in order: that an attempt gets neighbours is
// worth something where they share a faster link.
func (s *Stock) free() []string {
	taken := map[string]bool{}
	for _, ids := range s.held {
		for _, id := range ids {
			taken[id] = true
		}
	}
	var free []string
	for _, id := range s.ids {
		if !taken[id] {
			free = append(free, id)
		}
	}
	return free
}
