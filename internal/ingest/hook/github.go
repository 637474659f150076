package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/ingest"
)

// github takes what GitHub tells of deployments, releases and tags: https://docs.github.com/en/webhooks/webhook-events-and-payloads.
// The signature is the proof of who sends. ?service=checkout names the service where the repository does not.
func (h *Hooks) github(w http.ResponseWriter, r *http.Request) (string, error) {
	return h.forge(w, r, "github", h.cfg.GitHubSecret, func(body []byte) error {
		mac := hmac.New(sha256.New, []byte(h.cfg.GitHubSecret))
		mac.Write(body)
		sent, err := hex.DecodeString(strings.TrimPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256="))
		if err != nil || !hmac.Equal(sent, mac.Sum(nil)) {
			return fmt.Errorf("%w: the signature is not that of this body and the webhook's secret", ingest.ErrUnauthenticated)
		}
		return nil
	}, func(body []byte) (inquest.Change, string, error) {
		return githubChange(r.Header.Get("X-GitHub-Event"), body)
	})
}

// forge takes one webhook of a forge: it checks who sends, reads it, and keeps the change that is in it.
func (h *Hooks) forge(w http.ResponseWriter, r *http.Request, name, secret string, check func(body []byte) error, read func(body []byte) (inquest.Change, string, error)) (string, error) {
	text, err := h.takeForge(w, r, name, secret, check, read)
	if err != nil {
		h.cfg.Intake.NotTaken(name, ingest.Changes, 1, err)
	}
	return text, err
}

func (h *Hooks) takeForge(w http.ResponseWriter, r *http.Request, name, secret string, check func(body []byte) error, read func(body []byte) (inquest.Change, string, error)) (string, error) {
	if secret == "" {
		return "", ingest.Refuse(http.StatusNotFound, "no secret for %s is in the settings, and without one anybody could send changes", name)
	}
	body, hold, err := h.cfg.Intake.Body(w, r)
	if err != nil {
		return "", err
	}
	defer hold.Release()
	if err := check(body); err != nil {
		return "", &ingest.Refusal{Status: http.StatusUnauthorized, Err: err}
	}
	c, why, err := read(body)
	if err != nil {
		return "", ingest.Refuse(http.StatusBadRequest, "the body is no webhook of %s: %w", name, err)
	}
	if why != "" {
		return "not kept: " + why, nil
	}
	if s := ingest.CleanName(r.URL.Query().Get("service")); s != "" {
		c.Service = s
	}
	c.Service, c.Version, c.Summary = ingest.CleanName(c.Service), tidy(c.Version, maxVersion), tidy(c.Summary, maxSummary)
	if c.Service == "" {
		return "", ingest.Refuse(http.StatusBadRequest, "it does not say which repository: name the service in the webhook's address, ?service=checkout")
	}
	if c.Time.IsZero() {
		c.Time = h.cfg.Now().UTC()
	}
	if err := h.keep(r.Context(), name, []inquest.Change{c}); err != nil {
		return "", err
	}
	return "1 change of " + c.Service, nil
}

// githubEvent is what is read of the payloads.
type githubEvent struct {
	Action     string `json:"action"`
	Ref        string `json:"ref"`
	After      string `json:"after"`
	Deleted    bool   `json:"deleted"`
	Repository struct {
		Name string `json:"name"`
	} `json:"repository"`
	Deployment struct {
		SHA         string    `json:"sha"`
		Ref         string    `json:"ref"`
		Environment string    `json:"environment"`
		Description string    `json:"description"`
		CreatedAt   time.Time `json:"created_at"`
	} `json:"deployment"`
	Status struct {
		State     string    `json:"state"`
		CreatedAt time.Time `json:"created_at"`
	} `json:"deployment_status"`
	Release struct {
		TagName     string    `json:"tag_name"`
		Name        string    `json:"name"`
		PublishedAt time.Time `json:"published_at"`
	} `json:"release"`
	HeadCommit struct {
		Message string `json:"message"`
	} `json:"head_commit"`
}

// githubChange returns the change of an event, or why it is none.
func githubChange(event string, body []byte) (c inquest.Change, why string, err error) {
	var e githubEvent
	if err := json.Unmarshal(body, &e); err != nil {
		return c, "", err
	}
	c = inquest.Change{Kind: inquest.ChangeDeploy, Service: e.Repository.Name}
	switch event {
	case "deployment", "deployment_status":
		c.Time, c.Version = e.Deployment.CreatedAt, short(e.Deployment.SHA)
		state := ""
		if event == "deployment_status" {
			c.Time, state = e.Status.CreatedAt, e.Status.State
			switch state {
			case "in_progress", "success", "failure", "error":
			default: // it waits for a person or a machine, or a newer one has replaced it
				return c, fmt.Sprintf("a deployment that is %.40s changes nothing", state), nil
			}
		}
		c.Summary = describe(e.Deployment.Description, c.Service, e.Deployment.Ref, e.Deployment.Environment, state)
	case "release":
		if e.Action != "published" {
			return c, fmt.Sprintf("a release that is %.40s changes nothing", e.Action), nil
		}
		c.Time, c.Version, c.Summary = e.Release.PublishedAt, e.Release.TagName, "release "+e.Release.Name+" published"
	case "push":
		tag, ok := strings.CutPrefix(e.Ref, "refs/tags/")
		if !ok || e.Deleted {
			return c, "a push deploys nothing unless it is a tag", nil
		}
		c.Version, c.Summary = tag, "tag "+tag+" pushed: "+e.HeadCommit.Message
	default:
		return c, fmt.Sprintf("event %.40s is no change of what runs", event), nil
	}
	return c, "", nil
}

func short(sha string) string { return sha[:min(len(sha), 8)] }

// describe is the summary of a deployment.
func describe(text, service, ref, environment, state string) string {
	if text == "" {
		text = strings.TrimSpace("deploy " + service + " " + ref)
	}
	if environment != "" {
		text += " (" + environment + ")"
	}
	if state == "failure" || state == "error" || state == "failed" {
		text += ", failed"
	}
	return text
}
