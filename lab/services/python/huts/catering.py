"""Who cooks, and what it costs."""
import json
import os

FLAGS = os.environ.get("FLAGS_FILE", "/etc/flags.json")


def enabled(flag):
    with open(FLAGS) as f:
        return json.load(f).get(flag, False)


def dinner(hut):
    if not enabled("dinner-offers"):
        return None
    warden = json.loads(hut["warden"]) if hut["warden"] else None
    return {"cook": warden.get("name"), "cents": 2150}
