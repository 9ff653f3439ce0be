package replica

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// ErrGone says that a replica's process has ended, and all that it held with it.
var ErrGone = errors.New("the replica is gone")

func newClient() *http.Client {
	dialer := &net.Dialer{Timeout: 2 * time.Second}
	return &http.Client{
		// Without Proxy: a proxy that the environment names leads outside.
		Transport: &http.Transport{
			DialContext: dialer.DialContext, MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Call has another replica's handler serve a request and returns its fault.
// ctx must bound it. Errors: ErrGone; others mean that it may or may not have
// been served.
func (r *Replica) Call(ctx context.Context, to id.UUID, path string, body []byte) error {
	_, err := r.Ask(ctx, to, path, body)
	return err
}

// Ask is Call for a handler of HandleAsk: it returns what that answers.
func (r *Replica) Ask(ctx context.Context, to id.UUID, path string, body []byte) ([]byte, error) {
	p, err := r.find(ctx, to)
	if err != nil {
		return nil, err
	}
	answer, err := r.call(ctx, p, to, path, body)
	if _, unreachable := errors.AsType[*net.OpError](err); !unreachable {
		return answer, err
	}
	// It may have left since the cache was filled.
	switch p, look := r.read(ctx, to); {
	case errors.Is(look, ErrGone), look == nil && !p.alive:
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	default:
		return nil, err
	}
}

func (r *Replica) call(ctx context.Context, p peer, to id.UUID, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.address+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask replica %s: %w", to, err)
	}
	req.Header.Set(header, r.sign(to, path, body))
	res, err := r.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask replica %s: %w", to, err)
	}
	defer func() { _ = res.Body.Close() }()
	return readAnswer(to, res)
}

func readAnswer(to id.UUID, res *http.Response) ([]byte, error) {
	switch res.StatusCode {
	case statusDone:
		return nil, nil
	case statusAnswer:
		answer, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
		if err != nil {
			return nil, fmt.Errorf("read the answer of replica %s: %w", to, err)
		}
		return answer, nil
	case statusRefused:
		// Its address belongs to somebody else by now, or the clocks differ.
		return nil, fmt.Errorf("%w: replica %s refused", ErrGone, to)
	case statusFault:
		var w wireFault
		if err := json.NewDecoder(io.LimitReader(res.Body, maxBody)).Decode(&w); err != nil {
			return nil, fmt.Errorf("read the answer of replica %s: %w", to, err)
		}
		if f, ok := w.fault(); ok {
			return nil, f
		}
		return nil, fmt.Errorf("replica %s answered with a fault of kind %q", to, w.Kind)
	}
	return nil, fmt.Errorf("replica %s answered with status %d", to, res.StatusCode)
}
