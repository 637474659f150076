'use strict';
const two = (n, w = 2) => String(n).padStart(w, '0');

function write(level, name, text) {
  const d = new Date();
  const at = `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())},${two(d.getMilliseconds(), 3)}`;
  process.stdout.write(`[${at}] ${level.padEnd(5)} ${name} - ${text}\n`);
}

module.exports = { info: (n, t) => write('INFO', n, t), warn: (n, t) => write('WARN', n, t), error: (n, t) => write('ERROR', n, t) };
