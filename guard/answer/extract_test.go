package answer_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/inquesthq/inquest/guard/answer"
)

func TestExtract(t *testing.T) {
	const jsonType, xmlType = "application/json", "text/xml"
	cases := map[string]struct {
		contentType, body string
		want              answer.Error
	}{
		"Amazon, JSON":            {"application/x-amz-json-1.0", `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"Rate exceeded"}`, answer.Error{Code: "ThrottlingException", Message: "Rate exceeded", Shape: "json"}},
		"Lambda":                  {jsonType, `{"errorType":"TypeError","errorMessage":"x is undefined","trace":["TypeError: x"]}`, answer.Error{Code: "TypeError", Message: "x is undefined", Shape: "json"}},
		"code and message":        {jsonType, `{"code":"E42","message":"boom"}`, answer.Error{Code: "E42", Message: "boom", Shape: "json"}},
		"only a sentence":         {jsonType, `{"error":"something broke"}`, answer.Error{Message: "something broke", Shape: "json"}},
		"only a message":          {jsonType, `{"message":"Internal server error"}`, answer.Error{Message: "Internal server error", Shape: "json"}},
		"ours":                    {jsonType, `{"error":"INVENTORY_CONFLICT","message":"Out of stock","errorId":"ERR-1"}`, answer.Error{Code: "INVENTORY_CONFLICT", Message: "Out of stock", Shape: "json"}},
		"Google":                  {jsonType, `{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}`, answer.Error{Code: "429", Message: "Quota exceeded", Shape: "json"}},
		"Stripe":                  {jsonType, `{"error":{"type":"card_error","code":"card_declined","message":"Declined."}}`, answer.Error{Code: "card_declined", Message: "Declined.", Shape: "json"}},
		"Facebook":                {jsonType, `{"error":{"message":"Bad token","type":"OAuthException","code":190}}`, answer.Error{Code: "190", Message: "Bad token", Shape: "json"}},
		"Azure":                   {jsonType, `{"error":{"code":"ResourceNotFound","message":"No such vault","innererror":{"code":"x"}}}`, answer.Error{Code: "ResourceNotFound", Message: "No such vault", Shape: "json"}},
		"OData":                   {jsonType, `{"odata.error":{"code":"Forbidden","message":{"lang":"en","value":"Not allowed"}}}`, answer.Error{Code: "Forbidden", Message: "Not allowed", Shape: "json"}},
		"Slack":                   {jsonType, `{"ok":false,"error":"channel_not_found"}`, answer.Error{Code: "channel_not_found", Shape: "json"}},
		"OAuth":                   {jsonType, `{"error":"invalid_grant","error_description":"The code expired"}`, answer.Error{Code: "invalid_grant", Message: "The code expired", Shape: "json"}},
		"JSON:API":                {jsonType, `{"errors":[{"status":"422","code":"blank","title":"Invalid","detail":"Name is blank"}]}`, answer.Error{Code: "blank", Message: "Name is blank", Shape: "json"}},
		"GraphQL":                 {jsonType, `{"errors":[{"message":"Not authorised","extensions":{"code":"UNAUTHENTICATED"}}]}`, answer.Error{Code: "UNAUTHENTICATED", Message: "Not authorised", Shape: "json"}},
		"a list of sentences":     {jsonType, `{"errors":["Name is blank","Mail is blank"]}`, answer.Error{Message: "Name is blank", Shape: "json"}},
		"Rails":                   {jsonType, `{"errors":{"name":["can't be blank"]}}`, answer.Error{Code: "name", Message: "name can't be blank", Shape: "json"}},
		"Spring":                  {jsonType, `{"timestamp":"x","status":500,"error":"Internal Server Error","exception":"java.lang.IllegalStateException","message":"no cart"}`, answer.Error{Code: "java.lang.IllegalStateException", Message: "no cart", Shape: "json"}},
		"Django REST":             {jsonType, `{"detail":"Not found.","code":"not_found"}`, answer.Error{Code: "not_found", Message: "Not found.", Shape: "json"}},
		"FastAPI":                 {jsonType, `{"detail":[{"loc":["body","qty"],"msg":"field required","type":"value_error.missing"}]}`, answer.Error{Code: "value_error.missing", Message: "field required", Shape: "json"}},
		"JSend":                   {jsonType, `{"status":"error","message":"Unable to reach database","code":17}`, answer.Error{Code: "17", Message: "Unable to reach database", Shape: "json"}},
		"success false":           {jsonType, `{"success":false,"msg":"no stock"}`, answer.Error{Message: "no stock", Shape: "json"}},
		"Elasticsearch":           {jsonType, `{"error":{"root_cause":[{"type":"index_not_found_exception","reason":"no such index [x]"}],"type":"index_not_found_exception","reason":"no such index [x]"},"status":404}`, answer.Error{Code: "index_not_found_exception", Message: "no such index [x]", Shape: "json"}},
		"ASP.NET":                 {jsonType, `{"Message":"An error has occurred.","ExceptionMessage":"null","ExceptionType":"System.NullReferenceException"}`, answer.Error{Code: "System.NullReferenceException", Message: "An error has occurred.", Shape: "json"}},
		"Twilio":                  {jsonType, `{"code":20003,"message":"Authenticate","more_info":"https://x","status":401}`, answer.Error{Code: "20003", Message: "Authenticate", Shape: "json"}},
		"JSON-RPC":                {jsonType, `{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":1}`, answer.Error{Code: "-32601", Message: "Method not found", Shape: "json"}},
		"Apigee":                  {jsonType, `{"fault":{"faultstring":"Quota violation","detail":{"errorcode":"policies.ratelimit.QuotaViolation"}}}`, answer.Error{Code: "policies.ratelimit.QuotaViolation", Message: "Quota violation", Shape: "json"}},
		"problem details":         {"application/problem+json", `{"type":"https://x.example/no-stock","title":"No stock","status":409,"detail":"Item 7 is gone"}`, answer.Error{Code: "https://x.example/no-stock", Message: "Item 7 is gone", Shape: "problem"}},
		"problem details, bare":   {"application/problem+json", `{"type":"about:blank","title":"Bad Gateway","status":502}`, answer.Error{Code: "about:blank", Message: "Bad Gateway", Shape: "problem"}},
		"Amazon S3":               {xmlType, `<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message><RequestId>1</RequestId></Error>`, answer.Error{Code: "SlowDown", Message: "Please reduce your request rate.", Shape: "xml"}},
		"Amazon, query API":       {xmlType, `<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`, answer.Error{Code: "Throttling", Message: "Rate exceeded", Shape: "xml"}},
		"SOAP 1.1":                {xmlType, `<s:Envelope xmlns:s="x"><s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring>boom</faultstring></s:Fault></s:Body></s:Envelope>`, answer.Error{Code: "s:Server", Message: "boom", Shape: "soap"}},
		"SOAP 1.2":                {"application/soap+xml", `<e:Envelope xmlns:e="x"><e:Body><e:Fault><e:Code><e:Value>e:Receiver</e:Value></e:Code><e:Reason><e:Text>boom</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>`, answer.Error{Code: "e:Receiver", Message: "boom", Shape: "soap"}},
		"an error page":           {"text/html", `<html><head><title>502 Bad Gateway</title></head></html>`, answer.Error{Code: "502", Message: "Bad Gateway", Shape: "html"}},
		"a page with a heading":   {"text/html", `<h1>It&#39;s broken</h1>`, answer.Error{Message: "It's broken", Shape: "html"}},
		"plain text":              {"text/plain", "upstream request timeout\nsecond line", answer.Error{Message: "upstream request timeout", Shape: "text"}},
		"nothing":                 {jsonType, `{}`, answer.Error{}},
		"a success":               {jsonType, `{"id":1,"name":"x"}`, answer.Error{}},
		"no JSON after all":       {jsonType, `<html>`, answer.Error{}},
		"an empty list of errors": {jsonType, `{"errors":[]}`, answer.Error{}},
	}
	for name, c := range cases {
		if got := answer.Extract(reply(500, c.contentType, c.body)); got != c.want {
			t.Errorf("%s: %s\n got %+v\nwant %+v", name, c.body, got, c.want)
		}
	}
}

