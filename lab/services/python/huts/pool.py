"""Connections to MariaDB that are used again."""
import logging
import os
import queue
from contextlib import contextmanager

import pymysql
from pymysql.cursors import DictCursor

log = logging.getLogger("huts.pool")
spare = queue.LifoQueue()


def take():
    try:
        return spare.get_nowait()
    except queue.Empty:
        return pymysql.connect(host=os.environ["DB_HOST"], user=os.environ["DB_USER"], password=os.environ["DB_PASSWORD"], database=os.environ["DB_NAME"],
                               connect_timeout=3, read_timeout=8, autocommit=True, cursorclass=DictCursor)


def give(conn):
    spare.put(conn)


@contextmanager
def connection():
    conn = take()
    try:
        yield conn
    finally:
        give(conn)


def rows(conn, sql, args):
    with conn.cursor() as cursor:
        cursor.execute(sql, args)
        return cursor.fetchall()


def insert(conn, sql, args):
    with conn.cursor() as cursor:
        cursor.execute(sql, args)
        return cursor.lastrowid
