package answer_test

import (
	"fmt"
	"net/http"

	"github.com/inquesthq/inquest/guard/answer"
)

func ExampleJudge_Status() {
	j, err := answer.New(answer.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	v := j.Status(answer.Answer{Status: 500, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"error":"Limit exceeded"}`), Whole: true})
	fmt.Println(v.Status, v.Rule)
	// Output: 429 limit-as-500
}

func ExampleJudge_Leaks() {
	j, err := answer.New(answer.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range j.Leaks(answer.Answer{Status: 500, Body: []byte(`{"error":"dial tcp 10.2.3.4:5432: refused"}`)}) {
		fmt.Println(l.Kind, l.Text)
	}
	// Output: host dial tcp
}
