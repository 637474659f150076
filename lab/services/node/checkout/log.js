'use strict';
const pino = require('pino');

module.exports = pino({
  level: process.env.LOG_LEVEL || 'info',
  base: { service: process.env.SERVICE_NAME, instance: process.env.INSTANCE, version: process.env.APP_VERSION },
  timestamp: pino.stdTimeFunctions.isoTime,
});
