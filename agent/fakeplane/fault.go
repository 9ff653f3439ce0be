package fakeplane

import (
	"connectrpc.com/connect"

	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

// faults are errors that the next calls of a method get.
type faults map[string][]error

func (f faults) next(method string) error {
	planted := f[method]
	if len(planted) == 0 {
		return nil
	}
	f[method] = planted[1:]
	return planted[0]
}

// Fail makes the next calls of a method fail before they do anything.
func (p *Plane) Fail(method string, times int, code connect.Code, reason faultv1.Reason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.faults == nil {
		p.faults = faults{}
	}
	for range times {
		p.faults[method] = append(p.faults[method], refuse(code, reason))
	}
}

// AwaitFault waits until one of so many planted faults was met.
func (p *Plane) AwaitFault(method string, planted int) {
	p.t.Helper()
	p.until("a fault", func() bool { return len(p.faults[method]) < planted })
}

// LoseAnswer makes the next call of a method do its work and answer with an
// error, as when the connection breaks at the wrong moment.
func (p *Plane) LoseAnswer(method string) {
	p.Fail("answer of "+method, 1, connect.CodeUnavailable, faultv1.Reason_REASON_UNAVAILABLE)
}

// answer is how handlers answer, so that an answer can be lost.
func answer[Response any](p *Plane, method string, response *Response) (*Response, error) {
	if err := p.faults.next("answer of " + method); err != nil {
		return nil, err
	}
	return response, nil
}
