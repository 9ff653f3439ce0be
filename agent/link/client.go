package link

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"

	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1/agentv1connect"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// callTimeout bounds a call that does not wait for work; a poll has it on top of
// its wait.
const callTimeout = 30 * time.Second

// maxAnswer bounds what the control plane may answer with: a plan, or the inputs
// of a task.
const maxAnswer = 32 << 20

// Client makes the calls of one agent. It is safe for concurrent use.
type Client struct {
	Clock *Clock

	path     string
	server   string
	identity *Identity
	public   agentv1connect.AgentServiceClient // for calls without a token
	agent    agentv1connect.AgentServiceClient
}

// Options are what a Client is made of.
type Options struct {
	Server    string
	Identity  *Identity
	Path      string            // of the identity's file
	Transport http.RoundTripper // default: http.DefaultTransport, which honours HTTPS_PROXY
	Clock     *Clock            // default: this machine's
}

// NewClient makes a client. It calls nobody yet.
func NewClient(o Options) *Client {
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Clock == nil {
		o.Clock = NewClock(time.Now)
	}
	plain := &listener{clock: o.Clock, next: o.Transport}
	public := agentv1connect.NewAgentServiceClient(&http.Client{Transport: plain}, o.Server, connect.WithReadMaxBytes(maxAnswer))
	held := &tokens{public: public, identity: o.Identity, clock: o.Clock}
	agent := agentv1connect.NewAgentServiceClient(
		&http.Client{Transport: &bearer{tokens: held, next: plain}}, o.Server, connect.WithReadMaxBytes(maxAnswer))
	return &Client{Clock: o.Clock, path: o.Path, server: o.Server, identity: o.Identity, public: public, agent: agent}
}

// Identity is who the client speaks for.
func (c *Client) Identity() *Identity { return c.identity }

// IDs are the organization and workspace that values are bound to.
func (c *Client) IDs() (org, workspace id.UUID, err error) { return c.identity.ids() }

// Enroll exchanges a join token for an identity and saves it. Repeating it is
// harmless. Reasons: TOKEN_INVALID, TOKEN_USED, TOKEN_EXPIRED.
func (c *Client) Enroll(ctx context.Context, token, name, version string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	public, ok := c.identity.Key.Public().(ed25519.PublicKey)
	if !ok {
		return errors.New("enroll: the agent's key is no Ed25519 key")
	}
	response, err := c.public.Enroll(ctx, &agentv1.EnrollRequest{Token: token, PublicKey: public, Name: name, Version: version})
	if err != nil {
		return fmt.Errorf("enroll: %w", err)
	}
	enrolled := Identity{
		Key: c.identity.Key, Agent: response.GetAgentId(), Organization: response.GetOrganizationId(),
		Workspace: response.GetWorkspaceId(), Pool: response.GetPoolId(), PoolName: response.GetPool(),
		GrantKey: response.GetGrantKey(), Server: c.server,
	}
	if _, _, err := enrolled.ids(); err != nil || len(enrolled.GrantKey) != ed25519.PublicKeySize || !enrolled.Enrolled() {
		return errors.Join(errors.New("enroll: the answer is not that of a Signalbox control plane"), err)
	}
	*c.identity = enrolled
	return c.identity.save(c.path)
}

// CheckAccess proves that the control plane knows this agent and takes its token.
// Reasons: AGENT_REVOKED.
func (c *Client) CheckAccess(ctx context.Context) error {
	// No version has this digest: an agent that is let in hears that it is not
	// found.
	_, err := c.Plan(ctx, "", strings.Repeat("0", 64))
	if connect.CodeOf(err) == connect.CodeNotFound {
		return nil
	}
	return err
}

// call makes one call with a token. A token that is refused is renewed once: the
// control plane may have been set up anew, or its key rotated.
func call[Response any](ctx context.Context, what string, do func(context.Context) (*Response, error)) (*Response, error) {
	return callWithin(ctx, callTimeout, what, do)
}

