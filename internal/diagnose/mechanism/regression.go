package mechanism

import "github.com/inquesthq/inquest"

// regression: the new version behaves worse, and no other mechanism says why.
func regression() Mechanism {
	return Mechanism{
		ID:    "bad-deploy/regression",
		Title: "Regression of a release",
		What: "Since a release the service fails or is slow, instances of the version before are fine, and no more specific mechanism explains it. Also: two versions that " +
			"do not understand each other (a new field, a removed method, another encoding).",
		Signs: []string{
			"failures begin with the first request that the new version answers, and follow it from instance to instance",
			"error patterns that the version before never wrote; callers or callees complain of unknown fields or methods",
		},
		Needs:       []string{"failures on the new version and none on the old one under the same traffic, or messages that the versions do not understand each other"},
		Contradicts: []string{"instances of the old version failing likewise", "failures that began before the new version answered its first request"},
		// It explains nothing away: a more specific mechanism that the release brought is always the better answer, with the
		// deploy as its trigger.
		Above:    ids(failingAbove(), slowAbove()),
		Triggers: []inquest.TriggerKind{"deploy", "flag", "config", "migration"},
		Roles:    []Role{RoleSelf, RolePeer},
		Silent:   true,
		Clues: []Clue{
			says(0.8, "gRPC: the other side does not have the method (yet, or any more)", "code = unimplemented", "status unimplemented", "statuscode.unimplemented", "unimplemented: unknown method", "unimplemented: unknown service", "unimplemented: method not found", "unimplemented desc = unknown"),
			says(0.8, "JVM and Python: objects written by another version of the class", "local class incompatible", "invalidclassexception", "can't get attribute '*' on <module", "incompatible serialization"),
			says(0.7, "a field or value that this version does not know", "unrecognizedpropertyexception", "unrecognized field", "no enum constant", "unknown variant `", "unknown field `", "unknown field \"", "json: unknown field", "missing field `", "cannot deserialize value of type * from string", "is not a valid value for enum",
				"could not find member", "cannot query field", "unknown argument", "required field * not set").but("config", "flag"),
			says(0.7, "protocol or interface versions that do not fit", "unsupportedversionexception", "unsupported api version", "unsupported version", "protocol version mismatch", "incompatible version", "version mismatch", "unsupported protocol version", "api version * is not supported", "no longer supported", "has been removed in version").but("schema", "checksum", "tls", "ssl", "glibc"),
			says(0.5, "a removed or renamed operation", "unknown operation", "no such operation", "method not found", "nomethoderror: undefined method"),
			says(0.8, "the rollout itself says that the new version is worse", "canary analysis failed", "canary failed", "rollout aborted", "rollback triggered", "automatic rollback", "analysis run failed", "deployment circuit breaker"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomPattern, Weight: 0.2, Why: "a pattern that appears with a release belongs to it, unless something else explains it"},
			{Symptom: inquest.SymptomSlow, Weight: 0.2, Why: "a release that made routes slow, unless something else explains it"},
		},
		Confirm: []inquest.Command{
			check("Do failures follow the version?", "kubectl get pods -l app={service} -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image,START:.status.startTime", "failing instances run the new image, the others the old one"),
			check("What changed?", "git log --oneline {previous}..{version}", "a change that touches the failing routes"),
		},
		Actions: []inquest.Action{
			{Text: "Roll the release back (or turn the flag off) first, investigate second.", Phase: inquest.PhaseNow, Cures: "cause", Command: "kubectl rollout undo deployment/{service}"},
			later("cause", "Find the change and fix it, with a test that fails without the fix.", "git bisect start {version} {previous}"),
			later("cause", "Redeploy by steps, in proper order: migrations, then callees, then callers.", "kubectl rollout status deployment/{service} --timeout=120s"),
			prevent("Roll out to a few instances first and compare their failure ratio with the others' before going on.", ""),
		},
		Owner:  "code",
		Status: 500,
	}
}
