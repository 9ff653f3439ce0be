// Package schedule knows when a schedule fires: cron expressions, intervals and
// lists of dates, in a time zone, less what is excluded; which of the times
// that were missed are made up for; and what happens when a run is due while
// the one before still runs.
//
// It is pure: it reads no clock and starts nothing. Who ticks is
// controlplane/firing.
//
// # Nominal times
//
// A fire is named by its nominal time, which depends on the schedule alone. So
// any number of replicas, at any moment and after any crash, agree on the names
// of the fires between two instants. Jitter moves when a fire is served, never
// its name.
//
// # Clocks that are put forward and back
//
// A cron expression speaks of wall clocks. One that names hours fires once per
// wall time that it names: a time that does not exist (02:30 when 02:00 becomes
// 03:00) fires at the first instant that does, one that exists twice fires the
// first time. One of every hour (its hour field allows all 24) follows elapsed
// time instead: neither does it pause for an hour when the clock is put back,
// nor fire twice when it is put forward. An interval is elapsed time always.
package schedule
