package report

import (
	"github.com/inquesthq/inquest"
)

// Schema is the name and version of the JSON format, see docs/format/report-v1.md.
const Schema = "inquest/report/v1"

// The wire structs are the format; renaming a field here is a new version of the schema. Order of fields is order of
// keys. Pointers are fields that can be null.
type wireReport struct {
	Schema       string          `json:"schema"`
	Incident     bool            `json:"incident"`
	Onset        *stamp          `json:"onset"`
	End          *stamp          `json:"end"`
	Window       wireWindow      `json:"window"`
	Baseline     wireWindow      `json:"baseline"`
	Impact       wireImpact      `json:"impact"`
	Verdict      *wireVerdict    `json:"verdict"`
	Alternatives []wireCandidate `json:"alternatives"`
	Suspects     []wireSuspect   `json:"suspects"`
	Resources    []wireResource  `json:"resources"`
	Evidence     []wireEvidence  `json:"evidence"`
	Timeline     []wireEntry     `json:"timeline"`
	Similar      []wireSimilar   `json:"similar"`
	Coverage     wireCoverage    `json:"coverage"`
	Chart        wireChart       `json:"chart"`
	Notes        []string        `json:"notes"`
}

type wireWindow struct {
	From *stamp `json:"from"`
	To   *stamp `json:"to"`
}

type wireImpact struct {
	Requests int         `json:"requests"`
	Failed   int         `json:"failed"`
	Ratio    ratio       `json:"ratio"`
	Lying    int         `json:"lying"`
	Routes   []wireRoute `json:"routes"`
	Services []string    `json:"services"`
	Clients  int         `json:"clients"`
	Spread   string      `json:"spread"`
}

type wireRoute struct {
	Route    string      `json:"route"`
	Requests int         `json:"requests"`
	Failed   int         `json:"failed"`
	Ratio    ratio       `json:"ratio"`
	Status   map[int]int `json:"status"`
}

type wireVerdict struct {
	Level      string          `json:"level"`
	Class      *string         `json:"class"`
	Mechanism  *string         `json:"mechanism"`
	Culprit    *string         `json:"culprit"`
	Confidence ratio           `json:"confidence"`
	Summary    string          `json:"summary"`
	Trigger    *wireTrigger    `json:"trigger"`
	Chain      []wireLink      `json:"chain"`
	Actions    []wireAction    `json:"actions"`
	Confirm    []wireCommand   `json:"confirm"`
	Also       []wireCandidate `json:"also"`
}

type wireTrigger struct {
	Kind    string `json:"kind"`
	Time    *stamp `json:"time"`
	Service string `json:"service"`
	Version string `json:"version"`
	Summary string `json:"summary"`
	Why     string `json:"why"`
}

type wireLink struct {
	Role     string   `json:"role"`
	Time     *stamp   `json:"time"`
	Text     string   `json:"text"`
	Evidence []string `json:"evidence"`
}

type wireAction struct {
	Text    string `json:"text"`
	Phase   string `json:"phase"`
	Cures   string `json:"cures"`
	Command string `json:"command"`
}

type wireCommand struct {
	Text    string `json:"text"`
	Command string `json:"command"`
	Expect  string `json:"expect"`
}

type wireCandidate struct {
	Class      string   `json:"class"`
	Mechanism  string   `json:"mechanism"`
	Culprit    string   `json:"culprit"`
	Confidence ratio    `json:"confidence"`
	For        []string `json:"for"`
	Against    []string `json:"against"`
}

type wireSuspect struct {
	Component string `json:"component"`
	Score     ratio  `json:"score"`
	Why       string `json:"why"`
}

type wireResource struct {
	Resource  string   `json:"resource"`
	Component string   `json:"component"`
	Instance  string   `json:"instance"`
	Value     *float64 `json:"value"`
	Limit     *float64 `json:"limit"`
	Share     *float64 `json:"share"`
	Before    *float64 `json:"before"`
	Time      *stamp   `json:"time"`
}

type wireEvidence struct {
	ID     string     `json:"id"`
	Layer  string     `json:"layer"`
	Kind   string     `json:"kind"`
	Time   *stamp     `json:"time"`
	Text   string     `json:"text"`
	Source wireSource `json:"source"`
}

type wireSource struct {
	File   string            `json:"file,omitempty"`
	Line   int               `json:"line,omitempty"`
	Metric string            `json:"metric,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
}

type wireEntry struct {
	Time     *stamp   `json:"time"`
	Kind     string   `json:"kind"`
	Text     string   `json:"text"`
	Evidence []string `json:"evidence"`
}

type wireSimilar struct {
	Incident string `json:"incident"`
	Score    ratio  `json:"score"`
	Why      string `json:"why"`
}

type wireCoverage struct {
	Layers  wireLayers `json:"layers"`
	Files   []wireFile `json:"files"`
	Missing []string   `json:"missing"`
}

type wireLayers struct {
	Response       wireLayer `json:"response"`
	Application    wireLayer `json:"application"`
	Infrastructure wireLayer `json:"infrastructure"`
	Change         wireLayer `json:"change"`
}

type wireLayer struct {
	State    string `json:"state"`
	Files    int    `json:"files"`
	Evidence int    `json:"evidence"`
}

type wireFile struct {
	File    string   `json:"file"`
	Format  string   `json:"format"`
	Records int      `json:"records"`
	Skipped int      `json:"skipped"`
	From    *stamp   `json:"from"`
	To      *stamp   `json:"to"`
	Notes   []string `json:"notes"`
}

type wireChart struct {
	From     *stamp     `json:"from"`
	StepMS   int64      `json:"step_ms"`
	Requests []int      `json:"requests"`
	Failed   []int      `json:"failed"`
	Lying    []int      `json:"lying"`
	Marks    []wireMark `json:"marks"`
}

type wireMark struct {
	Time *stamp `json:"time"`
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// layers are the layers of a report in the order in which they are told.
var layers = [...]inquest.Layer{
	inquest.LayerResponse, inquest.LayerApplication, inquest.LayerInfrastructure, inquest.LayerChange,
}

// Words of LayerCoverage.State.
const (
	layerChecked = "checked"
	layerMissing = "missing"
)
