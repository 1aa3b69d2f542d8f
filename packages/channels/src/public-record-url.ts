/** Where Brazilian public bodies publish. Anything else in an alert is shown by nobody as a link. */
const PUBLIC_HOST = /(?:^|\.)(?:gov|leg|jus|mp|def|mil)\.br$/;

export function publicRecordUrl(text: string | null): URL | null {
  const url = text === null ? null : URL.parse(text);
  if (url === null || url.protocol !== "https:" || url.port !== "" || url.username !== "" || url.password !== "")
    return null;
  return PUBLIC_HOST.test(url.hostname) ? url : null;
}
