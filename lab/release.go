package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Edit changes the source of a release: this is how a release gets its bug, and the trace its true line.
type Edit struct{ File, Old, New string }

// Release copies services/<src> to /srv/<service>/releases/<version>, renames words, applies the edits and builds.
// It returns the folder.
func (e *Env) Release(service, src, version string, rename []string, edits ...Edit) string {
	from := filepath.Join(e.Source, "services", src)
	to := filepath.Join("/srv", service, "releases", version)
	must(os.MkdirAll(to, 0o755), "mkdir")
	r := strings.NewReplacer(rename...)
	applied := 0
	must(filepath.Walk(from, func(path string, fi os.FileInfo, err error) error {
		if err != nil || fi.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(from, path)
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text := string(b)
		for _, ed := range edits {
			if ed.File != rel {
				continue
			}
			if !strings.Contains(text, ed.Old) {
				return fmt.Errorf("edit of %s: %q not found", rel, ed.Old)
			}
			text = strings.ReplaceAll(text, ed.Old, ed.New)
			applied++
		}
		e.Write(filepath.Join(to, r.Replace(rel)), r.Replace(text))
		return nil
	}), "release %s %s", service, version)
	if applied != len(edits) {
		must(fmt.Errorf("%d of %d edits applied", applied, len(edits)), "release %s %s", service, version)
	}
	e.build(service, src, to)
	return to
}

func (e *Env) build(service, src, dir string) {
	switch {
	case strings.HasPrefix(src, "node/"):
		mods := filepath.Join("/srv", service, "node_modules")
		if _, err := os.Stat(mods); err != nil {
			must(os.MkdirAll(mods, 0o755), "mkdir")
			must(syscall.Mount(filepath.Join(e.Work, "npm", "node_modules"), mods, "", syscall.MS_BIND, ""), "bind node_modules")
		}
	case strings.HasPrefix(src, "go/"):
		gomod, err := os.ReadFile(filepath.Join(e.Source, "go.mod"))
		must(err, "go.mod")
		e.Write(filepath.Join(dir, "go.mod"), strings.Replace(string(gomod), "github.com/inquesthq/inquest/lab", service, 1))
		gosum, err := os.ReadFile(filepath.Join(e.Source, "go.sum"))
		must(err, "go.sum")
		e.Write(filepath.Join(dir, "go.sum"), string(gosum))
		e.Run("sh", "-c", "cd "+dir+" && GOFLAGS=-mod=mod GOPROXY=off nice go build -trimpath -o bin . && chmod 755 bin")
	case strings.HasPrefix(src, "java/"):
		e.Run("sh", "-c", "cd "+dir+" && nice javac -g -cp '"+javaCP+":"+tomcatJars+"' -d classes $(find . -name '*.java')")
	}
}

const javaCP = "/usr/share/java/HikariCP.jar:/usr/share/java/postgresql.jar:/usr/share/java/slf4j-api.jar:/usr/share/java/logback-core.jar:/usr/share/java/logback-classic.jar"

// tomcatJars are for services that run in an embedded Tomcat and log through java.util.logging as it does.
const tomcatJars = "/usr/share/java/tomcat10-embed-core.jar:/usr/share/java/mariadb-java-client.jar:/usr/share/java/slf4j-jdk14.jar:/usr/share/java/jakarta-annotation-api.jar"
