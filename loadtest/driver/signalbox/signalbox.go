// Package signalbox puts Signalbox under a scenario: it speaks the public API as
// a customer's program does, and runs agentsim in a process for each tenant.
package signalbox

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"connectrpc.com/connect"

	"github.com/signalboxhq/signalbox/loadtest/agentsim"
	"github.com/signalboxhq/signalbox/loadtest/driver"
	"github.com/signalboxhq/signalbox/loadtest/stack"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1/pipelinev1connect"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1/poolv1connect"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
)

// Driver drives one server.
type Driver struct {
	server *stack.Server
	// database is the URL of the server's database, as the superuser.
	database string
	// agents starts the process of agentsim.
	agents func(ctx context.Context) *exec.Cmd
	// accounts are those that signed up, by name.
	accounts Accounts
}

// Accounts are tenants that a database has, by name. Who drives a copy of the
// database knows them by these.
type Accounts map[string]stack.Account

// New drives a running server on a database, named by the superuser's URL. agents
// is the command of a process that hands its standard input and output to
// agentsim. The accounts are those that the database has; more are added.
func New(server *stack.Server, database string, agents func(ctx context.Context) *exec.Cmd, accounts Accounts) *Driver {
	return &Driver{server: server, database: database, agents: agents, accounts: accounts}
}

// Name is the product's.
func (d *Driver) Name() string { return "signalbox" }

// Processes is the server.
func (d *Driver) Processes() map[string]int { return map[string]int{"server": d.server.PID()} }

// Tenant signs an organization up, unless the database has it.
func (d *Driver) Tenant(ctx context.Context, name string) (driver.Tenant, error) {
	account, known := d.accounts[name]
	if !known {
		var err error
		if account, err = d.server.SignUp(ctx, name); err != nil {
			return nil, err
		}
		d.accounts[name] = account
	}
	// Callers keep their connections, however many there are.
	client := &http.Client{Transport: account.Transport(&http.Transport{MaxIdleConnsPerHost: 1024})}
	return &tenant{
		driver: d, name: name,
		runs:      runv1connect.NewRunServiceClient(client, d.server.URL),
		pipelines: pipelinev1connect.NewPipelineServiceClient(client, d.server.URL),
		pools:     poolv1connect.NewPoolServiceClient(client, d.server.URL),
	}, nil
}

type tenant struct {
	driver    *Driver
	name      string
	runs      runv1connect.RunServiceClient
	pipelines pipelinev1connect.PipelineServiceClient
	pools     poolv1connect.PoolServiceClient
}

// Deploy applies the graph as a pipeline.
func (t *tenant) Deploy(ctx context.Context, g driver.Graph) error {
	if g.Apart {
		if _, err := t.pools.CreatePool(ctx, &poolv1.CreatePoolRequest{Name: apart}); err != nil {
			return fmt.Errorf("make a pool: %w", err)
		}
	}
	if _, err := t.pipelines.ApplyPipeline(ctx, &pipelinev1.ApplyPipelineRequest{Source: []byte(source(g))}); err != nil {
		return fmt.Errorf("apply %s: %w", g.Name, err)
	}
	return nil
}

// Share changes the tenant's default pool.
func (t *tenant) Share(ctx context.Context, s driver.Sharing) error {
	request := &poolv1.UpdatePoolRequest{Name: "default"}
	if s.Teams {
		lanes := "label:" + teamLabel
		request.Fairness = &lanes
	}
	if ms := s.ReserveAfter.Milliseconds(); ms > 0 {
		request.ReserveAfterMs = &ms
	}
	if _, err := t.pools.UpdatePool(ctx, request); err != nil {
		return fmt.Errorf("change the pool: %w", err)
	}
	return nil
}

// apart is the pool that has no agents, teamLabel the label that says whose a run
// is.
const (
	apart     = "apart"
	teamLabel = "team"
)

