package diagnose

import (
	"strings"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// environmentOf tells where a case was recorded by what only that world writes: the wrapper around container logs, the labels
// that its exporters set, the logs of supervisors. Nothing of it leaves the catalogue's commands as they are.
func environmentOf(c *inquest.Case) mechanism.Environment {
	return mechanism.Environment{Platform: platformOf(c), Dialect: dialectOf(c)}
}

// platformOf prefers what orchestrates over what merely runs below it: a node of a cluster has a journal as well.
func platformOf(c *inquest.Case) mechanism.Platform {
	seen := map[mechanism.Platform]bool{}
	for _, f := range c.Coverage.Files {
		format, wrapper, _ := strings.Cut(f.Format, " in ")
		switch {
		case wrapper == "cri", wrapper == "kubectl", format == "klog", format == "kubernetes-events":
			seen[mechanism.Kubernetes] = true
		case wrapper == "compose":
			seen[mechanism.Compose] = true
		case wrapper == "docker":
			seen[mechanism.Docker] = true
		case format == "journald-json":
			seen[mechanism.Systemd] = true
		}
	}
	for i := range c.Series {
		s := &c.Series[i]
		switch {
		case strings.HasPrefix(s.Name, "kube_"), s.Labels["namespace"] != "" && s.Labels["pod"] != "":
			seen[mechanism.Kubernetes] = true
		case s.Labels["ClusterName"] != "" && s.Labels["ServiceName"] != "": // the dimensions of CloudWatch's AWS/ECS
			seen[mechanism.ECS] = true
		case s.Labels["FunctionName"] != "": // and of AWS/Lambda
			seen[mechanism.Lambda] = true
		case strings.HasPrefix(s.Name, "systemd_unit_"), strings.HasPrefix(s.Name, "node_systemd_"):
			seen[mechanism.Systemd] = true
		}
	}
	for _, x := range c.Components {
		if x.Kind != inquest.KindSupervisor {
			continue
		}
		for _, n := range append([]string{x.Name}, x.Aliases...) {
			switch {
			case strings.HasPrefix(n, "supervisor"):
				seen[mechanism.Supervisor] = true
			case n == "systemd":
				seen[mechanism.Systemd] = true
			case n == "kubelet":
				seen[mechanism.Kubernetes] = true
			}
		}
	}
	for _, p := range []mechanism.Platform{mechanism.Kubernetes, mechanism.ECS, mechanism.Lambda, mechanism.Compose, mechanism.Docker, mechanism.Supervisor, mechanism.Systemd} {
		if seen[p] {
			return p
		}
	}
	return ""
}

// dialectOf is MySQL's when its logs or exporter are there and PostgreSQL's are not.
func dialectOf(c *inquest.Case) mechanism.Dialect {
	mysql := false
	for _, f := range c.Coverage.Files {
		if strings.HasPrefix(f.Format, "postgresql") {
			return mechanism.PostgreSQL
		}
		mysql = mysql || strings.HasPrefix(f.Format, "mysql")
	}
	for i := range c.Series {
		name := c.Series[i].Name
		if name == "pg_up" || strings.HasPrefix(name, "pg_stat_") { // the exporter's; a driver's pool is called pg_pool_size, too
			return mechanism.PostgreSQL
		}
		mysql = mysql || name == "mysql_up" || strings.HasPrefix(name, "mysql_global_")
	}
	if mysql {
		return mechanism.MySQL
	}
	return ""
}
