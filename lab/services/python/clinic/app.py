"""The appointments service of a clinic."""
import json
import logging
import os
import urllib.request

from flask import Flask, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, generate_latest
from sqlalchemy import create_engine, text

from letters import render_letter
from tariffs import fee_for

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s [%(process)d] %(name)s: %(message)s")
log = logging.getLogger("clinic")

app = Flask("clinic")
engine = create_engine(
    os.environ["DATABASE_URL"],
    pool_size=int(os.environ.get("DB_POOL_SIZE", "5")),
    max_overflow=int(os.environ.get("DB_MAX_OVERFLOW", "2")),
    pool_timeout=int(os.environ.get("DB_POOL_TIMEOUT", "4")),
    pool_pre_ping=False,
)
requests_total = Counter("flask_http_requests", "Requests", ["method", "route", "status"])
pool_gauge = Gauge("sqlalchemy_pool_connections", "Pool", ["state"])


@app.after_request
def count(response):
    if request.path not in ("/metrics", "/healthz"):
        requests_total.labels(request.method, str(request.url_rule), response.status_code).inc()
    return response


@app.get("/healthz")
def healthz():
    return jsonify(status="ok")


@app.get("/metrics")
def metrics():
    pool_gauge.labels("checked_out").set(engine.pool.checkedout())
    pool_gauge.labels("size").set(engine.pool.size() + engine.pool._max_overflow)
    return generate_latest(), 200, {"Content-Type": CONTENT_TYPE_LATEST}


@app.get("/v1/doctors")
def doctors():
    with engine.connect() as db:
        rows = db.execute(text("select id, name, specialty from doctors order by id limit 30")).mappings().all()
    return jsonify([dict(r) for r in rows])


@app.get("/v1/slots")
def slots():
    doctor = request.args.get("doctor", type=int)
    with engine.connect() as db:
        rows = db.execute(text("select id, starts_at from slots where doctor_id = :d and taken = false limit 20"), {"d": doctor}).mappings().all()
    return jsonify([{"id": r["id"], "starts_at": r["starts_at"].isoformat()} for r in rows])


@app.post("/v1/appointments")
def book():
    body = request.get_json()
    with engine.begin() as db:
        patient = db.execute(text("select id, insurance from patients where id = :p"), {"p": body["patient"]}).mappings().first()
        if patient is None:
            return jsonify(error="NO_SUCH_PATIENT"), 404
        fee = fee_for(patient, body.get("kind", "standard"))
        row = db.execute(
            text("insert into appointments (patient_id, doctor_id, fee_cents) values (:p, :d, :f) returning id"),
            {"p": patient["id"], "d": body["doctor"], "f": fee},
        ).first()
    return jsonify(id=row[0], fee_cents=fee), 201


@app.get("/v1/appointments/<int:number>")
def appointment(number):
    with engine.connect() as db:
        row = db.execute(text("select id, patient_id, doctor_id, fee_cents from appointments where id = :n"), {"n": number}).mappings().first()
    if row is None:
        return jsonify(error="NO_SUCH_APPOINTMENT"), 404
    return jsonify(dict(row))


@app.get("/v1/appointments/<int:number>/letter")
def letter(number):
    return render_letter(number), 200, {"Content-Type": "text/plain"}


@app.get("/v1/insurance/<int:patient>")
def insurance(patient):
    with urllib.request.urlopen(f"{os.environ['INSURER_URL']}/coverage/{patient}", timeout=4) as answer:
        coverage = json.loads(answer.read())
    return jsonify(patient=patient, covered=coverage["covered"])
