// Package hook is what others call: changes (our own format, and the deployments of GitHub and GitLab), alerts of an Alertmanager, and lines
// of logs over plain HTTP. Changes become lines of changes.jsonl in the spool, where internal/rates and investigations find them as in any
// folder; alerts are handed on.
//
// What it will not do: call anybody back, or follow an address that it was sent.
package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/ingest"
	"github.com/inquesthq/inquest/internal/spool"
)

// Spool takes lines and returns when the disk has them.
type Spool interface {
	Append(ctx context.Context, src spool.Source, lines []byte) error
}

// Config of New. Intake, Spool and Alerts are required.
type Config struct {
	Intake       *ingest.Intake
	Spool        Spool
	Alerts       func(ctx context.Context, alerts []inquest.Alert) error // takes what an Alertmanager tells; it may be told again
	Auth         ingest.Auth
	GitHubSecret string           // of the webhook; "": GitHub's is not answered
	GitLabToken  string           // likewise
	Now          func() time.Time // nil: time.Now
}

// changesSource is where changes go in the spool.
func changesSource() spool.Source { return spool.Source{Name: "changes", Kind: "changes"} }

// Hooks answers. Safe for concurrent use.
type Hooks struct{ cfg Config }

// New returns the Hooks.
func New(cfg Config) (*Hooks, error) {
	if cfg.Intake == nil || cfg.Spool == nil || cfg.Alerts == nil {
		return nil, errors.New("hook: an intake, a spool and somebody who takes alerts are needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Hooks{cfg}, nil
}

// Handler answers POST /api/v1/logs, /api/v1/changes, /api/v1/hooks/github, /api/v1/hooks/gitlab and /api/v1/hooks/alertmanager.
func (h *Hooks) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, f := range map[string]func(http.ResponseWriter, *http.Request) (string, error){
		"/api/v1/logs": h.logs, "/api/v1/changes": h.changes, "/api/v1/hooks/github": h.github, "/api/v1/hooks/gitlab": h.gitlab, "/api/v1/hooks/alertmanager": h.alertmanager,
	} {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			text, err := f(w, r)
			if err != nil {
				ingest.Answer(w, err)
				return
			}
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			fmt.Fprintln(w, text)
		})
	}
	return mux
}

// logs takes lines of any format that internal/parse reads: ?service=checkout, and ?file=access.log where a service has several.
func (h *Hooks) logs(w http.ResponseWriter, r *http.Request) (string, error) {
	service, file := ingest.CleanName(r.URL.Query().Get("service")), ingest.CleanName(r.URL.Query().Get("file"))
	name := service
	if file != "" {
		name += "/" + file
	}
	n, err := h.takeLines(w, r, service, name)
	if err != nil {
		h.cfg.Intake.NotTaken(h.cfg.Intake.Source(service, "unknown"), ingest.Logs, max(n, 1), err)
		return "", err
	}
	return fmt.Sprintf("%d lines", n), nil
}

func (h *Hooks) takeLines(w http.ResponseWriter, r *http.Request, service, name string) (int, error) {
	if service == "" {
		return 0, ingest.Refuse(http.StatusBadRequest, "say whose lines they are: ?service=checkout")
	}
	if err := h.cfg.Auth.Check(r, service); err != nil {
		return 0, err
	}
	body, hold, err := h.cfg.Intake.Body(w, r)
	if err != nil {
		return 0, err
	}
	defer hold.Release()
	if bytes.IndexByte(body, 0) >= 0 {
		return 0, ingest.Refuse(http.StatusBadRequest, "the body is no text: send lines")
	}
	n := bytes.Count(body, []byte{'\n'})
	if len(body) > 0 && body[len(body)-1] != '\n' {
		n++
	}
	source := h.cfg.Intake.Source(name, "unknown")
	if err := h.cfg.Spool.Append(r.Context(), spool.Source{Name: source, Kind: "log"}, body); err != nil {
		return n, fmt.Errorf("the lines were not kept: %w", err)
	}
	h.cfg.Intake.Received(source, ingest.Logs, n)
	return n, nil
}

// keep writes changes where everybody looks for them.
func (h *Hooks) keep(ctx context.Context, who string, changes []inquest.Change) error {
	if len(changes) == 0 {
		return nil
	}
	var lines []byte
	for _, c := range changes {
		b, err := json.Marshal(changeLine{c.Time.UTC().Format(time.RFC3339Nano), string(c.Kind), c.Service, c.Version, c.Summary})
		if err != nil {
			return fmt.Errorf("hook: %w", err)
		}
		lines = append(append(lines, b...), '\n')
	}
	if err := h.cfg.Spool.Append(ctx, changesSource(), lines); err != nil {
		return fmt.Errorf("the change was not kept: %w", err)
	}
	h.cfg.Intake.Received(h.cfg.Intake.Source(who, "unknown"), ingest.Changes, len(changes))
	return nil
}

// changeLine is a line of changes.jsonl: docs/format/changes.md.
type changeLine struct {
	Time    string `json:"time"`
	Kind    string `json:"kind"`
	Service string `json:"service"`
	Version string `json:"version,omitempty"`
	Summary string `json:"summary,omitempty"`
}

// Bounds on what people read in lists.
const (
	maxVersion = 200
	maxSummary = 1000
)

// tidy is a text of one line, printable and of a bounded length.
func tidy(s string, most int) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s))
}
