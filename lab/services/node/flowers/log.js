'use strict';
const pino = require('pino');

module.exports = pino({ base: { service: process.env.SERVICE_NAME }, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: pino.stdSerializers.err } });
