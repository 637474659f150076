package hook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/ingest"
)

// maxChanges in one request.
const maxChanges = 1000

// changes takes one change, several one after the other, or an array of them. Time may be left out: then it is now.
func (h *Hooks) changes(w http.ResponseWriter, r *http.Request) (string, error) {
	n, err := h.takeChanges(w, r)
	if err != nil {
		h.cfg.Intake.NotTaken("changes", ingest.Changes, 1, err)
		return "", err
	}
	return fmt.Sprintf("%d changes", n), nil
}

func (h *Hooks) takeChanges(w http.ResponseWriter, r *http.Request) (int, error) {
	if err := h.cfg.Auth.Check(r, ""); err != nil {
		return 0, err
	}
	body, hold, err := h.cfg.Intake.Body(w, r)
	if err != nil {
		return 0, err
	}
	defer hold.Release()
	changes, err := readChanges(body, h.cfg.Now())
	if err != nil {
		return 0, err
	}
	asked := map[string]bool{}
	for _, c := range changes {
		if !asked[c.Service] {
			asked[c.Service] = true
			if err := h.cfg.Auth.Check(r, c.Service); err != nil {
				return 0, err
			}
		}
	}
	if err := h.keep(r.Context(), "changes", changes); err != nil {
		return 0, err
	}
	return len(changes), nil
}

// SentChange is a change as it is sent. Without a time it is now.
type SentChange struct {
	Time    *time.Time `json:"time,omitempty"`
	Kind    string     `json:"kind"`
	Service string     `json:"service"`
	Version string     `json:"version,omitempty"`
	Summary string     `json:"summary,omitempty"`
}

func readChanges(body []byte, now time.Time) ([]inquest.Change, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	array := false
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		array = true
		if _, err := d.Token(); err != nil {
			return nil, badJSON(err)
		}
	}
	var out []inquest.Change
	for !array || d.More() {
		var s SentChange
		err := d.Decode(&s)
		if errors.Is(err, io.EOF) && !array {
			break
		}
		if err != nil {
			return nil, badJSON(err)
		}
		c, err := s.change(now)
		if err != nil {
			return nil, ingest.Refuse(http.StatusBadRequest, "change %d: %w", len(out)+1, err)
		}
		if out = append(out, c); len(out) > maxChanges {
			return nil, ingest.Refuse(http.StatusBadRequest, "more than %d changes: send them in several requests", maxChanges)
		}
	}
	if array {
		if _, err := d.Token(); err != nil {
			return nil, badJSON(err)
		}
	}
	if len(out) == 0 {
		return nil, ingest.Refuse(http.StatusBadRequest, "there is no change in the body: send %s", exampleChange)
	}
	return out, nil
}

const exampleChange = `{"kind":"deploy","service":"checkout","version":"5.18.1","summary":"loyalty points"}`

func badJSON(err error) error {
	return ingest.Refuse(http.StatusBadRequest, "the body is no change: %w: send %s; a time is written as 2026-11-20T16:00:00Z", err, exampleChange)
}

func (s *SentChange) change(now time.Time) (inquest.Change, error) {
	c := inquest.Change{Time: now.UTC(), Kind: inquest.ChangeKind(s.Kind), Service: ingest.CleanName(s.Service), Version: tidy(s.Version, maxVersion), Summary: tidy(s.Summary, maxSummary)}
	if s.Time != nil {
		c.Time = s.Time.UTC()
	}
	switch c.Kind {
	case inquest.ChangeDeploy, inquest.ChangeConfig, inquest.ChangeMigration, inquest.ChangeFlag, inquest.ChangeScale, inquest.ChangeRestart, inquest.ChangeInfra:
	default:
		return c, fmt.Errorf("kind %.40q is not known: deploy, config, migration, flag, scale, restart or infra", s.Kind)
	}
	if c.Service == "" {
		return c, errors.New("it does not say which service was changed")
	}
	if c.Time.Year() < 2000 || c.Time.After(now.AddDate(1, 0, 0)) {
		return c, fmt.Errorf("its time %s cannot be", c.Time.Format(time.RFC3339))
	}
	return c, nil
}
