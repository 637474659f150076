package mechanism

import "github.com/inquesthq/inquest"

// errorMapping: an error becomes the wrong status on its way out.
func errorMapping() Mechanism {
	return Mechanism{
		ID:    "misconfiguration/error-mapping",
		Title: "Error mapped to the wrong status",
		What: "Something failed in an expected way (bad input, item not found, limit exceeded, a dependency busy) and the service or gateway turned it into a 500, " +
			"or into a 200 with an error in the body. The client cannot tell what to do, and the alert tells nothing of the cause.",
		Signs: []string{
			"the upstream's status or the body's error code differs from the status that the client got",
			"500 answers with validation, not-found, limit or throttling wording in their body or log",
		},
		Needs:       []string{"the error's own status or code, and another status sent for it"},
		Contradicts: []string{"a fault of the server behind the error: then the 5xx is right"},
		Triggers:    []inquest.TriggerKind{"deploy", "config", inquest.TriggerClient, inquest.TriggerTraffic, inquest.TriggerData, inquest.TriggerExternal},
		Roles:       []Role{RoleSelf, RoleGateway},
		Silent:      true,
		Clues: []Clue{
			says(0.9, "AWS API Gateway: the function's answer cannot be mapped", "malformed lambda proxy response", "execution failed due to configuration error", "no match for output mapping", "output mapping refused", "no integration response matching", "internal server error*integration response"),
			says(0.6, "a limit of the service's own, logged as an error of the request: a 429 told as a 500", "limitexceeded", "limit exceeded", "quota exceeded", "quota of * exceeded", "rate limit exceeded", "too many requests").
				but("429", "from upstream", "credit limit", "size limit", "recursion", "memory limit", "time limit", "file size", "upload limit", "gc overhead", "heap", "max retries").by(OriginApp),
			says(0.6, "a validation error that nobody mapped to 400", "webexchangebindexception", "constraintviolationexception: * must not", "validationerror: * failed validation", "methodargumentnotvalidexception", "pydantic_core._pydantic_core.validationerror", "model validation failed", "validation failed for argument").
				but("config", "settings"),
			thrown(0.5, "an expected refusal thrown up to the top: mapped, it would be a 4xx", "ValidationError", "EntityNotFoundException", "RecordNotFound", "ModelNotFoundException", "DoesNotExist", "NoResultFound", "EmptyResultDataAccessException", "NotFoundException", "NotFoundError",
				"ResourceNotFoundException", "MethodNotAllowedException", "HttpRequestMethodNotSupportedException", "NoHandlerFoundException", "NoResourceFoundException", "MissingServletRequestParameterException", "RoutingError", "BadRequestException", "AuthorizationException", "AccessDenied").
				but("dns", "enotfound", "classnotfound", "modulenotfound", "configuration", "404 "),
			says(0.8, "one place says both: the error's own 4xx and the 500 made of it", "status\":500*limitexceeded", "status=500*limit exceeded", "500 internal server error*too many requests", "500 internal server error*throttl", "status=500*not found", "status\":500*notfound", "status=500*validation", "status\":500*validationerror", "500*quota exceeded", "http 500*invalid request").
				but("duration=500", "retry"),
			says(0.6, "an error page or body sent with a success status", "returned 200 with error", "status 200*error body", "200 ok*\"success\":false", "\"status\":200*\"error\":{"),
			says(0.6, "the error handler itself failed", "error while handling exception", "exception in error handler", "error occurred while handling an error", "during handling of the above exception, another exception occurred while rendering", "error handler failed", "exception thrown by error page", "no exception mapper found", "no acceptable representation*error",
				"err_http_invalid_status_code", "invalid status code: undefined", "rangeerror [err_http_invalid_status_code]", "invalid writeheader code"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomUpstream, Detail: "status", Weight: 0.4, Why: "the upstream's status and the one sent on can be compared"},
		},
		Confirm: []inquest.Command{
			check("Compare the upstream's status with the one the client got.", "curl -sS -o /dev/null -w '%{http_code}\\n' http://{host}:{port}{path}", "a 4xx or 503 at the upstream, a 500 at the gateway"),
			check("Send a request that must be refused.", "curl -sS -i -X POST -d '{}' http://{host}:{port}{path}", "500 where 400 or 422 is due"),
		},
		Actions: []inquest.Action{
			now("cause", "Set the mapping right: 4xx for what the client can change, 429 with Retry-After for limits, 503 with Retry-After for a busy dependency, 502 or 504 for a bad or late one, 500 for bugs only.", ""),
			now("cause", "Restart or deploy, then send the refused request again.", "kubectl rollout status deployment/{service}"),
			now("symptom", "If a change to the mapping came right before: roll it back.", "kubectl rollout undo deployment/{service}"),
			prevent("Keep one table from error to status in one place, with a test per row; fail at start when an error code has no row.", ""),
		},
		Owner:  "code",
		Status: 500,
	}
}
