import type { Anomaly } from "@cidadao/database/anomalies";
import type { Investigation } from "@cidadao/database/investigations";
import type { ListPosition } from "@cidadao/database/list-position";
import { AppError } from "@cidadao/runtime/errors";
import { z } from "zod";

export function presentInvestigation(investigation: Investigation) {
  const { ownerId: _, visibility: __, requestHash: ___, failureCode, failureMessage, ...shown } = investigation;
  const self = `/api/v1/investigations/${investigation.id}`;
  return {
    ...shown,
    failure: failureCode === null ? null : { code: failureCode, message: failureMessage ?? "" },
    links: { self, anomalies: `${self}/anomalies`, report: `${self}/report`, events: `${self}/events` },
  };
}

export function presentAnomaly(anomaly: Anomaly) {
  const { subjectKind, subjectId, subjectLabel, explanation, explanationSource, explanationModel, ...shown } = anomaly;
  return {
    ...shown,
    subject: { kind: subjectKind, id: subjectId, label: subjectLabel },
    explanation:
      explanation === null ? null : { text: explanation, source: explanationSource!, model: explanationModel },
  };
}

const position = z.tuple([z.iso.datetime({ offset: true }), z.uuid()]);

export function encodeCursor(last: ListPosition): string {
  return Buffer.from(JSON.stringify([last.createdAt, last.id])).toString("base64url");
}

export function decodeCursor(cursor: string | undefined): ListPosition | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [createdAt, id] = position.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
    return { createdAt, id };
  } catch {
    throw new AppError("invalid_request", "cursor: use the nextCursor of an earlier answer, unchanged");
  }
}
