package mechanism_test

import (
	"strings"
	"testing"

	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

func TestCommandsAreThoseOfThePlatform(t *testing.T) {
	for _, c := range []struct {
		on             mechanism.Platform
		template, want string
	}{
		{"", "kubectl rollout undo deployment/{service}", "kubectl rollout undo deployment/{service}"},
		{mechanism.Kubernetes, "kubectl scale deployment/{service} --replicas=4", "kubectl scale deployment/{service} --replicas=4"},
		{mechanism.Compose, "kubectl rollout restart deployment/{service}", "docker compose restart {service}"},
		{mechanism.Compose, "kubectl exec deployment/{service} -- sh -c 'env | cut -d= -f1 | sort'", "docker compose exec {service} sh -c 'env | cut -d= -f1 | sort'"},
		{mechanism.Compose, "kubectl logs deployment/{peer} --since=15m | grep -F -e '{request}'", "docker compose logs --since 15m {peer} | grep -F -e '{request}'"},
		{mechanism.Docker, "kubectl logs deployment/{service} --previous --tail=100", "docker logs --tail 100 {service}"},
		{mechanism.Systemd, "kubectl logs deployment/{service} --previous --tail=100", "journalctl -u {service} -n 100"},
		{mechanism.Systemd, "kubectl get pods -l app={peer} -o wide", "systemctl status {peer}"},
		{mechanism.Systemd, "kubectl exec deployment/{service} -- ls {path}", ""},
		{mechanism.Supervisor, "kubectl rollout restart deployment/{service}", "supervisorctl restart {service}"},
		{mechanism.Supervisor, "kubectl rollout undo deployment/{service}", ""},
		{mechanism.ECS, "kubectl rollout undo deployment/{service}", "aws ecs update-service --cluster <cluster> --service {service} --task-definition {previous}"},
		{mechanism.Lambda, "kubectl rollout undo deployment/{service}", "aws lambda update-alias --function-name {service} --name <alias> --function-version {previous}"},
		{mechanism.Compose, "kubectl -n kube-system rollout restart deployment/coredns", ""},
		{mechanism.Compose, "df -h", "df -h"},
	} {
		if got := (mechanism.Environment{Platform: c.on}).On(c.template); got != c.want {
			t.Errorf("%q on %q:\n got %q\nwant %q", c.template, c.on, got, c.want)
		}
	}
}

// commands are all command templates of the catalogue.
func commands() (out []string) {
	for _, m := range mechanism.All() {
		for _, c := range m.Confirm {
			out = append(out, c.Command)
		}
		for _, a := range m.Actions {
			out = append(out, a.Command)
		}
	}
	return out
}

func TestNoCommandOfAnotherWorldIsLeft(t *testing.T) {
	platforms := []mechanism.Platform{mechanism.Compose, mechanism.Docker, mechanism.Systemd, mechanism.Supervisor, mechanism.ECS, mechanism.Lambda}
	restarts := 0
	for _, cmd := range commands() {
		for _, p := range platforms {
			got := (mechanism.Environment{Platform: p}).On(cmd)
			if strings.Contains(got, "kubectl") || strings.Contains(got, "{x}") || strings.Contains(got, "{rest}") {
				t.Errorf("on %s %q becomes %q", p, cmd, got)
			}
			if strings.Contains(cmd, "rollout restart deployment/{") && got != "" {
				restarts++
			}
		}
	}
	if restarts == 0 {
		t.Error("no platform can restart anything")
	}
}

func TestEveryQueryHasItsTwinInMySQL(t *testing.T) {
	queries := 0
	for _, cmd := range commands() {
		if !strings.HasPrefix(cmd, "psql ") {
			continue
		}
		queries++
		got := mechanism.Environment{Dialect: mechanism.MySQL}.On(cmd)
		if !strings.HasPrefix(got, "mysql ") || strings.Contains(got, "pg_") {
			t.Errorf("%q becomes %q", cmd, got)
		}
		if reads(cmd) && !reads(got) {
			t.Errorf("%q reads, and becomes %q, which does not", cmd, got)
		}
	}
	if queries < 15 {
		t.Fatalf("found %d queries in the catalogue: the test looks at nothing", queries)
	}
}

// reads reports whether a query changes nothing: a diagnosis must never become an intervention by translation.
func reads(cmd string) bool {
	for _, w := range []string{"pg_cancel", "pg_terminate", "ALTER ", "CREATE INDEX", "ANALYZE", "KILL ", "SET GLOBAL"} {
		if strings.Contains(cmd, w) && !strings.Contains(cmd, "concat('"+w) {
			return false
		}
	}
	return true
}
