'use strict';
const pino = require('pino');

module.exports = pino({ base: { service: process.env.SERVICE_NAME, version: process.env.APP_VERSION }, timestamp: pino.stdTimeFunctions.isoTime });
