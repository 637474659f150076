'use strict';
const ATTEMPTS = 5;

// way asks the routing service; it is known to drop calls, so it gets some more.
exports.way = async (log, locker) => {
  for (let attempt = 1; ; attempt++) {
    try {
      const res = await fetch(`${process.env.ROUTING_URL}/route?to=${locker}`, { signal: AbortSignal.timeout(1500) });
      if (!res.ok) throw new Error(`routing answered ${res.status}`);
      return { locker, way: (await res.json()) };
    } catch (err) {
      if (attempt === ATTEMPTS) throw err;
      log.error({ attempt, of: ATTEMPTS, err: { type: err.name, message: err.message } }, 'routing call failed, trying again');
      await new Promise((r) => setTimeout(r, 60 * attempt));
    }
  }
};
