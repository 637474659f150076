package mechanism

import "github.com/inquesthq/inquest"

// disk: a file system is full.
func disk() Mechanism {
	return Mechanism{
		ID:    "resource-exhaustion/disk",
		Title: "Disk full",
		What: "A file system has no bytes, no inodes or no quota left. Whatever writes fails: databases stop or turn read-only, uploads and temporary files fail, and " +
			"logs end in the middle of a line, so that the failure itself may not be logged. Logs often fill disks in silence.",
		Signs: []string{
			"5xx on writing routes first, then everywhere",
			"`No space left on device`, `ENOSPC`, `could not extend file`; logs that stop",
			"a mount at 100% of bytes or inodes",
		},
		Needs:       []string{"a write that failed for lack of space, or a file system at its limit while requests fail"},
		Contradicts: []string{"space and inodes free on every mount that the service or its database writes to"},
		Explains: ids(fallout(), these("database/down", "database/read-only", "database/query-error", "database/slow-query", "database/pool-exhausted", "unhandled-exception/parse-error", "dependency-failure/refused",
			"dependency-failure/timeout", "dependency-failure/bad-response", "dependency-failure/upstream-overload", "bad-deploy/startup-crash", "misconfiguration/permission", "misconfiguration/wrong-path", "misconfiguration/error-mapping")),
		Above:    ids(failingAbove(), goneAbove()),
		Triggers: []inquest.TriggerKind{inquest.TriggerData, "deploy", "config", inquest.TriggerTraffic, "infra", "migration"},
		About:    []string{"disk", "volume", "storage", "retention", "rotat"},
		Gradual:  true,
		Shared:   true,
		Roles:    []Role{RoleSelf, RoleDatabase, RolePeer},
		Silent:   true,
		Clues: []Clue{
			says(1, "errno ENOSPC and EDQUOT in any runtime's words", "no space left on device", "enospc", "there is not enough space on the disk", "disk quota exceeded", "edquot", "os error 28", "write error: no space", "not enough free disk space", "no space left on volume").but("file watchers", "inotify"),
			says(1, "databases", "could not extend file", "could not write to file * no space", "disk full (", "the table '*' is full", "database or disk is full", "sqlite_full", "ora-01653", "ora-01654", "ora-01652", "ora-00257", "ora-19809", "could not allocate space for object", "the transaction log for database * is full", "unable to extend table",
				"could not write block", "pg_wal*no space", "innodb: write to file * failed", "error number 28 means 'no space left on device'"),
			coded(1, "PostgreSQL disk_full; MySQL 1021, 1114, 3", "53100", "mysql:1021", "mysql:1114", "er_disk_full", "er_record_file_full"),
			says(1, "brokers and search engines", "disk resource limit alarm set", "free disk space is insufficient", "flood stage disk watermark", "high disk watermark", "disk watermark [", "disk usage exceeded flood-stage watermark", "kafkastorageexception", "all log dirs in * have failed", "log directory * is offline", "insufficient disk space").
				but("below"),
			says(0.9, "Redis and MongoDB cannot save", "error writing to the append only file", "failed opening the rdb file", "write error saving db on disk", "can't persist aof", "wiredtiger*enospc", "outofdiskspace").by(OriginCache, OriginDatabase, OriginApp),
			says(1, "kubelet, Docker and journald", "the node was low on resource: ephemeral-storage", "diskpressure", "node has disk pressure", "freediskspacefailed", "imagegcfailed", "evicted*ephemeral", "journal*disk full", "failed to write entry*no space", "exceeds the limit*ephemeral-storage").by(OriginSupervisor, OriginApp, OriginKernel),
			says(1, "kernel: file system errors", "remounting filesystem read-only", "ext4-fs error", "xfs*metadata i/o error", "buffer i/o error on dev", "ext4-fs warning*directory index full").by(OriginKernel, OriginSupervisor),
			says(0.8, "nginx's and others' temporary files", "pwrite() * failed (28:", "write() * failed (28:", "writev() * failed (28:", "failed to write to temporary file"),
		},
		Supports: []Support{
			{Symptom: inquest.SymptomSaturation, Resource: ResourceDisk, Weight: 0.8, Why: "a file system at its limit while requests fail"},
			{Symptom: inquest.SymptomGap, Detail: "log", Weight: 0.3, Why: "a full disk ends the log as well"},
		},
		Confirm: []inquest.Command{
			check("Bytes, and inodes.", "df -h {path}; df -i {path}", "100% in one of the two"),
			check("What takes the room?", "du -sh /var/log/* 2>/dev/null | sort -rh | head -n 5", "one log or directory far above the others"),
			check("Deleted files that a process still holds open count as well.", "lsof -nP +L1 2>/dev/null | sort -k7 -rn | head -n 5", "a large deleted log: restart or reload its owner to free it"),
		},
		Actions: []inquest.Action{
			now("symptom", "Free space: look at the old rotated logs first, then delete them; never delete a database's files.", "find /var/log -type f \\( -name '*.gz' -o -name '*.[0-9]' \\) -mtime +3 -print"),
			now("symptom", "Empty a log that is still open instead of deleting it, or grow the volume.", "truncate -s 0 {path}"),
			now("symptom", "If a database stopped: restart it after there is space, and check that it takes writes again.", "systemctl start postgresql"),
			later("cause", "Stop what fills it: verbose logging, temporary files, a replication slot nobody reads, data without retention.", ""),
			prevent("Rotate and compress logs daily (logrotate), ship them to a central place; alert at 85%, page at 95%, and on the time to full.", "logrotate --debug /etc/logrotate.conf"),
		},
		Owner:  "infrastructure",
		Status: 503,
	}
}
