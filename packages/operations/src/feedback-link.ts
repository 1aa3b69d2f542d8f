import { createHmac, timingSafeEqual } from "node:crypto";

/** Where a person says whether a finding is one. The signature is the leave to say it: it is in nobody's hands but theirs. */
export function feedbackUrl(link: { publicUrl: string; secret: string; anomalyId: string }): string {
  const { publicUrl, secret, anomalyId } = link;
  return `${publicUrl}/api/v1/anomalies/${anomalyId}/feedback?signature=${signatureOf(secret, anomalyId)}`;
}

/** In a time that says nothing about the right signature. */
export function isFeedbackSigned(link: { secret: string; anomalyId: string; signature: string }): boolean {
  const [given, right] = [Buffer.from(link.signature), Buffer.from(signatureOf(link.secret, link.anomalyId))];
  return given.length === right.length && timingSafeEqual(given, right);
}

function signatureOf(secret: string, anomalyId: string): string {
  return createHmac("sha256", secret).update(`feedback:${anomalyId}`).digest("base64url");
}
