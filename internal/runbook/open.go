package runbook

import (
	"fmt"
	"slices"
	"time"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// generic are the steps while the cause is open: first what the status asks for, then the order of the five-minute triage, cheapest first.
func generic(b *inquest.Runbook, s *Situation) {
	status := mostly(s.Diagnosis)
	b.Title = "Runbook: 5xx, cause open"
	if status != 0 {
		b.Title = fmt.Sprintf("Runbook: %d, cause open", status)
	}
	values := map[string]string{}
	if len(s.Incident.Services) > 0 {
		values["service"] = s.Incident.Services[0]
	}
	for _, x := range slices.Concat(branch(status, s), triage(), metrics(s)) {
		x.Phase, x.Command = inquest.StepCause, mechanism.Fill(x.Command, values)
		b.Steps = append(b.Steps, x)
	}
	b.Steps = append(b.Steps,
		inquest.Step{Phase: inquest.StepMitigate, Changes: true, Cures: "cause", Text: "If something was changed right before: take it back first, investigate second.",
			Command: mechanism.Fill("kubectl rollout undo deployment/{service}", values)},
		inquest.Step{Phase: inquest.StepMitigate, Changes: true, Cures: "symptom", Text: "If nothing was changed and one instance fails alone: take it out of rotation and keep it for the analysis.",
			Command: mechanism.Fill("kubectl label pod <pod> app={service}-quarantine --overwrite", values)})
}

// mostly is the status of more than half of the failed answers, 0 when there is none: two kinds of failure are not looked at by the steps of one.
func mostly(d *inquest.Diagnosis) int {
	if d == nil {
		return 0
	}
	count, all := map[int]int{}, 0
	for _, r := range d.Impact.Routes {
		for status, n := range r.Status {
			if status >= 500 {
				count[status] += n
			}
			all += n
		}
	}
	for status, n := range count {
		if 2*n > all {
			return status
		}
	}
	return 0
}

// branch is where a status points, by who sends it (RFC 9110, 15.6): a 500 comes from the service itself, a 502 from a proxy that got no valid answer, a 503
// from whoever refuses on purpose, a 504 from a proxy that did not wait any longer. Another one, as of a vendor's own, points nowhere.
func branch(status int, s *Situation) []inquest.Step {
	switch status {
	case 502:
		return []inquest.Step{
			{Text: "What did the proxy get instead of an answer?", Command: `kubectl logs deployment/<gateway> --since=30m | grep -iE 'refused|reset|prematurely closed|no live upstreams|could not be resolved|invalid header' | tail -20`,
				Expect: "one kind of line. Refused: nothing listens. Reset or closed: it died while it answered, or gave up an idle connection first. Not resolved: its name. Invalid header: it speaks something else"},
			{Text: "Is what stands behind the proxy there, and listening?", Command: `kubectl get endpoints,pods -l app={service} -o wide`, Expect: "an address for each instance, all ready, no restart"},
			{Text: "On AWS: what does the balancer think of its targets (instances, tasks, functions)?", Command: `aws elbv2 describe-target-health --target-group-arn <arn> --query 'TargetHealthDescriptions[].[Target.Id,TargetHealth.State,TargetHealth.Reason,TargetHealth.Description]' --output table`,
				Expect: "healthy, each of them; else the reason is the last error that it had"},
		}
	case 503:
		return []inquest.Step{
			{Text: "Who refuses, and why: a limiter, an open breaker, maintenance, or a balancer without a healthy instance?", Command: `curl -sS -D - --max-time 5 ` + probe(s) + ` | head -30`,
				Expect: "a Retry-After and a reason are a refusal on purpose, Server and body name who; a bare page is a balancer's"},
			{Text: "Do more requests come than usual? Then it is load: shed it, or add room. If not, look at what the service waits for.", Command: `inquest services`, Expect: "about the requests a second that the chart on the incident's page shows for the time before"},
			{Text: "Is there room where it runs?", Command: `kubectl top pods -l app={service}`, Expect: "each instance there, below its limits of CPU and memory"},
		}
	case 504:
		return []inquest.Step{
			{Text: "Which hop gave up waiting, and after how long?", Command: `kubectl logs deployment/<gateway> --since=30m | grep -iE 'timed out|deadline exceeded|" 504 | 504 [0-9]' | tail -20`,
				Expect: "failed answers that all took the same round time: that is the limit of the hop that gave up, and the hop behind it is the slow one"},
			{Text: "What does the slow hop wait for?", Command: `psql -d {database} -c "SELECT pid, now() - query_start AS lasts, wait_event_type, wait_event, left(query, 80) FROM pg_stat_activity WHERE state <> 'idle' ORDER BY lasts DESC LIMIT 10"`,
				Expect: "no statement that lasts longer than that limit; wait_event_type Lock is a queue behind one of them"},
			{Text: "On AWS: did the balancer give up, or a target behind it? A target that never answers is in no figure of response times.", Command: statistics(s, "AWS/ApplicationELB", "HTTPCode_ELB_504_Count", "Name=LoadBalancer,Value=<balancer>", "--statistics Sum"),
				Expect: "none. As many as the answers of 504: its targets did not answer within its idle timeout (60 s unless it was changed); none, and 504 all the same: a target sent them itself"},
			{Text: "On AWS, behind API Gateway: how long does the integration take?", Command: statistics(s, "AWS/ApiGateway", "IntegrationLatency", "Name=ApiName,Value=<api>", "--extended-statistics p99"),
				Expect: "well below the integration timeout (29,000 ms unless it was raised)"},
		}
	}
	return nil // a 500 is found in the errors, which come next
}

// triage are the checks that fit any 5xx.
func triage() []inquest.Step {
	return []inquest.Step{
		{Text: "Read the errors from the first failing answer on: the first new one is often the cause, later ones follow from it.",
			Command: `kubectl logs deployment/{service} --since=30m | grep -E 'ERROR|FATAL|Exception|panic' | head -50`, Expect: "a kind of line that was not there before"},
		{Text: "Look at the pool and the database before you trust a stack trace.",
			Command: `psql -d {database} -c "SELECT state, count(*), max(now() - state_change) AS longest FROM pg_stat_activity GROUP BY state"`, Expect: "fewer connections than the maximum, and none that lasts for minutes"},
		{Text: "Look at memory and disk where it runs.", Command: `kubectl exec deployment/{service} -- sh -c 'free -h; df -h'`, Expect: "available memory above 20%, no disk above 85%"},
		{Text: "Were instances ended or restarted?", Command: `kubectl get pods -l app={service}`, Expect: "no restart within the hour, every instance ready"},
	}
}

// metrics are CPU, memory and network, of Prometheus and of CloudWatch (REQUIREMENTS 25).
func metrics(s *Situation) []inquest.Step {
	return []inquest.Step{
		{Text: "Compare CPU, memory and network with the time before the first failing answer.", Command: compare(s), Expect: "three figures of about 1: as before. One far above it is where the load or the leak is, one near 0 is what stands still"},
		{Text: "On AWS: the same three from CloudWatch.", Command: `aws cloudwatch get-metric-data --output json --start-time ` + anHourBefore(s) + ` --end-time "$(date -u +%FT%TZ)" --metric-data-queries '[` +
			cloudwatch("cpu", "AWS/ECS", "CPUUtilization") + `,` + cloudwatch("memory", "AWS/ECS", "MemoryUtilization") + `,` + cloudwatch("network", "ECS/ContainerInsights", "NetworkRxBytes") + `]'`,
			Expect: "curves without a step at the first failing answer; the output, saved in the case folder, is evidence that inquest investigate reads"},
	}
}

func cloudwatch(id, namespace, metric string) string {
	return fmt.Sprintf(`{"Id":%q,"MetricStat":{"Metric":{"Namespace":%q,"MetricName":%q,"Dimensions":[{"Name":"ClusterName","Value":"<cluster>"},{"Name":"ServiceName","Value":"{service}"}]},"Period":60,"Stat":"Average"}}`, id, namespace, metric)
}

// statistics asks CloudWatch for one figure, minute by minute.
func statistics(s *Situation, namespace, metric, dimensions, statistics string) string {
	return fmt.Sprintf(`aws cloudwatch get-metric-statistics --namespace %s --metric-name %s --dimensions %s --start-time %s --end-time "$(date -u +%%FT%%TZ)" --period 60 %s --output table`,
		namespace, metric, dimensions, anHourBefore(s), statistics)
}

// onset is when the failures began, as far as that is known.
func onset(s *Situation) time.Time {
	if s.Diagnosis != nil && !s.Diagnosis.Onset.IsZero() {
		return s.Diagnosis.Onset
	}
	return s.Incident.Opened
}

func anHourBefore(s *Situation) string {
	if t := onset(s); !t.IsZero() {
		return t.Add(-time.Hour).UTC().Format(time.RFC3339)
	}
	return "{since}"
}

// compare asks Prometheus for the service's CPU, memory and network, each divided by what it was ten minutes before the first failing answer; without a time, an
// hour ago. The names are those of cAdvisor.
func compare(s *Situation) string {
	then := " offset 1h"
	if t := onset(s); !t.IsZero() {
		then = fmt.Sprintf(" @ %d", t.Unix()-600)
	}
	ratio := func(form string) string {
		return fmt.Sprintf(form, "") + " / " + fmt.Sprintf(form, then)
	}
	const of = `{pod=~"{service}-.*"}`
	return `for q in '` + ratio(`sum(rate(container_cpu_usage_seconds_total`+of+`[5m]%s))`) + `' '` + ratio(`sum(container_memory_working_set_bytes`+of+`%s)`) + `' '` +
		ratio(`sum(rate(container_network_receive_bytes_total`+of+`[5m]%s))`) + `'; do promtool query instant http://<prometheus>:9090 "$q"; done`
}
