'use strict';
const amqp = require('amqplib');
const log = require('./log');

const PATIENCE = 4000;
let channel;

async function start() {
  const connection = await amqp.connect(process.env.AMQP_URL, { clientProperties: { connection_name: `${process.env.SERVICE_NAME}@${process.env.HOST}` } });
  channel = await connection.createConfirmChannel();
  await channel.assertExchange('orders', 'topic', { durable: true });
  const { queue } = await channel.assertQueue('florist.work', { durable: true });
  await channel.bindQueue(queue, 'orders', 'orders.*');
  const florist = await connection.createChannel();
  await florist.consume(queue, (m) => m && florist.ack(m));
  log.info('message queue connected');
}

// publish ends when the broker has confirmed that the message is safe.
function publish(key, body) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no confirm for ${key} within ${PATIENCE} ms`)), PATIENCE);
    channel.publish('orders', key, Buffer.from(JSON.stringify(body)), { persistent: true }, (e) => { clearTimeout(timer); e ? reject(e) : resolve(); });
  });
}

module.exports = { start, publish };
