// Command lab records incidents: it starts real servers in a network of their own, sends them load, breaks
// something on purpose and keeps what every part wrote, together with the truth about what was broken.
//
//	go run -C lab . list
//	go run -C lab . record <case>...|all [--parallel 2] [--out DIR] [--skip-existing]
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("say what to do: list, or record <case>...|all")
	}
	switch args[0] {
	case "list":
		return list()
	case "record":
		return record(args[1:])
	case "inside": // started by record, in namespaces of its own
		return inside(args[1:])
	}
	return fmt.Errorf("unknown command %q: use list or record", args[0])
}

func list() error {
	for _, s := range scenarios() {
		fmt.Printf("%-9s %-52s %-9s %s\n", s.Kind, s.dir(), s.split(), s.Title)
	}
	return nil
}

type recordFlags struct {
	parallel int
	out      string
	work     string
	skip     bool
}

func record(args []string) error {
	var f recordFlags
	fs := flag.NewFlagSet("record", flag.ContinueOnError)
	fs.IntVar(&f.parallel, "parallel", 2, "recordings at a time")
	fs.StringVar(&f.out, "out", defaultOut(), "folder that receives the cases")
	fs.StringVar(&f.work, "work", filepath.Join(os.TempDir(), "lab"), "scratch folder: builds, templates, run logs")
	fs.BoolVar(&f.skip, "skip-existing", false, "leave cases alone that are already there")
	var names []string
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		names, args = append(names, args[0]), args[1:]
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	picked, err := pick(names)
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("recording needs root: it makes network, mount and process namespaces")
	}
	if err := prepare(f.work); err != nil {
		return fmt.Errorf("prepare %s (did you run lab/setup.sh?): %w", f.work, err)
	}
	return recordAll(picked, f)
}

func defaultOut() string {
	if wd, err := os.Getwd(); err == nil {
		return filepath.Join(filepath.Dir(wd), "testdata", "cases")
	}
	return "cases"
}

func pick(names []string) ([]Scenario, error) {
	all := scenarios()
	if len(names) == 1 && names[0] == "all" {
		return all, nil
	}
	byName := map[string]Scenario{}
	var known []string
	for _, s := range all {
		byName[s.Name] = s
		known = append(known, s.Name)
	}
	sort.Strings(known)
	var picked []Scenario
	for _, n := range names {
		s, ok := byName[n]
		if !ok {
			return nil, fmt.Errorf("no case %q; there are: %s", n, strings.Join(known, " "))
		}
		picked = append(picked, s)
	}
	if len(picked) == 0 {
		return nil, errors.New("name a case, or all")
	}
	return picked, nil
}

func recordAll(picked []Scenario, f recordFlags) error {
	slots := make(chan struct{}, max(1, f.parallel))
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed []string
	for _, s := range picked {
		target := s.target(f.out)
		if _, err := os.Stat(filepath.Join(target, "want.json")); err == nil && f.skip {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			began := time.Now()
			err := spawn(s, f, target)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, s.Name)
				fmt.Printf("FAILED %s after %s: %v\n", s.Name, time.Since(began).Round(time.Second), err)
				return
			}
			fmt.Printf("ok %s (%s)\n", s.Name, time.Since(began).Round(time.Second))
		})
	}
	wg.Wait()
	if len(failed) > 0 {
		return fmt.Errorf("%d recordings failed: %s", len(failed), strings.Join(failed, " "))
	}
	return nil
}

// spawn runs one recording in namespaces of its own (network, mounts, processes, host name): ports and addresses
// of two recordings cannot clash, and whatever a recording started dies with it.
func spawn(s Scenario, f recordFlags, target string) error {
	runs := filepath.Join(f.work, "runs")
	if err := os.MkdirAll(runs, 0o755); err != nil {
		return err
	}
	logFile, err := os.Create(filepath.Join(runs, s.Name+".log"))
	if err != nil {
		return err
	}
	defer logFile.Close()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "inside", s.Name, target, f.work, sourceDir())
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
	}
	defer removeGroups(s.Name)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w (see %s)", err, logFile.Name())
	}
	return nil
}

// removeGroups takes away the CPU groups of an ended recording; the kernel refuses while a process is left, and then
// they stay without harm.
func removeGroups(name string) {
	time.Sleep(time.Second) // the kernel is still reaping
	parts, _ := filepath.Glob(filepath.Join(cpuGroup(name), "*"))
	for _, p := range parts {
		_ = os.Remove(p)
	}
	_ = os.Remove(cpuGroup(name))
}

// sourceDir is the folder with services/; go run leaves the working directory at the module's root.
func sourceDir() string {
	wd, err := os.Getwd()
	if err != nil {
		return "."
	}
	return wd
}
