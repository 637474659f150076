package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

type parcel struct {
	ID       int64  `json:"id"`
	Receiver string `json:"receiver"`
	Postcode string `json:"postcode"`
	State    string `json:"state"`
}

func (a *app) load(r *http.Request) (parcel, error) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	var p parcel
	err := a.db.QueryRowContext(ctx, `select id, receiver, postcode, state from parcels where id = $1`, r.PathValue("id")).Scan(&p.ID, &p.Receiver, &p.Postcode, &p.State)
	if errors.Is(err, sql.ErrNoRows) {
		return p, errMissing
	}
	if err != nil {
		return p, fmt.Errorf("select parcel: %w", err)
	}
	return p, nil
}

func (a *app) parcel(r *http.Request) (any, error) {
	p, err := a.load(r)
	return p, err
}

func (a *app) track(r *http.Request) (any, error) {
	p, err := a.load(r)
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": p.ID, "state": p.State, "stops": plan(p)}, nil
}

// plan names the depots that a parcel passes.
func plan(p parcel) map[string]string {
	stops := map[string]string{}
	for i, leg := range []string{"pickup", "hub", "delivery"} {
		stops[leg] = fmt.Sprintf("depot-%d", (int(p.ID)+i*7)%80)
	}
	return stops
}

func (a *app) accept(r *http.Request) (any, error) {
	var in struct {
		Receiver string `json:"receiver"`
		Postcode string `json:"postcode"`
		Grams    int    `json:"grams"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, fmt.Errorf("decode order: %w", err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	var id int64
	if err := a.db.QueryRowContext(ctx, `insert into parcels (receiver, postcode, grams) values ($1, $2, $3) returning id`, in.Receiver, in.Postcode, in.Grams).Scan(&id); err != nil {
		return nil, fmt.Errorf("insert parcel: %w", err)
	}
	label := fmt.Sprintf("^XA^FO50,50^FD%s^FS^FO50,90^FD%s^FS^XZ\n", in.Receiver, in.Postcode)
	if dir := os.Getenv("LABEL_DIR"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.zpl", id)), []byte(label), 0o644); err != nil {
			return nil, fmt.Errorf("print label: %w", err)
		}
	}
	return map[string]any{"id": id}, nil
}

func (a *app) depots(r *http.Request) (any, error) {
	rows, err := a.db.QueryContext(r.Context(), `select name, region from depots order by id limit 40`)
	if err != nil {
		return nil, fmt.Errorf("select depots: %w", err)
	}
	defer rows.Close()
	var out [][2]string
	for rows.Next() {
		var d [2]string
		if err := rows.Scan(&d[0], &d[1]); err != nil {
			return nil, fmt.Errorf("scan depot: %w", err)
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

func (a *app) quote(r *http.Request) (any, error) {
	resp, err := a.quotes.Get(os.Getenv("CUSTOMS_URL") + "/duty?to=" + r.URL.Query().Get("to"))
	if err != nil {
		return nil, fmt.Errorf("customs duty: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("customs duty: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("customs duty: status %d: %s", resp.StatusCode, body)
	}
	return json.RawMessage(body), nil
}
