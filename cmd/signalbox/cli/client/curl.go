package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// ErrWritten is what a call ends with that was written down as a curl command
// and not made.
var ErrWritten = errors.New("the call was written down, not made")

// secretFields are the fields of requests that hold a secret: their place is
// shown, never their content.
var secretFields = map[protoreflect.FullName]bool{
	"signalbox.tenancy.v1.SignInRequest.password":        true,
	"signalbox.tenancy.v1.SignUpRequest.password":        true,
	"signalbox.tenancy.v1.VerifyEmailRequest.token":      true,
	"signalbox.tenancy.v1.AcceptInvitationRequest.token": true,
}

// writeCurl writes a call as a curl command that does the same. The credential
// stands there as $SIGNALBOX_TOKEN.
func (c *caller) writeCurl(spec connect.Spec, msg proto.Message) error {
	body, err := protojson.Marshal(withoutSecrets(msg))
	if err != nil {
		return fmt.Errorf("write the call as JSON: %w", err)
	}
	// protojson puts random blanks into its output; what is printed is stable.
	var stable bytes.Buffer
	if err := json.Compact(&stable, body); err != nil {
		return fmt.Errorf("write the call as JSON: %w", err)
	}
	text := stable.String()
	stream := spec.StreamType == connect.StreamTypeServer

	var b strings.Builder
	if stream {
		// A stream's messages come with a flag and their length before them.
		n := len(text)
		fmt.Fprintf(&b, `printf '\000\%03o\%03o\%03o\%03o%%s' %s | `, n>>24&0xff, n>>16&0xff, n>>8&0xff, n&0xff, quote(text))
	}
	b.WriteString("curl -sS")
	if stream {
		b.WriteString("N")
	}
	fmt.Fprintf(&b, " %s \\\n", quote(c.config.Server+spec.Procedure))
	if c.config.Token != "" {
		b.WriteString("  -H \"Authorization: Bearer $SIGNALBOX_TOKEN\" \\\n")
	}
	for _, h := range [][2]string{{HeaderOrganization, c.config.Organization}, {HeaderWorkspace, c.config.Workspace}} {
		if h[1] != "" {
			fmt.Fprintf(&b, "  -H %s \\\n", quote(h[0]+": "+h[1]))
		}
	}
	if stream {
		b.WriteString("  -H 'Content-Type: application/connect+json' \\\n  --data-binary @-\n")
	} else {
		fmt.Fprintf(&b, "  -H 'Content-Type: application/json' \\\n  -d %s\n", quote(text))
	}
	if _, err := fmt.Fprint(c.config.Curl, b.String()); err != nil {
		return fmt.Errorf("write the call: %w", err)
	}
	return ErrWritten
}

func withoutSecrets(msg proto.Message) proto.Message {
	out := proto.Clone(msg)
	out.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if secretFields[f.FullName()] {
			out.ProtoReflect().Set(f, protoreflect.ValueOfString("…"))
		}
		return true
	})
	return out
}

// quote makes one word for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
