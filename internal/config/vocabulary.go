package config

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/inquesthq/inquest"
	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

// The words that mean something in a file of mechanisms. A test holds them against the shipped catalogue.
var (
	classes = []inquest.Class{inquest.ClassException, inquest.ClassDatabase, inquest.ClassConfig, inquest.ClassResource, inquest.ClassDeploy, inquest.ClassDependency}

	triggers = []inquest.TriggerKind{
		inquest.TriggerKind(inquest.ChangeDeploy), inquest.TriggerKind(inquest.ChangeConfig), inquest.TriggerKind(inquest.ChangeMigration),
		inquest.TriggerKind(inquest.ChangeFlag), inquest.TriggerKind(inquest.ChangeScale), inquest.TriggerKind(inquest.ChangeRestart),
		inquest.TriggerKind(inquest.ChangeInfra), inquest.TriggerTraffic, inquest.TriggerExternal, inquest.TriggerData, inquest.TriggerClient,
	}

	// In the order of the constants of package mechanism, which count from one.
	roles   = []string{"self", "peer", "database", "gateway"}
	origins = []string{"app", "proxy", "database", "cache", "broker", "kernel", "supervisor"}

	owners = []string{"code", "configuration", "dependency", "infrastructure", "client"}
	phases = []inquest.Phase{inquest.PhaseNow, inquest.PhaseLater, inquest.PhasePrevent}
	cures  = []string{"cause", "symptom"}

	symptoms = []inquest.SymptomKind{inquest.SymptomPattern, inquest.SymptomSaturation, inquest.SymptomUpstream, inquest.SymptomPlateau, inquest.SymptomSlow,
		inquest.SymptomRestart, inquest.SymptomGap, inquest.SymptomTraffic, inquest.SymptomChange}

	resources = []mechanism.Resource{mechanism.ResourcePool, mechanism.ResourceThreads, mechanism.ResourceMemory, mechanism.ResourceDisk,
		mechanism.ResourceDescriptors, mechanism.ResourceCPU, mechanism.ResourceConnections, mechanism.ResourcePorts}

	// details of the symptoms that have a fixed set of them; see inquest.SymptomKind.
	details = map[inquest.SymptomKind][]string{
		inquest.SymptomUpstream: {"refused", "timeout", "reset", "cut-off", "no-live", "malformed", "dns", "tls", "status", "overload"},
		inquest.SymptomRestart:  {"restart", "crash", "crash-loop", "oom"},
		inquest.SymptomGap:      {"log", "metrics", "up"},
		inquest.SymptomTraffic:  {"surge", "drop", "heavy"},
	}
)

// Origins returns who may say a clue, in the words of the files; the first is mechanism.Origin(1), and so on.
func Origins() []string { return slices.Clone(origins) }

// numbered reads words whose numbers count from one, as the constants of roles and origins do.
func numbered[T ~uint8](d *doc, n *yaml.Node, key string, known []string) []T {
	var said []string
	words(d, key, known, &said)(n)
	var out []T
	for _, s := range said {
		out = append(out, T(slices.Index(known, s)+1))
	}
	return out
}
