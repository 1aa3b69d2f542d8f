import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** Metric names keep the prefix that existing dashboards use. Labels are closed sets: route patterns, ids, never URLs. */
export type Telemetry = ReturnType<typeof createTelemetry>;

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30, 60, 180, 600];

export function createTelemetry(options: { process: string }) {
  const registry = new Registry();
  registry.setDefaultLabels({ process: options.process });
  collectDefaultMetrics({ register: registry });
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `cidadao_ai_${name}`, help, labelNames, registers: [registry] });
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({ name: `cidadao_ai_${name}`, help, labelNames, registers: [registry] });
  const histogram = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Histogram({ name: `cidadao_ai_${name}`, help, labelNames, buckets: SECONDS, registers: [registry] });
  return {
    registry,
    httpRequests: counter("http_requests_total", "HTTP requests answered", ["method", "endpoint", "status_code"]),
    httpSeconds: histogram("request_duration_seconds", "Time to answer an HTTP request", ["method", "endpoint"]),
    enqueued: counter("queue_enqueued_total", "Jobs put on a queue", ["job", "result"]),
    queueDepth: gauge("queue_depth", "Jobs on a queue that nobody has taken", ["queue"]),
    investigations: counter("investigations_total", "Investigations that ended here", ["status", "outcome"]),
    investigationSeconds: histogram("investigation_duration_seconds", "Claim to stored result", ["status"]),
    activeInvestigations: gauge("active_investigations", "Investigations running in this process", []),
    anomalies: counter("anomalies_detected_total", "Anomalies stored", ["anomaly_type", "severity"]),
    sourceRequests: counter("transparency_api_requests_total", "Calls of public sources", ["api_name", "status_code"]),
    sourceSeconds: histogram("transparency_api_duration_seconds", "Time of a call of a public source", ["api_name"]),
    sourceEvents: counter(
      "source_events_total",
      "What happened besides the calls of public sources: cache, retries, pauses, circuit",
      ["api_name", "event"],
    ),
    cacheOperations: counter("cache_operations_total", "Look-ups of the response cache", ["result"]),
    modelRequests: counter("llm_requests_total", "Calls of language models", ["provider", "model", "result"]),
    modelTokens: counter("llm_tokens_total", "Tokens of language models", ["provider", "model", "type"]),
    explanations: counter("explanations_total", "Explanations stored, by who wrote them", ["source"]),
    alertDeliveries: counter("alert_deliveries_total", "Deliveries settled", ["channel", "status"]),
    scheduleRuns: counter("schedule_runs_total", "Scheduled runs", ["schedule", "result"]),
    swept: counter("swept_total", "Work found off the queue and put back", ["kind"]),
  };
}
