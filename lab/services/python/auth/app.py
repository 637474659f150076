"""Auth: sign-in, sessions and profiles."""
import hashlib
import logging
import os
import secrets
import time

from flask import Flask, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from sqlalchemy import create_engine, text

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s [%(threadName)s] auth: %(message)s")
log = logging.getLogger("auth")

app = Flask("auth")
engine = create_engine(os.environ["DATABASE_URL"], pool_size=5, max_overflow=3, pool_timeout=5, pool_recycle=int(os.environ.get("DB_RECYCLE", "1800")))
requests_total = Counter("http_requests", "Requests", ["method", "route", "status"])
seconds = Histogram("http_request_duration_seconds", "Duration", ["route"], buckets=(0.05, 0.5, 2.5, 5, 10))
logins = Counter("auth_logins", "Sign-ins", ["result"])


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
    log.exception("unhandled exception on %s %s rid=%s", request.method, request.path, request.headers.get("X-Request-Id", "-"))
    return jsonify(error="internal error"), 500


@app.get("/healthz")
def healthz():
    return "ok"


@app.get("/metrics")
def metrics():
    return generate_latest(), 200, {"Content-Type": CONTENT_TYPE_LATEST}


def user_of_session():
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    with engine.connect() as db:
        row = db.execute(text("SELECT u.id, u.email, u.name, u.avatar FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token = :t"), {"t": token}).mappings().first()
    return dict(row) if row else None


@app.post("/api/login")
def login():
    body = request.get_json()
    with engine.connect() as db:
        row = db.execute(text("SELECT id, password FROM users WHERE email = :e"), {"e": body["email"]}).first()
    if row is None or row[1] != hashlib.sha256(body["password"].encode()).hexdigest():
        logins.labels("bad_credentials").inc()
        log.warning("failed login for %s", body["email"])
        return jsonify(error="email or password is wrong"), 401
    logins.labels("ok").inc()
    return jsonify(token=f"st_{secrets.token_hex(8)}")


@app.get("/api/users/me")
def me():
    user = user_of_session()
    if user is None:
        return jsonify(error="not signed in"), 401
    return jsonify(user)


@app.post("/api/users/profile")
def profile():
    body = request.get_json()
    with engine.begin() as db:
        db.execute(text("UPDATE users SET name = :n WHERE id = :u"), {"n": body["name"], "u": body["user"]})
    return jsonify(saved=True)
