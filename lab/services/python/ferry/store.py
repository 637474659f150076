"""MariaDB, with a few connections kept open for the next request."""
import os
import threading
import time

import pymysql
from pymysql.cursors import DictCursor

MAX_AGE = float(os.environ.get("DB_MAX_AGE", "45"))
idle = []
lock = threading.Lock()


def connect():
    conn = pymysql.connect(host=os.environ["DB_HOST"], user=os.environ["DB_USER"], password=os.environ["DB_PASSWORD"], database=os.environ["DB_NAME"],
                           connect_timeout=3, read_timeout=10, autocommit=True, cursorclass=DictCursor)
    return conn, time.monotonic()


def borrow():
    with lock:
        if idle:
            return idle.pop()
    return connect()


def give_back(conn, born):
    if time.monotonic() - born > MAX_AGE:
        conn.close()
        return
    with lock:
        idle.append((conn, born))


def run(sql, args, result):
    conn, born = borrow()
    with conn.cursor() as cursor:
        cursor.execute(sql, args)
        out = result(cursor)
    give_back(conn, born)
    return out


def rows(sql, args=()):
    return run(sql, args, lambda c: c.fetchall())


def insert(sql, args):
    return run(sql, args, lambda c: c.lastrowid)
