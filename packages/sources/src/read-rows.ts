import type { Provenance } from "@cidadao/domain/provenance";
import type { z } from "zod";
import type { Answer, Reading, SourcePage, SourceRecord } from "./define-source.ts";
import { RECORD_URL_HEADER, SAMPLE_HEADER } from "./outbound.ts";
import type { Complaint } from "./reading.ts";
import { maskRaw, safeText } from "./reading.ts";

/** Reads the rows of answers. One reader serves one iteration: it may remember what earlier pages held. */
export type AnswerReader<Item extends SourceRecord> = (answer: Answer) => Reading<Item>;

/** A record, the reason why it cannot be one, or the reason why it is none of those looked for. */
export type Outcome<Item> = { record: Item; complaints: Complaint[] } | { sourceId: string; excluded: string } | string;

/** Checks every row against what is sent and turns it into a record; what cannot be one is told, never dropped. */
export function readerOf<Wire, Item extends SourceRecord>(
  schema: z.ZodType<Wire>,
  toDomain: (wire: Wire, answer: Answer) => Outcome<Item>,
): AnswerReader<Item> {
  return (answer) => {
    const reading: Reading<Item> = { records: [], rejects: [], complaints: [], excluded: [] };
    for (const raw of answer.rows) {
      const parsed = schema.safeParse(raw);
      const outcome = parsed.success ? toDomain(parsed.data, answer) : describe(parsed.error);
      if (typeof outcome === "string") {
        reading.rejects.push({ sourceId: rawId(raw), reason: outcome, raw: maskRaw(raw) });
      } else if ("excluded" in outcome) {
        reading.excluded.push({ sourceId: outcome.sourceId, reason: outcome.excluded });
      } else {
        reading.records.push(outcome.record);
        reading.complaints.push(...outcome.complaints);
      }
    }
    return reading;
  };
}

export async function* readPages<Item extends SourceRecord>(
  answers: AsyncIterable<Answer>,
  read: AnswerReader<Item>,
): AsyncGenerator<SourcePage<Item>, void, void> {
  for await (const answer of answers) yield pageOf(answer, read);
}

export function pageOf<Item extends SourceRecord>(answer: Answer, read: AnswerReader<Item>): SourcePage<Item> {
  return { ...read(answer), fromCache: answer.fromCache, next: answer.next, sample: sampleOf(answer.headers) };
}

/** The label of a recorded sample, or `null` when the source itself answered. */
export function sampleOf(headers: Record<string, string>): string | null {
  const header = headers[SAMPLE_HEADER];
  if (!header) return null;
  try {
    return safeText(decodeURIComponent(header));
  } catch {
    return safeText(header);
  }
}

/** Ids of a sample do not exist on the publisher's site, so it names the file they were published in. */
export function answeredProvenance(
  answer: Answer,
  record: Pick<Provenance, "source" | "sourceId" | "url">,
  site: string,
): Provenance {
  const recordUrl = answer.headers[RECORD_URL_HEADER];
  return {
    source: record.source,
    sourceId: record.sourceId,
    url: recordUrl?.startsWith(`${site}/`) ? recordUrl : record.url,
    retrievedAt: answer.retrievedAt,
    sample: sampleOf(answer.headers),
  };
}

function describe(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join(".") || "record"}: ${issue.message}`).join("; ");
}

const ID_FIELDS = ["id", "numeroControlePNCP"];
const ID_CHARS_MAX = 60;

function rawId(raw: unknown): string | null {
  if (typeof raw !== "object" || raw === null) return null;
  const named = ID_FIELDS.flatMap((name) => Object.entries(raw).filter(([key]) => key === name));
  const id: unknown = named[0]?.[1];
  if (typeof id !== "string" && typeof id !== "number") return null;
  return String(maskRaw(String(id))).slice(0, ID_CHARS_MAX);
}
