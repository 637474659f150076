// Package config turns what a user has written down (files, environment variables) into the values that other rooms take:
// today the mechanisms of the user's own. Reading is strict: an unknown key, a word that means nothing and a rule that
// could never hold are errors with file, line, key and remedy, all of them at once, because a rule that is silently left
// out is found missing during an incident. The package reads files and the environment and nothing else, and changes nothing.
package config