func callWithin[Response any](ctx context.Context, limit time.Duration, what string, do func(context.Context) (*Response, error)) (*Response, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	response, err := do(ctx)
	if connect.CodeOf(err) == connect.CodeUnauthenticated && ReasonOf(err) != ReasonAgentRevoked {
		response, err = do(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return response, nil
}

// OpenSession starts a living connection. Reasons: AGENT_REVOKED.
func (c *Client) OpenSession(ctx context.Context, o Opening) (Session, SealingKey, error) {
	response, err := call(ctx, "open a session", func(ctx context.Context) (*agentv1.OpenSessionResponse, error) {
		return c.agent.OpenSession(ctx, &agentv1.OpenSessionRequest{
			Capacity: toCapacity(o.Capacity), Labels: o.Labels, Version: o.Version, SealingKids: o.SealingKIDs,
			Replaces: o.Replaces, Adopted: o.Adopted, PolicyDigest: o.PolicyDigest, Address: o.Address,
		})
	})
	if err != nil {
		return Session{}, SealingKey{}, err
	}
	return Session{
		ID: response.GetSessionId(), Heartbeat: time.Duration(response.GetHeartbeatMs()) * time.Millisecond,
		Orders: fromOrders(response.GetOrders()),
	}, SealingKey{KID: response.GetSealingKid(), Public: response.GetSealingPublicKey()}, nil
}

// Poll waits for work, and is a heartbeat. Reasons: SESSION_EXPIRED,
// AGENT_REVOKED.
func (c *Client) Poll(ctx context.Context, p Poll) (Work, error) {
	response, err := callWithin(ctx, p.Wait+callTimeout, "poll", func(ctx context.Context) (*agentv1.PollResponse, error) {
		return c.agent.Poll(ctx, &agentv1.PollRequest{
			SessionId: p.Session, Free: toCapacity(p.Free), WaitMs: uint32(p.Wait.Milliseconds()),
			ListsLeases: true, Held: toHeld(p.Held), Draining: p.Draining, Closing: p.Closing,
		})
	})
	return fromWork(response.GetWork()), err
}

// Report ends attempts and may bring the next leases. The answers are in the
// order of the reports.
func (c *Client) Report(ctx context.Context, session string, reports []Report, free Capacity) ([]Answer, Work, error) {
	response, err := call(ctx, "report", func(ctx context.Context) (*agentv1.ReportResponse, error) {
		request := &agentv1.ReportRequest{SessionId: session, Free: toCapacity(free)}
		now := time.Now()
		for _, r := range reports {
			request.Reports = append(request.Reports, toReport(r, now))
		}
		return c.agent.Report(ctx, request)
	})
	if err != nil {
		return nil, Work{}, err
	}
	byLease := map[int64]Answer{}
	for _, result := range response.GetResults() {
		byLease[result.GetLeaseId()] = fromAnswer(result.GetStatus())
	}
	answers := make([]Answer, len(reports))
	for i, r := range reports {
		answers[i] = byLease[r.Lease]
	}
	return answers, fromWork(response.GetWork()), nil
}

// Plan fetches the plan bytes of a version. They are not checked here.
func (c *Client) Plan(ctx context.Context, pipeline, version string) ([]byte, error) {
	response, err := call(ctx, "get a plan", func(ctx context.Context) (*agentv1.GetPlanResponse, error) {
		return c.agent.GetPlan(ctx, &agentv1.GetPlanRequest{Pipeline: pipeline, Version: version})
	})
	return response.GetPlan(), err
}

// Inputs fetches a page of the values that a leased task reads; the first one has
// no token. Reasons: STALE_FENCE.
func (c *Client) Inputs(ctx context.Context, lease int64, page string) (Inputs, error) {
	response, err := call(ctx, "get inputs", func(ctx context.Context) (*agentv1.GetInputsResponse, error) {
		return c.agent.GetInputs(ctx, &agentv1.GetInputsRequest{LeaseId: lease, PageToken: page})
	})
	inputs := Inputs{Params: fromValues(response.GetParams()), Env: fromValues(response.GetEnv()), Next: response.GetNextPageToken()}
	for _, t := range response.GetTasks() {
		inputs.Tasks = append(inputs.Tasks, TaskValues{
			Task: t.GetTask(), Agent: t.GetAgentId(), Outputs: fromValues(t.GetOutputs()), Artifacts: fromArtifacts(t.GetArtifacts()),
			Indexes: t.GetIndexes(), Counts: t.GetCounts(), State: t.GetState(),
		})
	}
	return inputs, err
}

// RunValues fetches all values of a run, for the reader of a data request.
func (c *Client) RunValues(ctx context.Context, run, grant string) (RunValues, error) {
	response, err := call(ctx, "get a run's values", func(ctx context.Context) (*agentv1.GetRunValuesResponse, error) {
		return c.agent.GetRunValues(ctx, &agentv1.GetRunValuesRequest{RunId: run, Grant: grant})
	})
	values := RunValues{Params: fromValues(response.GetParams())}
	for _, t := range response.GetTasks() {
		values.Tasks = append(values.Tasks, TaskValues{
			Task: t.GetTask(), Attempt: t.GetAttempt(), Outputs: fromValues(t.GetOutputs()), Artifacts: fromArtifacts(t.GetArtifacts()),
			Signal: t.GetSignal(), Message: fromMessage(t.GetMessage()),
		})
	}
	for _, e := range response.GetErrors() {
		values.Errors = append(values.Errors, SealedError{Task: e.GetTask(), Attempt: e.GetAttempt(), Sealed: e.GetSealed()})
	}
	return values, err
}

// OfferSealingKey offers a public key as the workspace's, if it has none yet,
// and returns the one that holds.
func (c *Client) OfferSealingKey(ctx context.Context, offer SealingKey) (SealingKey, error) {
	response, err := call(ctx, "offer a sealing key", func(ctx context.Context) (*agentv1.OfferSealingKeyResponse, error) {
		return c.agent.OfferSealingKey(ctx, &agentv1.OfferSealingKeyRequest{Kid: offer.KID, PublicKey: offer.Public})
	})
	return SealingKey{KID: response.GetKid(), Public: response.GetPublicKey()}, err
}

// ErrStreamClosed means that the reader of a stream went away.
var ErrStreamClosed = errors.New("the reader has closed the stream")

// SendFrames passes sealed frames on to their reader.
func (c *Client) SendFrames(ctx context.Context, stream string, frames []Frame) error {
	response, err := call(ctx, "send frames", func(ctx context.Context) (*agentv1.SendFramesResponse, error) {
		request := &agentv1.SendFramesRequest{StreamId: stream}
		for _, f := range frames {
			request.Frames = append(request.Frames, &relayv1.Frame{Seq: f.Seq, Ciphertext: f.Ciphertext, Last: f.Last})
		}
		return c.agent.SendFrames(ctx, request)
	})
	if response.GetClosed() || ReasonOf(err) == ReasonStreamClosed {
		return ErrStreamClosed
	}
	return err
}
