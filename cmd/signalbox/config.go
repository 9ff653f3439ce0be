package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/sethvargo/go-envconfig"
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
	// DatabaseURL names a user who may work as the sb_ roles, or create them.
	DatabaseURL Secret `env:"DATABASE_URL"`
	// Mail is where mail goes: "terminal", "file:<folder>" or an smtp:// URL.
	Mail Secret `env:"SIGNALBOX_MAIL, default=terminal"`
	// MailFrom is the sender's address.
	MailFrom string `env:"SIGNALBOX_MAIL_FROM, default=Signalbox <no-reply@localhost>"`
	LogLevel string `env:"SIGNALBOX_LOG_LEVEL, default=info"`
}

// Secret is text that must not be logged.
type Secret string

// LogValue hides it.
func (Secret) LogValue() slog.Value { return slog.StringValue("REDACTED") }

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
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	return nil
}

// secure reports whether browsers reach us over TLS.
func (c *Config) secure() bool { return strings.HasPrefix(c.PublicURL, "https://") }

// LogValue is the configuration as the first log line shows it.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("address", c.Address), slog.String("internal_address", c.InternalAddress),
		slog.String("public_url", c.PublicURL), slog.Any("database_url", c.DatabaseURL), slog.Any("mail", c.Mail),
	)
}

func (c Config) level() slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return slog.LevelInfo
	}
	return l
}