func TestExtractFromHeaders(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		want   answer.Error
	}{
		"Amazon":       {http.Header{"X-Amzn-Errortype": {"ThrottlingException:http://internal.amazon.com/coral/x"}}, answer.Error{Code: "ThrottlingException", Shape: "header"}},
		"Azure":        {http.Header{"X-Ms-Error-Code": {"ServerBusy"}}, answer.Error{Code: "ServerBusy", Shape: "header"}},
		"gRPC":         {http.Header{"Grpc-Status": {"8"}, "Grpc-Message": {"too%20many"}}, answer.Error{Code: "8", Message: "too many", Shape: "header"}},
		"gRPC success": {http.Header{"Grpc-Status": {"0"}}, answer.Error{}},
		"bearer token": {http.Header{"Www-Authenticate": {`Bearer realm="x", error="invalid_token", error_description="expired"`}}, answer.Error{Code: "invalid_token", Message: "expired", Shape: "header"}},
	} {
		if got := answer.Extract(answer.Answer{Status: 500, Header: c.header}); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	both := answer.Answer{Status: 400, Header: http.Header{"X-Amzn-Errortype": {"Throttled"}, "Content-Type": {"application/json"}}, Body: []byte(`{"message":"Rate exceeded"}`)}
	if got, want := answer.Extract(both), (answer.Error{Code: "Throttled", Message: "Rate exceeded", Shape: "json"}); got != want {
		t.Errorf("code in the header, message in the body: %+v, want %+v", got, want)
	}
}

func TestLongMessagesAreCutBetweenCharacters(t *testing.T) {
	e := answer.Extract(reply(500, "text/plain", strings.Repeat("ü", 3000)))
	if len(e.Message) != 1000 || strings.ToValidUTF8(e.Message, "") != e.Message {
		t.Errorf("%d bytes", len(e.Message))
	}
}
