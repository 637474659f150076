"""Settles the parcels of the month with the carriers' bank, several depots at a time."""
import logging
import os
import threading
import time
import urllib.request

import psycopg2

logging.basicConfig(level=logging.INFO, format="%(asctime)s settlement[%(process)d] %(levelname)s %(threadName)s %(message)s")
log = logging.getLogger()


def settle(depot):
    conn = psycopg2.connect(os.environ["DATABASE_URL"])
    with conn, conn.cursor() as cursor:
        while True:
            cursor.execute("select count(*), sum(grams) from parcels where id %% 80 = %s", (depot,))
            parcels, grams = cursor.fetchone()
            log.info("depot %s: %s parcels, %s g, asking the bank", depot, parcels, grams)
            with urllib.request.urlopen(f"{os.environ['BANK_URL']}/settle?depot={depot}", timeout=120) as answer:
                answer.read()
            log.info("depot %s: the bank has confirmed", depot)
            depot += 10


log.info("month-end settlement begins, %s depots at a time", os.environ["WORKERS"])
for n in range(int(os.environ["WORKERS"])):
    threading.Thread(target=settle, args=(n,), name=f"worker-{n + 1}").start()
    time.sleep(2.5)
