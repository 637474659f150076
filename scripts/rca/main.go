// Command rca investigates every case folder of a benchmark of root-cause ranking and prints how often the component
// that was really at fault came out first and among the first three. It exits with 1 when a bound of bounds is not held.
//
//	go run ./scripts/rca [-misses] [-predictions FILE] [-only word] DATA_DIR...
//
// A DATA_DIR holds truth.jsonl with one object a case ({"id", "accept": [names], "scenario"}) and the folders cases/ID.
// With -predictions, {"id", "ranking"} is written one a line, for other scorers.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/inquesthq/inquest/internal/flow"
)

// bounds are the least shares of cases, first and among the first three, by the folder's name.
var bounds = map[string][2]float64{"nezha": {0.93, 0.98}, "petshop": {0.95, 0.95}}

func main() {
	var r run
	flag.BoolVar(&r.misses, "misses", false, "print the cases whose answer is not first")
	flag.StringVar(&r.only, "only", "", "only cases whose id contains this")
	predictions := flag.String("predictions", "", "write rankings to this file")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: rca [-misses] [-predictions FILE] [-only word] DATA_DIR...")
		os.Exit(2)
	}
	good := true
	for _, dir := range flag.Args() {
		ok, err := r.folder(dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, "rca:", err)
			os.Exit(2)
		}
		good = good && ok
	}
	if *predictions != "" {
		if err := os.WriteFile(*predictions, r.rankings.Bytes(), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "rca:", err)
			os.Exit(2)
		}
	}
	if !good {
		os.Exit(1)
	}
}

type run struct {
	misses   bool
	only     string
	rankings bytes.Buffer
}

// truth is one row of truth.jsonl.
type truth struct {
	ID       string   `json:"id"`
	Accept   []string `json:"accept"`
	Scenario string   `json:"scenario"`
}

// tally counts the cases of one scenario.
type tally struct{ cases, first, three int }

func (r *run) folder(dir string) (bool, error) {
	f, err := os.Open(filepath.Join(dir, "truth.jsonl"))
	if err != nil {
		return false, fmt.Errorf("no truth to compare with: %w", err)
	}
	defer f.Close()
	rows := map[string]*tally{"all": {}}
	for d := json.NewDecoder(f); ; {
		var t truth
		if err := d.Decode(&t); err == io.EOF {
			break
		} else if err != nil {
			return false, fmt.Errorf("%s: %w", f.Name(), err)
		}
		if !strings.Contains(t.ID, r.only) {
			continue
		}
		rank, err := r.rank(filepath.Join(dir, "cases", t.ID), t)
		if err != nil {
			return false, err
		}
		for _, row := range []string{"all", t.Scenario} {
			if rows[row] == nil {
				rows[row] = &tally{}
			}
			rows[row].add(rank)
		}
	}
	return report(filepath.Base(dir), rows), nil
}

// rank returns the place of the first accepted name among the suspects, from 1; 0 when none is there.
func (r *run) rank(dir string, t truth) (int, error) {
	out, err := flow.Investigate(context.Background(), dir, flow.Options{})
	if err != nil {
		return 0, err
	}
	ranking := []string{}
	for _, s := range out.Diagnosis.Suspects {
		if !slices.Contains(ranking, s.Component) {
			ranking = append(ranking, s.Component)
		}
	}
	line, err := json.Marshal(map[string]any{"id": t.ID, "ranking": ranking})
	if err != nil {
		return 0, err
	}
	r.rankings.Write(append(line, '\n'))
	rank := 1 + slices.IndexFunc(ranking, func(name string) bool { return slices.Contains(t.Accept, name) })
	if r.misses && rank != 1 {
		fmt.Printf("%-16s want one of %s, got %s\n", t.ID, strings.Join(t.Accept, ", "), strings.Join(ranking[:min(3, len(ranking))], ", "))
	}
	return rank, nil
}

func (t *tally) add(rank int) {
	t.cases++
	if rank == 1 {
		t.first++
	}
	if rank >= 1 && rank <= 3 {
		t.three++
	}
}

// report prints the rows and reports whether the bounds are held over all of them.
func report(name string, rows map[string]*tally) bool {
	var keys []string
	for k := range rows {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		return (keys[i] == "all") == (keys[j] == "all") && keys[i] < keys[j] || keys[j] == "all"
	})
	for _, k := range keys {
		t := rows[k]
		fmt.Printf("%-10s %-18s %3d cases  first %.4f  among three %.4f\n", name, k, t.cases, share(t.first, t.cases), share(t.three, t.cases))
	}
	all, least := rows["all"], bounds[name]
	if share(all.first, all.cases) < least[0] || share(all.three, all.cases) < least[1] {
		fmt.Printf("%-10s BELOW %.2f first, %.2f among three\n", name, least[0], least[1])
		return false
	}
	return true
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}
