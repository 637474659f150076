package config_test

import (
	"encoding/json"

	"github.com/inquesthq/inquest/internal/diagnose/mechanism"
)

var (
	roleNames   = map[mechanism.Role]string{mechanism.RoleSelf: "self", mechanism.RolePeer: "peer", mechanism.RoleDatabase: "database", mechanism.RoleGateway: "gateway"}
	originNames = map[mechanism.Origin]string{mechanism.OriginApp: "app", mechanism.OriginProxy: "proxy", mechanism.OriginDatabase: "database",
		mechanism.OriginCache: "cache", mechanism.OriginBroker: "broker", mechanism.OriginKernel: "kernel", mechanism.OriginSupervisor: "supervisor"}
)

// written returns a mechanism as a file (in JSON, which is YAML) that puts it in the place of the shipped one.
func written(m *mechanism.Mechanism) string {
	type object = map[string]any
	some := func(o object, key string, list []string) {
		if len(list) > 0 {
			o[key] = list
		}
	}
	out := object{"id": m.ID, "title": m.Title, "what": m.What, "signs": m.Signs, "needs": m.Needs, "contradicts": m.Contradicts,
		"triggers": m.Triggers, "gradual": m.Gradual, "silent": m.Silent, "shared": m.Shared, "owner": m.Owner, "status": m.Status, "replace": true}
	some(out, "about", m.About)
	if len(m.Explains) > 0 {
		out["explains"] = m.Explains
	}
	if len(m.Above) > 0 {
		out["above"] = m.Above
	}
	var roles []string
	for _, r := range m.Roles {
		roles = append(roles, roleNames[r])
	}
	out["roles"] = roles
	var clues, supports, confirm, actions []object
	for _, c := range m.Clues {
		o := object{"weight": c.Weight, "why": c.Why}
		some(o, "any", c.Any)
		some(o, "all", c.All)
		some(o, "not", c.Not)
		some(o, "exception", c.Exception)
		some(o, "code", c.Code)
		var from []string
		for _, x := range c.From {
			from = append(from, originNames[x])
		}
		some(o, "from", from)
		clues = append(clues, o)
	}
	for _, s := range m.Supports {
		o := object{"symptom": s.Symptom, "weight": s.Weight, "why": s.Why}
		if s.Resource != "" {
			o["resource"] = s.Resource
		}
		if s.Detail != "" {
			o["detail"] = s.Detail
		}
		supports = append(supports, o)
	}
	for _, c := range m.Confirm {
		confirm = append(confirm, object{"text": c.Text, "command": c.Command, "expect": c.Expect})
	}
	for _, a := range m.Actions {
		o := object{"text": a.Text, "phase": a.Phase, "cures": a.Cures}
		if a.Command != "" {
			o["command"] = a.Command
		}
		actions = append(actions, o)
	}
	for key, list := range map[string][]object{"clues": clues, "supports": supports, "confirm": confirm, "actions": actions} {
		if len(list) > 0 {
			out[key] = list
		}
	}
	b, err := json.Marshal(object{"mechanisms": []object{out}})
	if err != nil {
		panic(err) // strings and numbers only
	}
	return string(b)
}
