"""Makes the file of a region with some people in it."""
import sqlite3

import config

conn = sqlite3.connect(config.DATABASE)
conn.executescript("""
pragma journal_mode = wal;
create table centres (id integer primary key, town text, beds integer);
create table slots (id integer primary key, centre_id integer, starts text, free integer);
create index slots_centre on slots (centre_id, starts);
create table donors (id integer primary key, blood_group text, last_given text, answers text, points integer default 0);
create table appointments (id integer primary key, slot_id integer, donor_id integer);
""")
conn.executemany("insert into centres values (?, ?, ?)", [(i, "Town %d" % i, 4 + i % 9) for i in range(1, 81)])
conn.executemany("insert into slots values (?, ?, ?, ?)", [(i, 1 + i % 80, "2026-12-%02dT%02d:00" % (1 + i % 28, 8 + i % 10), i % 7) for i in range(1, 6001)])
conn.executemany("insert into donors (id, blood_group, last_given, answers) values (?, ?, ?, '{}')", [(i, "0ABx"[i % 4], "2026-0%d-11" % (1 + i % 9)) for i in range(1, 20001)])
conn.commit()
