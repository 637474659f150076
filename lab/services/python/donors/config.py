import os

DATABASE = os.environ["DONORS_DB"]
BUSY_TIMEOUT = float(os.environ.get("DONORS_BUSY_TIMEOUT", "3"))
