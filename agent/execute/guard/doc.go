// Package guard is the parent of a step's process: a second, tiny life of the
// agent's own binary (`signalbox-agent step-guard`), one per attempt.
//
//	agent ──control pipe──▶ guard ──fork──▶ step ──▶ its children …
//	      ◀──event pipe────
//	      ◀──stdout, stderr (the guard hands them on and never writes)──
//
// Why it exists. A step must not outlive its agent, however the agent dies, and
// nothing of a step may outlive the step:
//
//   - The agent is killed -9: the control pipe reads EOF, since the agent held
//     its only write end. The guard ends the step and then itself.
//   - The step leaves processes behind, even such as left its process group or
//     session (daemons): the guard is a child subreaper, so they become its
//     children, and it ends only when it has none.
//   - The guard itself is killed -9: the kernel kills the step (PDEATHSIG), and
//     the agent kills the step's process group.
//   - The agent is frozen (SIGSTOP, a suspended machine): nothing happens. An
//     agent that is not heard keeps its steps; it learns on waking that its
//     leases are stale and stops them. So the guard has no clock of its own
//     but the grace between TERM and KILL.
//
// The subreaper and PDEATHSIG are Linux; elsewhere a step's left-overs are
// killed by process group only.
//
// The guard decides nothing about limits, retries or outcomes (execute/process
// does), and it holds no secrets but the step's environment, which it receives
// over the pipe and never in its own arguments or environment.
package guard
