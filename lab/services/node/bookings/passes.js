'use strict';

// render asks the print shop for a boarding pass as PDF; that takes them a few seconds.
async function render(booking) {
  const res = await fetch(`${process.env.PRINT_URL}/render?booking=${booking.id}`, { signal: AbortSignal.timeout(9000) });
  if (!res.ok) throw new Error(`print shop answered ${res.status}`);
  return Buffer.from(await res.arrayBuffer());
}

module.exports = { render };
