// Package server is the process behind `inquest serve`: it opens the stores in one data folder, lets signals in, counts them, watches the rules,
// keeps the incidents, tells people and serves the pages.
//
//	receivers -> spool -> rates -> metrics -> detect -> incident desk -> notices -> people
//	                 \______________ flow (an incident's hours) ____/
//
// It wires rooms and holds no rule of its own; docs/serve.md is for its operators.
package server
