package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Operator talks to the admin API of a running gateway.
type Operator struct {
	client *http.Client
	addr   string
}

// NewOperator returns one for an address as the configuration has it: unix:/path or host:port.
func NewOperator(addr string) (*Operator, error) {
	if addr == "" {
		return nil, errors.New("the gateway has no admin address; write admin: unix:/run/inquest/gateway.sock into its file")
	}
	network, at := "tcp", addr
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, at = "unix", path
	}
	dialer := net.Dialer{Timeout: 2 * time.Second}
	return &Operator{addr: addr, client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialer.DialContext(ctx, network, at) },
	}}}, nil
}

// Get reads a path of the API.
func (o *Operator) Get(ctx context.Context, path string) ([]byte, error) {
	return o.do(ctx, http.MethodGet, path, nil)
}

// Post sends a request as JSON to a path of the API.
func (o *Operator) Post(ctx context.Context, path string, in any) ([]byte, error) {
	b, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return o.do(ctx, http.MethodPost, path, b)
}

func (o *Operator) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := o.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("no gateway answers at %s: %w; is it running, and may you open the socket?", o.addr, err)
	}
	defer func() { _ = resp.Body.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return nil, err
	}
	var said struct {
		Error string `json:"error"`
	}
	if resp.StatusCode != http.StatusOK {
		if json.Unmarshal(b, &said) == nil && said.Error != "" {
			return nil, errors.New(said.Error)
		}
		return nil, fmt.Errorf("the gateway answered %s", resp.Status)
	}
	return b, nil
}