// source writes the graph in the native format. A step's command is as long as
// it takes for its description to have the wanted size; it is never run.
func source(g driver.Graph) string {
	var b strings.Builder
	fmt.Fprintf(&b, "signalbox: v1\nname: %s\n", g.Name)
	each := ""
	if g.Apart {
		b.WriteString("pool: " + apart + "\n")
	}
	if g.Team != "" {
		b.WriteString("labels: {" + teamLabel + ": " + g.Team + "}\n")
	}
	if g.Items > 0 {
		each += "    for_each: " + strconv.Itoa(g.Items) + "\n"
	}
	if g.Gang > 0 {
		each += "    gang: {size: " + strconv.Itoa(g.Gang) + "}\n"
	}
	outputs := map[driver.Leaving]string{
		driver.OpenValue:   fmt.Sprintf("    outputs: {%s: {type: string, open: true}}\n", agentsim.ResultName),
		driver.SealedValue: fmt.Sprintf("    outputs: {%s: string}\n", agentsim.ResultName),
	}[g.Leaves]
	b.WriteString("tasks:\n")
	for i, step := range g.Steps {
		name := agentsim.StepName(i)
		names := make([]string, 0, len(step.Needs))
		for _, n := range step.Needs {
			names = append(names, agentsim.StepName(n))
		}
		needs := ""
		if len(names) > 0 {
			needs = "    needs: [" + strings.Join(names, ", ") + "]\n"
		}
		head := "  " + name + ":\n    run: \"true "
		pad := max(0, g.SpecBytes-len(head)-len(outputs)-2)
		fmt.Fprintf(&b, "%s%s\"\n%s%s%s", head, strings.Repeat("x", pad), each, needs, outputs)
	}
	return b.String()
}

// Submit starts a run. What the server refuses because it is full is sent again,
// as any client would: back-pressure is no failure.
func (t *tenant) Submit(ctx context.Context, graph, key string) (string, error) {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		out, err := t.runs.StartRun(ctx, &runv1.StartRunRequest{Pipeline: graph, IdempotencyKey: key})
		if err == nil {
			return out.GetRun().GetId(), nil
		}
		if code := connect.CodeOf(err); code != connect.CodeUnavailable && code != connect.CodeResourceExhausted {
			return "", fmt.Errorf("start a run: %w", err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return "", fmt.Errorf("start a run: %w", err)
		}
	}
}

// Work starts agents of the tenant's default pool.
func (t *tenant) Work(ctx context.Context, w driver.Workers, told func([]driver.Event)) (driver.Fleet, error) {
	agents := agentsim.Config{Server: t.driver.server.URL, Prefix: t.name + "-", Workers: w}
	for n := 0; n < w.Count; n += agentsim.AgentsPerToken {
		join, err := t.pools.CreateJoinToken(ctx, &poolv1.CreateJoinTokenRequest{
			Pool: "default", Uses: uint32(min(agentsim.AgentsPerToken, w.Count-n)),
		})
		if err != nil {
			return nil, fmt.Errorf("make a join token: %w", err)
		}
		agents.Tokens = append(agents.Tokens, join.GetToken())
	}
	config, err := json.Marshal(agents)
	if err != nil {
		return nil, fmt.Errorf("encode the agents' settings: %w", err)
	}
	cmd := t.driver.agents(context.WithoutCancel(ctx))
	// It shares the machine with what is measured: on one core it wakes no threads
	// that find nothing to do, and it has memory to spare.
	cmd.Env = append(cmd.Environ(), "GOMAXPROCS=1", "GOGC=800")
	// The agents end when their input does, so also when this process dies.
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("make the agents' pipes: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the agents: %w", err)
	}
	f := &fleet{cmd: cmd}
	if _, err := in.Write(config); err != nil {
		_ = f.Stop()
		return nil, fmt.Errorf("tell the agents their settings: %w", err)
	}
	decoder := gob.NewDecoder(out)
	var first agentsim.Told
	if err := decoder.Decode(&first); err != nil || !first.Online {
		_ = f.Stop()
		return nil, errors.Join(errors.New("the agents did not come online: "+first.Err), err)
	}
	go f.listen(decoder, told)
	return f, nil
}

// fleet is the process of a tenant's agents.
type fleet struct {
	cmd    *exec.Cmd
	counts atomic.Pointer[driver.Counts]
}

func (f *fleet) listen(decoder *gob.Decoder, told func([]driver.Event)) {
	for {
		var t agentsim.Told
		if decoder.Decode(&t) != nil {
			return // the fleet has ended
		}
		f.counts.Store(&driver.Counts{HandedOver: t.Reported, Polled: t.Polled, IdlePolls: t.Idle, OrderedPolls: t.Ordered, Stale: t.Stale, Retried: t.Retried})
		told(t.Events)
	}
}

// PID is the process of the agents.
func (f *fleet) PID() int { return f.cmd.Process.Pid }

// Counts are what the agents told last.
func (f *fleet) Counts() driver.Counts {
	if c := f.counts.Load(); c != nil {
		return *c
	}
	return driver.Counts{}
}

// Stop ends the agents as kill -9 does: what they hold is lost.
func (f *fleet) Stop() error {
	_ = f.cmd.Process.Signal(syscall.SIGKILL)
	_ = f.cmd.Wait()
	return nil
}
