const CNPJ = /^[0-9A-Z]{12}\d{2}$/;
const PUNCTUATION = /[.\-/\s]/g;

/** Upper case without punctuation. CNPJs may hold letters since July 2026, so they are text everywhere. */
export function bareTaxId(text: string): string {
  return text.replace(PUNCTUATION, "").toUpperCase();
}

/** The 14 characters of a CNPJ with valid check digits (modulus 11, character value = code point − 48), or `null`. */
export function parseCnpj(text: string): string | null {
  const bare = bareTaxId(text);
  if (!CNPJ.test(bare) || /^0{14}$/.test(bare)) return null;
  const first = checkDigit(bare.slice(0, 12));
  return bare.endsWith(`${first}${checkDigit(bare.slice(0, 12) + first)}`) ? bare : null;
}

function checkDigit(characters: string): number {
  let sum = 0;
  for (let index = 0; index < characters.length; index++) {
    const weight = ((characters.length - 1 - index) % 8) + 2;
    sum += (characters.charCodeAt(index) - 48) * weight;
  }
  const remainder = sum % 11;
  return remainder < 2 ? 0 : 11 - remainder;
}

/** First 8 characters: the legal person. The next 4 number its branches. */
export function cnpjRoot(cnpj: string): string {
  return cnpj.slice(0, 8);
}

/** "12.345.678/0001-95" */
export function formatCnpj(cnpj: string): string {
  return `${cnpj.slice(0, 2)}.${cnpj.slice(2, 5)}.${cnpj.slice(5, 8)}/${cnpj.slice(8, 12)}-${cnpj.slice(12)}`;
}

const CPF_SHAPE = /^(?:\d{3}|\*{3})\.?\d{3}\.?\d{3}-?(?:\d{2}|\*{2})$/;

/** "***.456.789-**" from a CPF in any notation, masked already or not; `null` when the text is no CPF. */
export function maskCpf(text: string): string | null {
  const trimmed = text.trim();
  if (!CPF_SHAPE.test(trimmed)) return null;
  const bare = trimmed.replace(/[.-]/g, "");
  return `***.${bare.slice(3, 6)}.${bare.slice(6, 9)}-**`;
}

const CPF_IN_TEXT = /(?<!\d[.,/-]?)(\d{3})\.?(\d{3})\.?(\d{3})-?(\d{2})(?![.,/-]?\d)/g;

/** Masks every CPF with valid check digits inside free text. */
export function maskCpfsInText(text: string): string {
  return text.replace(CPF_IN_TEXT, (found, a: string, b: string, c: string, digits: string) =>
    isCpf(`${a}${b}${c}${digits}`) ? `***.${b}.${c}-**` : found,
  );
}

function isCpf(digits: string): boolean {
  if (/^(\d)\1{10}$/.test(digits)) return false;
  const check = (length: number) => {
    let sum = 0;
    for (let index = 0; index < length; index++) sum += Number(digits[index]) * (length + 1 - index);
    const remainder = (sum * 10) % 11;
    return remainder === 10 ? 0 : remainder;
  };
  return check(9) === Number(digits[9]) && check(10) === Number(digits[10]);
}
