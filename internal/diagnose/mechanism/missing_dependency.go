package mechanism

import "github.com/inquesthq/inquest"

// missingDependency: the artifact lacks something it needs.
func missingDependency() Mechanism {
	return Mechanism{
		ID:    "bad-deploy/missing-dependency",
		Title: "Library or file missing from the release",
		What: "The release was built without a module, class, shared library, template or asset that its code needs, or with an incompatible version of it. It stops " +
			"at start, or only when the first request reaches the code that loads it lazily.",
		Signs: []string{
			"start fails, or some routes answer 500, from the deploy on and on the new version only",
			"`Cannot find module`, `ModuleNotFoundError`, `ClassNotFoundException`, `NoSuchMethodError`",
		},
		Needs:       []string{"a module, class, symbol or template that could not be loaded, at the start or in the failing requests"},
		Contradicts: []string{"the same message on the version before", "descriptors used up at the time: loading a class opens a file"},
		Explains:    ids(fallout(), these("bad-deploy/startup-crash", "misconfiguration/error-mapping")),
		Above:       ids(goneAbove(), failingAbove()),
		Triggers:    []inquest.TriggerKind{"deploy", "restart", "infra", "config", "flag"},
		Roles:       []Role{RoleSelf},
		Clues: []Clue{
			says(1, "Node.js", "cannot find module", "module_not_found", "err_module_not_found", "cannot find package", "err_package_path_not_exported", "err_require_esm", "does not provide an export named", "invalid elf header", "was compiled against a different node.js version"),
			says(1, "Python", "no module named", "cannot import name", "pkg_resources.distributionnotfound", "packagenotfounderror"),
			thrown(1, "Python, JVM, .NET, Ruby, PHP, Elixir: the runtime's names for it", "ModuleNotFoundError", "ClassNotFoundException", "NoClassDefFoundError", "NoSuchMethodError", "NoSuchFieldError", "AbstractMethodError", "UnsupportedClassVersionError", "IncompatibleClassChangeError",
				"UnsatisfiedLinkError", "TypeLoadException", "MissingMethodException", "BadImageFormatException", "DllNotFoundException", "ReflectionTypeLoadException", "IncompatibleClassChangeError").but("constantpool"),
			thrown(0.7, "an import that failed: missing, or broken by something else", "ImportError", "LoadError", "UndefinedFunctionError").but("csv", "data import"),
			says(1, "Ruby, PHP, .NET", "cannot load such file", "could not find gem", "bundler::gemnotfound", "could not find * in any of the sources", "failed opening required", "class \"*\" not found", "class '*' not found", "call to undefined function", "target class [*] does not exist", "could not load file or assembly", "could not load type", "vendor/autoload.php"),
			says(1, "native code: loader and symbols", "error while loading shared libraries", "cannot open shared object file", "undefined symbol:", "version `glibc_* not found", "symbol lookup error", "library not loaded:", "exec format error", "error loading shared library"),
			says(0.9, "templates, views and built assets that were not shipped", "templatenotfound", "templatedoesnotexist", "missing template", "actionview::missingtemplate", "failed to lookup view", "view [*] not found", "error resolving template", "no template found", "html/template: * is undefined", "webpack*chunkloaderror", "chunkloaderror", "could not find a production build",
				"manifest.json*not found", "missing staticfiles manifest entry", "the asset * is not present in the asset pipeline", "vite manifest not found"),
			says(1, "containers: the image is not there", "imagepullbackoff", "errimagepull", "manifest unknown", "manifest for * not found", "failed to pull image").by(OriginSupervisor, OriginApp),
			says(0.8, "JVM frameworks without a bean or driver", "nosuchbeandefinitionexception", "no qualifying bean of type", "no suitable driver found", "cannot load driver class", "serviceconfigurationerror", "unable to resolve service for type"),
			says(0.8, "Lambda: the handler is not in the package", "runtime.importmoduleerror", "runtime.handlernotfound", "unable to import module", "runtime.exiterror*no such", "handlernotfound"),
		},
		Confirm: []inquest.Command{
			check("Read the start of the new version.", "kubectl logs deployment/{service} --previous --tail=100", "the module or class that could not be loaded"),
			check("Is it in the image?", "kubectl exec deployment/{service} -- ls {path}", "not there"),
		},
		Actions: []inquest.Action{
			rollback(),
			later("cause", "Fix the build: declare the dependency, install it for production, ship the file.", ""),
			later("cause", "Redeploy; migrations first where the release has any.", "kubectl rollout status deployment/{service} --timeout=120s"),
			prevent("Build from a lock file; start the image once in CI and send it one request per route before it ships.", ""),
		},
		Owner:  "code",
		Status: 500,
	}
}
