package gateway

// Level is how much an event matters to the people on call.
func (e Event) Level() string {
	switch {
	case e.Kind == "breaker" && e.To() == "open", e.Kind == "health" && e.Text != "up", e.Kind == "log":
		return "warn"
	case e.Kind == "failure":
		return "error"
	case e.Kind == "reload" && len(e.Text) > 6 && e.Text[:6] == "failed":
		return "error"
	}
	return "info"
}

// To is the state that a circuit changed to.
func (e Event) To() string {
	for i := len(e.Text) - 1; i >= 0; i-- {
		if e.Text[i] == ' ' {
			return e.Text[i+1:]
		}
	}
	return e.Text
}

// Message is the event as a sentence.
func (e Event) Message() string {
	who := ""
	if e.By != "" {
		who = " by " + e.By
	}
	switch e.Kind {
	case "failure":
		return e.Said
	case "breaker":
		text := "circuit breaker of " + e.Upstream + " " + e.Server + ": " + e.Text
		if e.Said != "" {
			text += " after " + e.Said
		}
		return text
	case "breaker-reset":
		return "circuit breaker of " + e.Upstream + " " + e.Server + " reset" + who
	case "health":
		return "health check of " + e.Upstream + " " + e.Server + ": " + e.Text
	case "maintenance":
		return "maintenance of route " + e.Route + " " + e.Text + who
	}
	return e.Kind + ": " + e.Text + who
}
