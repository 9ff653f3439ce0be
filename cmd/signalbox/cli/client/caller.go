package client

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

// caller is the interceptor that gives each call its headers and, in curl mode,
// writes it down instead of making it.
type caller struct {
	config Config

	mu    sync.Mutex
	asked bool // for the place
}

var _ connect.Interceptor = (*caller)(nil)

func newCaller(c Config) *caller { return &caller{config: c} }

// WrapUnary limits the time of a call.
func (c *caller) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		c.identify(req.Header())
		if msg, ok := req.Any().(proto.Message); ok && c.writesDown(ctx) {
			return nil, c.writeCurl(req.Spec(), msg)
		}
		ctx, cancel := context.WithTimeout(ctx, CallTimeout)
		defer cancel()
		res, err := next(ctx, req)
		if lacksPlace(err) && c.findPlace(ctx) {
			c.place(req.Header())
			return next(ctx, req)
		}
		return res, err
	}
}

// findPlace asks once where calls belong that do not say it; false if nobody
// knows.
func (c *caller) findPlace(ctx context.Context) bool {
	c.mu.Lock()
	asked := c.asked
	c.asked = true
	c.mu.Unlock()
	if c.config.Place == nil || asked {
		return false
	}
	org, ws := c.config.Place(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if org != "" {
		c.config.Organization = org
	}
	if ws != "" {
		c.config.Workspace = ws
	}
	return org+ws != ""
}

// lacksPlace reports whether a call was refused because it names no organization
// or no workspace.
func lacksPlace(err error) bool {
	refused, ok := errors.AsType[*connect.Error](err)
	if !ok || refused.Code() != connect.CodeInvalidArgument {
		return false
	}
	for _, d := range refused.Details() {
		msg, err := d.Value()
		detail, ok := msg.(*faultv1.Detail)
		if err != nil || !ok {
			continue
		}
		for _, v := range detail.GetViolations() {
			if v.GetPath() == HeaderWorkspace || v.GetPath() == HeaderOrganization {
				return true
			}
		}
	}
	return false
}

// WrapStreamingClient does the same for streams, without a limit of time.
func (c *caller) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		c.identify(conn.RequestHeader())
		if c.writesDown(ctx) {
			return &writtenStream{StreamingClientConn: conn, caller: c}
		}
		return conn
	}
}

// WrapStreamingHandler is for servers: nothing to do.
func (c *caller) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

func (c *caller) identify(h http.Header) {
	h.Set("User-Agent", "signalbox-cli/"+c.config.Version+" "+h.Get("User-Agent"))
	if c.config.Token != "" {
		h.Set("Authorization", "Bearer "+c.config.Token)
	}
	c.place(h)
}

// place says where a call belongs.
func (c *caller) place(h http.Header) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.config.Organization != "" {
		h.Set(HeaderOrganization, c.config.Organization)
	}
	if c.config.Workspace != "" {
		h.Set(HeaderWorkspace, c.config.Workspace)
	}
}

func (c *caller) writesDown(ctx context.Context) bool {
	return c.config.Curl != nil && ctx.Value(preparing{}) == nil
}

type preparing struct{}

// Preparing marks calls that only gather what the command's own call needs, such
// as a pipeline's params: they are made in curl mode too.
func Preparing(ctx context.Context) context.Context {
	return context.WithValue(ctx, preparing{}, true)
}

// writtenStream is a stream whose request is written down instead of sent.
type writtenStream struct {
	connect.StreamingClientConn

	caller *caller
}

// Send ends the call with ErrWritten.
func (s *writtenStream) Send(msg any) error {
	if m, ok := msg.(proto.Message); ok {
		return s.caller.writeCurl(s.Spec(), m)
	}
	return s.StreamingClientConn.Send(msg)
}
