"""Appointments to give blood. One SQLite file per region."""
import json
import logging
import sqlite3
import time

from flask import Flask, g, jsonify, request
from werkzeug.exceptions import HTTPException

import config

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s [%(process)d] %(name)s - %(message)s")
app = Flask("donors")
log = logging.getLogger("donors.web")


def db():
    if "db" not in g:
        g.db = sqlite3.connect(config.DATABASE, timeout=config.BUSY_TIMEOUT)
        g.db.row_factory = sqlite3.Row
    return g.db


@app.before_request
def begin():
    g.began = time.monotonic()


@app.after_request
def access(response):
    if request.path != "/status":
        log.info("%s %s -> %d (%.0f ms)", request.method, request.full_path.rstrip("?"), response.status_code, (time.monotonic() - g.began) * 1000)
    return response


@app.teardown_appcontext
def close(_):
    conn = g.pop("db", None)
    if conn is not None:
        conn.close()


@app.errorhandler(Exception)
def failed(e):
    if isinstance(e, HTTPException):
        return jsonify(error=e.description), e.code
    app.logger.exception("Exception on %s [%s]", request.path, request.method)
    return jsonify(error="temporarily unavailable"), 500


@app.get("/status")
def status():
    return "up\n"


@app.get("/centres")
def centres():
    rows = db().execute("select id, town, beds from centres where town like ? order by id limit 20", (request.args.get("town", "") + "%",))
    return jsonify([dict(r) for r in rows])


@app.get("/centres/<int:centre>/slots")
def slots(centre):
    rows = db().execute("select id, starts, free from slots where centre_id = ? and free > 0 order by starts limit 25", (centre,)).fetchall()
    return jsonify([dict(r) for r in rows])


@app.get("/donors/<int:donor>")
def donor(donor):
    row = db().execute("select id, blood_group, last_given, answers from donors where id = ?", (donor,)).fetchone()
    if row is None:
        return jsonify(error="unknown donor"), 404
    return jsonify(dict(row))


@app.post("/appointments")
def appointment():
    body = request.get_json()
    conn = db()
    with conn:
        changed = conn.execute("update slots set free = free - 1 where id = ? and free > 0", (body["slot"],)).rowcount
        if changed == 0:
            log.warning("slot %s is taken, donor %s has to choose again", body["slot"], body["donor"])
            return jsonify(error="slot is taken"), 409
        made = conn.execute("insert into appointments (slot_id, donor_id) values (?, ?)", (body["slot"], body["donor"])).lastrowid
    return jsonify(id=made), 201


@app.put("/donors/<int:donor>/answers")
def answers(donor):
    conn = db()
    with conn:
        conn.execute("update donors set answers = ? where id = ?", (json.dumps(request.get_json()), donor))
    return "", 204
