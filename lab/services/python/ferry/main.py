"""Bookings for a ferry line."""
import os

from fastapi import FastAPI, HTTPException, Request

import fares
import store

app = FastAPI(docs_url=None, openapi_url=None)


@app.get("/health")
def health():
    return {"status": "ok"}


@app.get("/sailings")
def sailings(port: str = "north"):
    return store.rows("select id, port, leaves, fare from sailings where port = %s order by leaves limit 30", (port,))


@app.get("/sailings/{sailing_id}")
def sailing(sailing_id: int):
    found = store.rows("select id, port, leaves, fare from sailings where id = %s", (sailing_id,))
    if not found:
        raise HTTPException(404, "no such sailing")
    return found[0]


@app.get("/terminals/{terminal_id}/sync")
def sync(terminal_id: int):
    return store.rows("select b.id, b.passengers, s.leaves from bookings b join sailings s on s.id = b.sailing_id where b.terminal_id = %s and b.memo like %s order by s.leaves desc limit 40", (terminal_id, "%quay%"))


@app.post("/bookings", status_code=201)
async def book(request: Request):
    body = await request.json()
    fare = fares.total(body["passengers"], body.get("vehicle_cm", 0))
    booking = store.insert("insert into bookings (sailing_id, terminal_id, passengers, cents, memo) values (%s, %s, %s, %s, 'quay')",
                           (body["sailing"], body.get("terminal", 1), body["passengers"], fare))
    return {"id": booking, "cents": fare}


@app.get("/bookings/{booking_id}")
def booking(booking_id: int):
    found = store.rows("select id, sailing_id, passengers, cents from bookings where id = %s", (booking_id,))
    if not found:
        raise HTTPException(404, "no such booking")
    return found[0]
