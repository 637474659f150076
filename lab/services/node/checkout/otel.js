'use strict';
const { NodeSDK, tracing, resources } = require('@opentelemetry/sdk-node');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { ExpressInstrumentation, ExpressLayerType } = require('@opentelemetry/instrumentation-express');
const { PgInstrumentation } = require('@opentelemetry/instrumentation-pg');

new NodeSDK({
  resource: resources.resourceFromAttributes({ 'service.name': process.env.SERVICE_NAME, 'service.version': process.env.APP_VERSION, 'service.instance.id': process.env.INSTANCE }),
  autoDetectResources: false,
  sampler: new tracing.ParentBasedSampler({ root: new tracing.TraceIdRatioBasedSampler(Number(process.env.TRACE_RATIO || 1)) }),
  spanProcessors: [new tracing.BatchSpanProcessor(new OTLPTraceExporter({ url: process.env.TRACES_URL }), { scheduledDelayMillis: 3000 })],
  instrumentations: [
    new HttpInstrumentation({ ignoreIncomingRequestHook: (r) => r.url === '/metrics' || r.url === '/healthz', ignoreOutgoingRequestHook: (r) => String(r.path).startsWith('/v1/traces'), headersToSpanAttributes: { server: { requestHeaders: ['x-request-id'] } } }),
    new ExpressInstrumentation({ ignoreLayersType: [ExpressLayerType.MIDDLEWARE, ExpressLayerType.ROUTER] }),
    new PgInstrumentation(),
  ],
}).start();
