"""Counts everybody's points anew. Run by cron."""
import sqlite3
import sys
import time

import config

conn = sqlite3.connect(config.DATABASE, timeout=30, isolation_level=None)
print("loyalty: counting points of all donors", flush=True)
conn.execute("begin immediate")
done = 0
for (donor,) in conn.execute("select id from donors order by id").fetchall():
    given = conn.execute("select count(*) from appointments where donor_id = ?", (donor,)).fetchone()[0]
    conn.execute("update donors set points = ? where id = ?", (given * 10, donor))
    done += 1
    if done % 200 == 0:
        time.sleep(0.7)
    if done % 5000 == 0:
        print("loyalty: %d donors" % done, flush=True)
conn.execute("commit")
print("loyalty: done, %d donors" % done, flush=True)
sys.exit(0)
