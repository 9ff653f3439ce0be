package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/signalboxhq/signalbox/tenancy/session"
)

// Config is all that a replica of the control plane is told from outside.
type Config struct {
	// Address is where people and agents are served.
	Address string `env:"SIGNALBOX_ADDRESS, default=127.0.0.1:7070"`
	// InternalAddress is where other replicas pass frames on. It must be
	// reachable by them, and by nobody else.
	InternalAddress string `env:"SIGNALBOX_INTERNAL_ADDRESS, default=127.0.0.1:0"`
	// PublicURL is what links and install commands name.
	PublicURL string `env:"SIGNALBOX_PUBLIC_URL"`
	// Proxies is how many proxies of ours stand before this server, each of which
	// appends the address it sees to X-Forwarded-For. With too few, all clients
	// share a proxy's address and are slowed down together; with too many, a
	// client writes its own. Left out (-1) it is 1 behind https, which something
	// before us must end, and otherwise 0.
	Proxies int `env:"SIGNALBOX_PROXIES, default=-1"`
	// DatabaseURL names a user who may work as the sb_ roles, or create them.
	DatabaseURL Secret `env:"DATABASE_URL"`
	// DatabaseWait is how long a server that starts waits for a database that does
	// not answer.
	DatabaseWait time.Duration `env:"SIGNALBOX_DATABASE_WAIT, default=1m"`
	// Mail is where mail goes: "terminal", "file:<folder>" or an smtp:// URL.
	Mail Secret `env:"SIGNALBOX_MAIL, default=terminal"`
	// MailFrom is the sender's address.
	MailFrom string `env:"SIGNALBOX_MAIL_FROM, default=Signalbox <no-reply@localhost>"`
	LogLevel string `env:"SIGNALBOX_LOG_LEVEL, default=info"`
	// RetentionMonths is how long after the end of its last run a month's journals
	// stay in the database. Only what `signalbox server archive` has written is
	// ever dropped. 0 keeps all; less than 2 months do not work.
	RetentionMonths int `env:"SIGNALBOX_RETENTION_MONTHS, default=13"`
	// ProfileAddress is where Go's profiles are served under /debug/pprof, to
	// whoever reaches it: a loopback address. Empty, which is usual, serves none.
	ProfileAddress string `env:"SIGNALBOX_PROFILE_ADDRESS"`
}

// Secret is text that must not be logged.
type Secret string

// LogValue hides it.
func (Secret) LogValue() slog.Value { return slog.StringValue("REDACTED") }

// String hides it from whoever prints a Config.
func (Secret) String() string { return "REDACTED" }

// GoString hides it from %#v.
func (Secret) GoString() string { return `"REDACTED"` }

func loadConfig(ctx context.Context) (Config, error) {
	var c Config
	if err := envconfig.Process(ctx, &c); err != nil {
		return Config{}, fmt.Errorf("read the environment: %w", err)
	}
	return c, nil
}

// Validate refuses what could not work, and fills in what follows.
func (c *Config) Validate() error {
	if c.DatabaseURL == "" {
		return errors.New("DATABASE_URL is not set; name a PostgreSQL database, or run `signalbox dev`, which starts one")
	}
	if c.PublicURL == "" {
		c.PublicURL = "http://" + c.Address
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("SIGNALBOX_PUBLIC_URL %q is not an http(s) URL", c.PublicURL)
	}
	if c.RetentionMonths < 0 || c.RetentionMonths == 1 {
		return fmt.Errorf("SIGNALBOX_RETENTION_MONTHS %d is not 0 or at least 2", c.RetentionMonths)
	}
	if c.ProfileAddress != "" {
		host, _, err := net.SplitHostPort(c.ProfileAddress)
		if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return fmt.Errorf("SIGNALBOX_PROFILE_ADDRESS %q is not an address of this machine alone, as 127.0.0.1:6060", c.ProfileAddress)
		}
	}
	if c.Proxies < -1 {
		return fmt.Errorf("SIGNALBOX_PROXIES is %d: want how many proxies stand before this server", c.Proxies)
	}
	if c.Proxies == -1 {
		c.Proxies = 0
		if c.secure() {
			c.Proxies = 1
		}
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	return nil
}

// secure reports whether browsers reach us over TLS.
func (c *Config) secure() bool { return strings.HasPrefix(c.PublicURL, "https://") }

// clientIP finds the address that a request came from.
func (c *Config) clientIP() func(*http.Request) string { return session.Forwarded(c.Proxies) }

// warnings lists what is fine on a developer's machine and nowhere else.
func (c *Config) warnings() []string {
	var out []string
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return nil // Validate has refused it
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if !c.secure() && !local {
		out = append(out, "SIGNALBOX_PUBLIC_URL is not https: passwords and session cookies travel in the clear")
	}
	if c.Mail == "terminal" && !local {
		out = append(out, "SIGNALBOX_MAIL is terminal: the links of mails, which let people in, are written to this log")
	}
	return out
}

// LogValue is the configuration as the first log line shows it.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("address", c.Address), slog.String("internal_address", c.InternalAddress),
		slog.String("public_url", c.PublicURL), slog.Int("proxies", c.Proxies), slog.Any("database_url", c.DatabaseURL), slog.Any("mail", c.Mail),
	)
}

func (c Config) level() slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return slog.LevelInfo
	}
	return l
}
