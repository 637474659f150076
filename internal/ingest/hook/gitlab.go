package hook

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/ingest"
)

// gitlab takes GitLab's deployment, release and tag events: https://docs.gitlab.com/user/project/integrations/webhook_events/.
func (h *Hooks) gitlab(w http.ResponseWriter, r *http.Request) (string, error) {
	return h.forge(w, r, "gitlab", h.cfg.GitLabToken, func([]byte) error {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Gitlab-Token")), []byte(h.cfg.GitLabToken)) != 1 {
			return fmt.Errorf("%w: X-Gitlab-Token is not the webhook's secret token", ingest.ErrUnauthenticated)
		}
		return nil
	}, gitlabChange)
}

func gitlabChange(body []byte) (c inquest.Change, why string, err error) {
	var e struct {
		Kind        string `json:"object_kind"`
		Action      string `json:"action"`
		Status      string `json:"status"`
		ChangedAt   string `json:"status_changed_at"`
		Environment string `json:"environment"`
		Ref         string `json:"ref"`
		ShortSHA    string `json:"short_sha"`
		Title       string `json:"commit_title"`
		Tag         string `json:"tag"`
		Name        string `json:"name"`
		After       string `json:"after"`
		Project     struct {
			Name string `json:"name"`
		} `json:"project"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return c, "", err
	}
	c = inquest.Change{Kind: inquest.ChangeDeploy, Service: e.Project.Name}
	switch e.Kind {
	case "deployment":
		switch e.Status {
		case "running", "success", "failed":
		default:
			return c, fmt.Sprintf("a deployment that is %.40s changes nothing", e.Status), nil
		}
		c.Time, c.Version = gitlabTime(e.ChangedAt), e.ShortSHA
		c.Summary = describe(e.Title, c.Service, e.Ref, e.Environment, e.Status)
	case "release":
		if e.Action != "create" {
			return c, fmt.Sprintf("a release with action %.40s changes nothing", e.Action), nil
		}
		c.Version, c.Summary = e.Tag, "release "+e.Name+" published"
	case "tag_push":
		tag := strings.TrimPrefix(e.Ref, "refs/tags/")
		if strings.Trim(e.After, "0") == "" {
			return c, "a tag was deleted", nil
		}
		c.Version, c.Summary = tag, "tag "+tag+" pushed"
	default:
		return c, fmt.Sprintf("event %.40s is no change of what runs", e.Kind), nil
	}
	return c, "", nil
}

// gitlabTime reads GitLab's two ways to write a time; the zero time stands for others.
func gitlabTime(s string) time.Time {
	for _, layout := range [...]string{"2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}
