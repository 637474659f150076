// Package resident keeps the resident memory of a process small: what people see in top, and what a container is billed for.
package resident
