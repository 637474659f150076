"""Beds in mountain huts."""
import logging
import os
import time
from contextlib import contextmanager

import pymysql
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

import catering
import pool

logging.basicConfig(level=logging.INFO, format="%(asctime)s | %(levelname)-8s | %(name)s:%(funcName)s:%(lineno)d - %(message)s")
log = logging.getLogger("huts")
app = FastAPI(docs_url=None, openapi_url=None)


@app.middleware("http")
async def timing(request: Request, call_next):
    began = time.perf_counter()
    try:
        response = await call_next(request)
    except Exception:
        log.exception("unhandled error in %s %s", request.method, request.url.path)
        return JSONResponse({"detail": "Internal Server Error"}, 500)
    log.info("%s %s %s %.1fms", request.method, request.url.path, response.status_code, (time.perf_counter() - began) * 1000)
    return response


@app.get("/livez")
def livez():
    return "ok"


@app.get("/huts")
def huts(region: str = "north"):
    with pool.connection() as conn:
        return pool.rows(conn, "select id, name, beds, altitude from huts where region = %s order by id limit 25", (region,))


@app.get("/huts/{hut}")
def hut(hut: int):
    with pool.connection() as conn:
        found = pool.rows(conn, "select id, name, beds, altitude, warden from huts where id = %s", (hut,))
    if not found:
        raise HTTPException(404, "no such hut")
    return found[0]


@app.get("/huts/{hut}/nights/{night}")
def free(hut: int, night: int):
    with pool.connection() as conn:
        taken = pool.rows(conn, "select coalesce(sum(beds), 0) as taken from stays where hut_id = %s and night = %s", (hut, night))[0]["taken"]
        found = pool.rows(conn, "select beds, warden from huts where id = %s", (hut,))
    if not found:
        raise HTTPException(404, "no such hut")
    return {"free": max(0, found[0]["beds"] - int(taken)), "dinner": catering.dinner(found[0])}


@app.post("/stays", status_code=201)
async def stay(request: Request):
    body = await request.json()
    with pool.connection() as conn:
        made = pool.insert(conn, "insert into stays (hut_id, night, beds, guest) values (%s, %s, %s, %s)", (body["hut"], body["night"], body["beds"], body["guest"]))
    return {"id": made}


@app.get("/guests/{guest}/stays")
def stays(guest: int):
    conn = pool.take()
    found = pool.rows(conn, "select id, hut_id, night, beds from stays where guest = %s order by night desc limit 10", (guest,))
    pool.give(conn)
    if not found:
        return []
    return found
