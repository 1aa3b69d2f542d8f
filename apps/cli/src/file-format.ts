import { fileFormats, type FileFormatId } from "@cidadao/sources/files/formats";

export function fileFormatOf(id: string): FileFormatId {
  const format = fileFormats.find((one) => one.id === id);
  if (!format) throw new Error(`no format ${id}; there are ${fileFormats.map((one) => one.id).join(", ")}`);
  return format.id;
}
